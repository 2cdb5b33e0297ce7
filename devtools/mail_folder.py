"""Bring mail of a local run to where a person can read it: a folder of .eml files, and a line a message."""

from __future__ import annotations

from pathlib import Path

from azure.storage.blob import BlobServiceClient

from devtools.demo.mailbox import OUTBOX, read_mail


class MailFolder:
    """Copies what the app puts into the `outbox` container.

    Args:
        connection_string: Where the outbox is.
        folder: Where the files go; what is there already counts as read.
    """

    def __init__(self, connection_string: str, folder: Path) -> None:
        """Connect to nothing yet."""
        self._container = BlobServiceClient.from_connection_string(connection_string).get_container_client(
            OUTBOX
        )
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def collect(self) -> list[str]:
        """Copy new mail and return some lines on each: to whom, what about, and its links."""
        lines: list[str] = []
        for name in self._container.list_blob_names():
            file = self._folder / name
            if file.exists():
                continue
            data = self._container.download_blob(name).readall()
            file.write_bytes(data)
            mail = read_mail(data)
            lines.append(f"mail to {mail.to}: {mail.subject} ({file})")
            lines += [f"  {purpose:<12} {link}" for purpose, link in mail.links.items()]
        return lines

    def close(self) -> None:
        """Close the connection."""
        self._container.close()
