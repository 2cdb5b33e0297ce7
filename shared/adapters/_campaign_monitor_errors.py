"""Campaign Monitor's answers to our errors, in one table. Its messages stay out: they may repeat an address.

Its documents name the codes; which of them each call really gives could not be tried on an account.
Source: https://www.campaignmonitor.com/api/v3-3/getting-started/ and /subscribers/.
"""

from enum import IntEnum
from http import HTTPStatus

from shared.domain.errors import ComplianceError, Permanent, Retryable
from shared.ports.newsletters import UNREADABLE

UNREACHABLE = "processor_unreachable"
REFUSED = "processor_refused"


class Code(IntEnum):
    """Codes of a refusal that say where a subscriber, or a webhook, stands."""

    NOT_IN_LIST = 203
    SUPPRESSED = 204
    DELETED = 205
    UNSUBSCRIBED = 206
    BOUNCED = 207
    UNCONFIRMED = 208
    TEST_FAILED = 610  # of a webhook: its URL did not take the test call


_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def refusal(status: int, code: int | None, where: str) -> ComplianceError:
    """Return our error for an answer that is not a success.

    `code` is the vendor's own, None where the body has none: 401 is a wrong key, a client or list of
    somebody else (codes 100 and 102) or a missing permission, and all three need a person. A 400 without a
    code is half an answer, or somebody else's: the vendor's own always say why.
    """
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST  # no answer of the API
    if status in _PASSING or is_redirect or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(UNREACHABLE, f"{where} {status}")
    if status == HTTPStatus.BAD_REQUEST and code is None:
        return Retryable(UNREADABLE, f"{where} {status}")
    said = "" if code is None else f" code {code}"
    return Permanent(REFUSED, f"{where} {status}{said}")
