"""One address in one list that has to be brought in line with our ledger there."""

from pydantic import BaseModel, ConfigDict

from shared.domain.consent_ledger import Channel
from shared.domain.times import UtcTime

NO_LIST = "0" * 32
"""As the list of a change that is about our own records alone: no list there is for its purposes."""


class Leaving(BaseModel):
    """Somebody leaves: what has to be ended here before the processor is looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose_ids: tuple[str, ...]
    at: UtcTime
    channel: Channel


class NewsletterChange(BaseModel):
    """What is open for one address in one list. What is to be done is not in it: the gate says that, then.

    The address is here because the processor knows people by it; the row goes when both sides agree.
    `attempts` counts calls since the last new reason. `added`: the processor took it, and is looked at until
    it shows it; nobody is added twice for one reason. `left_before`: when it showed that they had left before
    that, or were stopped by us; None: it did not.
    `returns`: the person signed up anew, which also brings back somebody who left there. `busy_until`: a
    worker is changing something there, until then at the latest. `attention`: why a person has to look;
    empty: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    list_id: str
    subject_key: str
    email: str
    name: str = ""
    asked_at: UtcTime
    wake_at: UtcTime  # taken up again after this, whatever happened to its message
    attempts: int = 0
    attention: str = ""
    added: bool = False
    left_before: str | None = None
    returns: bool = False
    busy_until: UtcTime | None = None
    leaving: tuple[Leaving, ...] = ()

    def also_leaving(self, leaving: Leaving) -> "tuple[Leaving, ...]":
        """Return what is to be ended, with one more. Who leaves again leaves as of the last time."""
        reached = set(leaving.purpose_ids)
        others = (one for one in self.leaving if not reached.issuperset(one.purpose_ids))
        return (*others, leaving)

    @property
    def change_id(self) -> str:
        """Its key beside the pseudonym: an address has one open change in a list, however often asked."""
        return self.list_id
