"""Sending mail to a data subject."""

from dataclasses import dataclass
from typing import Protocol


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
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Send the mail, once for each `mail_id` as far as the service behind it allows.

        Raises:
            Retryable: not accepted now; send it again.
        """
        ...
