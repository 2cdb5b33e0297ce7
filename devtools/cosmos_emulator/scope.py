"""Which part of a container a query or feed reads."""

from dataclasses import dataclass

from .errors import ServiceError, bad_request

ONLY_RANGE = "0"
_EVERYTHING_TEXT = "FF"


@dataclass(frozen=True, slots=True)
class Scope:
    """One logical partition (`epk`), or the hashes from `low` up to but not including `high`.

    `high` None means no upper end; no `epk`, empty `low` and no `high` is the whole container.
    """

    epk: bytes | None = None
    low: bytes = b""
    high: bytes | None = None

    @property
    def is_everything(self) -> bool:
        return self.epk is None and not self.low and self.high is None

    def holds(self, epk: bytes) -> bool:
        """Tell whether an item with this hash belongs to the scope."""
        if self.epk is not None:
            return epk == self.epk
        return self.low <= epk and (self.high is None or epk < self.high)

    def condition(self) -> tuple[str, tuple[bytes, ...]]:
        """Return the scope as a condition of the store's own SQL, with its parameters."""
        if self.epk is not None:
            return "epk = ?", (self.epk,)
        if self.is_everything:
            return "1", ()
        if self.high is None:
            return "epk >= ?", (self.low,)
        return "epk >= ? AND epk < ?", (self.low, self.high)

    def fingerprint(self) -> bytes:
        """Return bytes that differ for different scopes."""
        return b"|".join((self.epk or b"-", self.low, self.high or b"-"))


EVERYTHING = Scope()


def range_scope(range_id: str, start: str | None, end: str | None) -> Scope:
    """Build the scope of a partition key range, narrowed by hashes in hexadecimal.

    Raises:
        ServiceError: 410/1002 for an unknown range, 400 for hashes that are no hexadecimal text.
    """
    if range_id != ONLY_RANGE:
        raise ServiceError(410, f"The requested partition key range '{range_id}' is gone.", sub_status=1002)
    try:
        low = bytes.fromhex(start or "")
        high = None if end is None or end.upper() == _EVERYTHING_TEXT else bytes.fromhex(end)
    except ValueError:
        raise bad_request("The effective partition key range is not hexadecimal text.") from None
    return Scope(low=low, high=high)
