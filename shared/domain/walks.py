"""A walk over everybody's records: where it stands, so that it goes on after any interruption."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from shared.domain.times import UtcTime


class Walk(BaseModel):
    """One walk. `cursor`: a place in the listing of the store at hand; None: its beginning.

    The place is the database's own and may tell a record's key, so it stays here and travels in no message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    day: date
    store_ids: tuple[str, ...]  # still to be walked, the one at hand first; empty: done
    cursor: str | None = None
    seen: int = 0  # records looked at
    filed: int = 0  # erasures filed
    undated: int = 0  # records of which nothing tells when their period began
    unclear: int = 0  # records whose person cannot be told apart
    started_at: UtcTime
    ended_at: UtcTime | None = None

    @property
    def is_done(self) -> bool:
        """Whether every store was walked to its end."""
        return not self.store_ids
