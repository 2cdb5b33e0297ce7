"""Sending mail to a data subject, and finding out whether one was sent."""

from dataclasses import dataclass
from typing import Protocol

NOT_ACCEPTED = "mail_not_accepted"  # of a Retryable: certainly not sent
OUTCOME_UNKNOWN = "mail_outcome_unknown"  # of a Retryable: sent or not


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message. `mail_id` is opaque and the same at every attempt to send it."""

    mail_id: str
    to: str
    subject: str
    text: str
    html: str
    language: str


class Notifier(Protocol):
    """Sends mail. No mail service offers a key that makes a second send harmless, so callers ask first."""

    async def send(self, mail: Mail) -> None:
        """Send the mail once; a second call may send it a second time. It ends within a minute or two.

        Raises:
            Retryable: `mail_not_accepted` when it was certainly not sent, with `retry_after_seconds` where
                the service named a time: send it again then. Any other code: it may have been sent; ask
                `was_sent` before sending again.
            Permanent: certainly not sent, and never will be like this.
        """
        ...

    async def was_sent(self, mail_id: str) -> bool:
        """Tell whether a mail with this id was sent.

        Yes is certain. No is so only when the last attempt has had time to settle, since a mail can be on
        its way for a while before it is seen.

        Raises:
            Retryable: the service does not answer now; ask again.
            CannotTell: it refuses to answer; never read it as no.
        """
        ...
