"""Where the API is and who issues its tokens, kept between commands in files only the owner reads."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from devtools.stand_ins.issuer_staff import CLIENT_ID, TENANT_ID

_FILE = "connection.json"
_SIGN_IN = "https://login.microsoftonline.com"


class NotSignedInError(Exception):
    """Tell the user to sign in."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An API and its tenant.

    Attributes:
        url: Base of the API, without a slash at its end.
        authority: Authority of the tenant; on loopback in a local run.
        client_id: App registration of the API, for which tokens are asked.
    """

    url: str
    authority: str
    client_id: str

    @property
    def is_local(self) -> bool:
        """Whether the issuer is the one of a local run."""
        return self.authority.startswith("http://127.0.0.1:")

    @classmethod
    def to_tenant(cls, *, url: str, tenant_id: str, client_id: str) -> Self:
        """Return a connection to a deployed API."""
        return cls(url=url.rstrip("/"), authority=f"{_SIGN_IN}/{tenant_id}", client_id=client_id)

    @classmethod
    def read(cls, store: Path) -> Self:
        """Return what the last sign-in kept.

        Raises:
            NotSignedInError: There was none, or its file cannot be read.
        """
        try:
            return cls(**json.loads((store / _FILE).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise NotSignedInError(
                "Sign in first: python3 -m devtools ops sign-in, in a local run with --as operator"
            ) from None

    def write(self, store: Path) -> None:
        """Keep it for the next commands."""
        write_private(store / _FILE, json.dumps(asdict(self)))


def local_connection(*, functions_port: int = 7071, issuer_port: int = 8083) -> Connection:
    """Return the connection to `python3 -m devtools run`."""
    return Connection(
        url=f"http://127.0.0.1:{functions_port}/api",
        authority=f"http://127.0.0.1:{issuer_port}/{TENANT_ID}",
        client_id=CLIENT_ID,
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
