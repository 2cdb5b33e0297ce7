"""The way of a portability copy straight to another controller, at an address the person names."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.outbound import TargetUrl


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the other controller answered: its status and when. The host may name a person's provider."""

    status: int
    host: str = field(repr=False)
    at: datetime


class Transfers(Protocol):
    """Uploads to other controllers. Source: GDPR article 20(2)."""

    def parse(self, url: object) -> TargetUrl:
        """Return the address a person gave, or refuse it; nothing is looked up.

        Raises:
            Invalid: `transfer_url_…`: the person can give another one.
        """
        ...

    async def send(
        self,
        url: str,
        chunks: Callable[[], AsyncIterator[bytes]],
        *,
        size_bytes: int,
        content_type: str,
        file_name: str,
    ) -> Receipt:
        """Put the content there, once, and return when the receiver said that it has it.

        `chunks` is called twice, for the digest goes first: each call begins at the content's start. A second
        `send` sends it again: a PUT replaces what it put. No error names the address, the host or the answer.

        Raises:
            Invalid: `transfer_url_…`: the address is not one that may be tried.
            NotAllowed: `transfer_refused_address`: the name leads, also or only, to an address that is not
                public. Tell the person; do not try again.
            Retryable: `transfer_unreachable`: no answer, a broken one, 408, 429 or a fault of the receiver.
            Permanent: `transfer_refused`: it answered with a redirect or a refusal; `transfer_certificate`:
                it could not prove its name; `transfer_too_slow`: not done within the bound on the whole;
                `transfer_source_changed`: the content was not as long as it said.
        """
        ...
