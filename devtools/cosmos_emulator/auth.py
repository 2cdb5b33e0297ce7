"""Check the signature of requests made with the master key."""

import base64
import hmac
import time
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from .errors import ServiceError

EMULATOR_KEY: Final = (
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
)
"""The account key that Microsoft publishes for its own emulator; it protects nothing."""

_LARGEST_SKEW_SECONDS: Final = 15 * 60
_PREFIX: Final = "type%3Dmaster%26ver%3D1.0%26sig%3D"


class MasterKey:
    """Check signatures.

    Args:
        key: the account key, base64.
    """

    def __init__(self, key: str = EMULATOR_KEY) -> None:
        self._key = base64.b64decode(key)

    def check(
        self, header: str | None, date: str | None, verb: str, resource_type: str, resource_link: str
    ) -> None:
        """Accept a request or refuse it.

        Args:
            header: the `authorization` header.
            date: the `x-ms-date` header.
            verb: HTTP method.
            resource_type: type of the resource in the path.
            resource_link: link of the resource in the path.

        Raises:
            ServiceError: 401 when the header is missing, malformed, wrong or too old.
        """
        if header is None or date is None:
            raise ServiceError(401, "Required headers authorization and x-ms-date are missing.")
        sent = _seconds(date)
        if sent is None or abs(time.time() - sent) > _LARGEST_SKEW_SECONDS:
            raise ServiceError(
                401, "The authorization token is not valid at the current time; check the clock."
            )
        text = f"{verb.lower()}\n{resource_type.lower()}\n{resource_link}\n{date.lower()}\n\n"
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode()
        expected = _PREFIX + signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        if not hmac.compare_digest(header.encode(), expected.encode()):
            self._check_slowly(header, signature)

    def _check_slowly(self, header: str, signature: str) -> None:
        """Accept the same signature in another percent-encoding."""
        fields = dict(part.partition("=")[::2] for part in unquote(header).split("&"))
        if fields.get("type") != "master" or fields.get("ver") != "1.0":
            raise ServiceError(401, "This emulator accepts master key authorization, version 1.0, only.")
        if not hmac.compare_digest(fields.get("sig", "").encode(), signature.encode()):
            raise ServiceError(
                401,
                "The input authorization token can't serve the request. The wrong key is being used or the "
                "expected payload is not built as per the protocol.",
            )


@lru_cache(maxsize=64)
def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
