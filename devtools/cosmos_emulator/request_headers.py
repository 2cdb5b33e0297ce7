"""Which request headers are understood."""

from collections.abc import Iterable
from typing import Final

from .errors import bad_request

_UNDERSTOOD: Final = frozenset(
    {
        "a-im",
        "x-ms-activity-id",
        "x-ms-client-id",
        "x-ms-client-request-id",
        "x-ms-consistency-level",
        "x-ms-continuation",
        "x-ms-cosmos-allow-tentative-writes",
        "x-ms-cosmos-batch-atomic",
        "x-ms-cosmos-batch-continue-on-error",
        "x-ms-cosmos-changefeed-wire-format-version",
        "x-ms-cosmos-correlated-activityid",
        "x-ms-cosmos-hub-region-processing-only",
        "x-ms-cosmos-intended-collection-rid",
        "x-ms-cosmos-is-batch-request",
        "x-ms-cosmos-is-query-plan-request",
        "x-ms-cosmos-offer-autopilot-settings",
        "x-ms-cosmos-populateindexmetrics",
        "x-ms-cosmos-populatequeryadvice",
        "x-ms-cosmos-priority-level",
        "x-ms-cosmos-query-version",
        "x-ms-cosmos-sdk-supportedcapabilities",
        "x-ms-cosmos-supported-query-features",
        "x-ms-cosmos-throughput-bucket",
        "x-ms-date",
        "x-ms-dedicatedgateway-bypass-cache",
        "x-ms-dedicatedgateway-max-age",
        "x-ms-documentdb-disable-ru-per-minute-usage",
        "x-ms-documentdb-is-upsert",
        "x-ms-documentdb-isquery",
        "x-ms-documentdb-partitionkey",
        "x-ms-documentdb-partitionkeyrangeid",
        "x-ms-documentdb-populatepartitionstatistics",
        "x-ms-documentdb-populatequerymetrics",
        "x-ms-documentdb-populatequotainfo",
        "x-ms-documentdb-query-emit-traces",
        "x-ms-documentdb-query-enable-scan",
        "x-ms-documentdb-query-enablecrosspartition",
        "x-ms-documentdb-query-iscontinuationexpected",
        "x-ms-documentdb-query-parallelizecrosspartitionquery",
        "x-ms-documentdb-responsecontinuationtokenlimitinkb",
        "x-ms-end-epk",
        "x-ms-indexing-directive",
        "x-ms-max-item-count",
        "x-ms-offer-throughput",
        "x-ms-read-key-type",
        "x-ms-return-client-request-id",
        "x-ms-session-token",
        "x-ms-start-epk",
        "x-ms-thinclient-proxy-operation-type",
        "x-ms-thinclient-proxy-resource-type",
        "x-ms-throttle-retry-count",
        "x-ms-throttle-retry-wait-time-ms",
        "x-ms-version",
    }
)
_known_spellings: set[str] = set()


def check_headers(names: Iterable[str]) -> None:
    """Refuse headers of the protocol that would silently be ignored.

    Raises:
        ServiceError: 400 naming the header.
    """
    for name in names:
        if name in _known_spellings:
            continue
        lowered = name.lower()
        if lowered.startswith("x-ms-") and lowered not in _UNDERSTOOD:
            raise bad_request(f"The header {lowered} is not supported by this emulator.")
        # Clients spell their headers in few ways; anything else must not fill the memory.
        if lowered in _UNDERSTOOD:
            _known_spellings.add(name)
