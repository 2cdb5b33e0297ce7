"""Portability copies put straight to another controller over HTTPS."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable

from shared.adapters.outbound import Outbound, Sending
from shared.domain.outbound import TargetUrl, parse_target_url
from shared.ports.clock import Clock
from shared.ports.transfers import Receipt


class HttpsTransfers:
    """Uploads with PUT. `local_receiver`: the origin that a local run lets through; empty in Azure."""

    def __init__(self, outbound: Outbound, clock: Clock, *, local_receiver: str = "") -> None:
        self._outbound = outbound
        self._clock = clock
        self._local_receiver = local_receiver

    def parse(self, url: object) -> TargetUrl:
        return parse_target_url(url, local_receiver=self._local_receiver)

    async def send(
        self,
        url: str,
        chunks: Callable[[], AsyncIterator[bytes]],
        *,
        size_bytes: int,
        content_type: str,
        file_name: str,
    ) -> Receipt:
        target = self.parse(url)
        digest = hashlib.sha256()
        async for chunk in chunks():  # read twice: the digest stands in front of the body
            digest.update(chunk)
        sending = Sending(
            method="PUT",
            headers={
                "Content-Type": content_type,
                "Content-Disposition": f'attachment; filename="{file_name}"',
                # Source: RFC 9530 section 2, a byte sequence of RFC 8941.
                "Content-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
            },
            size_bytes=size_bytes,
            chunks=chunks,
        )
        answer = await self._outbound.send(target, sending)
        return Receipt(status=answer.status, host=target.host, at=self._clock.now())
