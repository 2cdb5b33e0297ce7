"""That a version of the policy was shown to a person. Showing is notice, not consent."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.domain.times import UtcTime


class DisplayChannel(StrEnum):
    """Where the policy is shown before further use. Source: policy 8.1."""

    APPLICATION = "application"
    CONTENT_CLOUD = "content_cloud"


class Display(BaseModel):
    """One showing: the first of a version to a person in a channel. `sha256` is of the text that was shown.

    The person is a keyed pseudonym; no plain identifier is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject_key: str
    number: str
    language: str
    sha256: str
    channel: DisplayChannel
    shown_at: UtcTime

    @property
    def display_id(self) -> str:
        """The row's key within its person: one a version and channel."""
        return f"{self.number}-{self.channel}"
