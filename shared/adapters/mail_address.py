"""Whom a mail goes to: exactly the one recipient that was typed, in whatever way it travels."""

from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP

from shared.domain.errors import Permanent

_ENCODED_WORD = "=?"


def address(message: EmailMessage, to: str, where: str) -> None:
    """Address a message to exactly the one recipient that was typed.

    Raises:
        Permanent: `address_unusable`: a header would read as something else, or as several recipients.
    """
    try:
        message["To"] = to
        read = [f"{one.username}@{one.domain}" for one in message["To"].addresses]
    except (ValueError, IndexError, MessageError):  # the last two: what the parser raises on odd input
        read = []
    # Every way into a header decodes an encoded word, which may hide a comma, an @ or a line break; one that
    # Python leaves alone another program may decode.
    if read != [to] or _ENCODED_WORD in to:
        raise Permanent("address_unusable", where)


def require_one_recipient(to: str, where: str) -> None:
    """Refuse what a mail program could read as anything but this one recipient.

    Raises:
        Permanent: `address_unusable`.
    """
    address(EmailMessage(policy=SMTP), to, where)
