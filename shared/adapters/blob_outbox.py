"""Mail of local runs: an .eml file a message in the `outbox` container, nothing leaves the machine."""

from email.message import EmailMessage
from email.policy import SMTP

from shared.adapters._azure_errors import translating
from shared.adapters.storage import Storage
from shared.ports.notifier import Mail


class BlobOutbox:
    """The `outbox` container. A mail sent twice is one file."""

    def __init__(self, storage: Storage, *, sender: str) -> None:
        self._storage = storage
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = f"<{mail.mail_id}@local.invalid>"
        message["Content-Language"] = mail.language
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        client = self._storage.container("outbox").get_blob_client(f"{mail.mail_id}.eml")
        with translating("outbox.send"):
            await client.upload_blob(message.as_bytes(), overwrite=True)
