"""OpenDSR notices posted over HTTPS to platforms."""

from collections.abc import AsyncIterator, Mapping

from shared.adapters.outbound import Outbound, Sending
from shared.domain.outbound import TargetUrl, parse_target_url


class HttpsCallbacks:
    """Posts with the guarded client. `local_receiver`: the origin that a local run lets through."""

    def __init__(self, outbound: Outbound, *, local_receiver: str = "") -> None:
        self._outbound = outbound
        self._local_receiver = local_receiver

    def parse(self, url: object) -> TargetUrl:
        return parse_target_url(url, local_receiver=self._local_receiver)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield body

        sending = Sending(
            method="POST",
            headers={"Content-Type": "application/json", **headers},
            size_bytes=len(body),
            chunks=chunks,
        )
        await self._outbound.send(self.parse(url), sending)
