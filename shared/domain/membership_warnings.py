"""That a member was told, before a membership ends by time. Source: policy 5.4."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from shared.domain.times import UtcTime


class MembershipWarning(BaseModel):
    """One letter about one clock of one membership. It names neither the member nor the record.

    `claimed_at`: somebody is about to send it, or died there; `not_before`: when somebody else may look.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject_key: str
    warning_id: str
    erase_on: date
    claimed_at: UtcTime | None = None
    not_before: UtcTime | None = None
    sent_at: UtcTime | None = None
    attempts: int = 0
