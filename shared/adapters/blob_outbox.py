"""Mail of local runs: an .eml file a message in the `outbox` container, nothing leaves the machine."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from shared.adapters._azure_errors import translating
from shared.adapters.mail_address import address
from shared.adapters.storage import Storage
from shared.domain.errors import Retryable
from shared.ports.notifier import OUTCOME_UNKNOWN, Mail


class BlobOutbox:
    """The `outbox` container. A mail sent twice is one file."""

    def __init__(self, storage: Storage, *, sender: str) -> None:
        self._storage = storage
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        message = EmailMessage(policy=SMTP)
        message["Date"] = localtime()
        message["From"] = self._sender
        address(message, mail.to, "outbox.send")
        message["Subject"] = mail.subject
        message["Message-ID"] = f"<{mail.mail_id}@local.invalid>"
        message["Content-Language"] = mail.language
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        client = self._storage.container("outbox").get_blob_client(_name(mail.mail_id))
        try:
            with translating("outbox.send"):
                await client.upload_blob(message.as_bytes(), overwrite=True)
        except Retryable as error:
            raise Retryable(OUTCOME_UNKNOWN, error.detail) from error

    async def was_sent(self, mail_id: str) -> bool:
        with translating("outbox.was_sent"):
            return await self._storage.container("outbox").get_blob_client(_name(mail_id)).exists()


def _name(mail_id: str) -> str:
    return f"{mail_id}.eml"
