"""Mail of local runs: an .eml file a message in the `outbox` container, nothing leaves the machine."""

from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from shared.adapters._azure_errors import translating
from shared.adapters.storage import Storage
from shared.domain.errors import Permanent
from shared.ports.notifier import Mail

_ENCODED_WORD = "=?"


class BlobOutbox:
    """The `outbox` container. A mail sent twice is one file."""

    def __init__(self, storage: Storage, *, sender: str) -> None:
        self._storage = storage
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        message = EmailMessage(policy=SMTP)
        message["Date"] = localtime()
        message["From"] = self._sender
        _address(message, mail.to)
        message["Subject"] = mail.subject
        message["Message-ID"] = f"<{mail.mail_id}@local.invalid>"
        message["Content-Language"] = mail.language
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        client = self._storage.container("outbox").get_blob_client(f"{mail.mail_id}.eml")
        with translating("outbox.send"):
            await client.upload_blob(message.as_bytes(), overwrite=True)


def _address(message: EmailMessage, to: str) -> None:
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
        raise Permanent("address_unusable", "outbox.send")
