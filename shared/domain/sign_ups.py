"""A newsletter sign-up that its person has yet to confirm by a link in a mail. Pure.

Source: GDPR articles 4(11), 7(1); policy 2.3.1, 2.4.1.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.consent_ledger import Evidence
from shared.domain.times import UtcTime


class PendingSignUp(BaseModel):
    """What somebody typed. Nothing follows from it until `confirmed_at` is set; after `ends_at` it goes.

    When its consents are noted (`is_done`) the address and the name are empty: they stand in the sign-up.
    `claimed_at`: somebody may be sending its mail; `attempts` counts mails of which nobody knows whether they
    went out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sign_up_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    email: str
    name: str = ""
    purpose_ids: tuple[str, ...] = Field(min_length=1)
    language: Literal["en", "da"]
    evidence: Evidence
    asked_at: UtcTime
    ends_at: UtcTime
    wake_at: UtcTime  # taken up again after this, whatever happened to its message
    claimed_at: UtcTime | None = None
    attempts: int = 0
    sent_at: UtcTime | None = None
    confirmed_at: UtcTime | None = None
    is_done: bool = False
