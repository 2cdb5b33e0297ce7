"""Proofs that work was done: written once, never changed, no personal data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class ProofPage:
    """Some proofs with their names, in no order. `cursor` None: the last."""

    proofs: tuple[tuple[str, Mapping[str, Any]], ...]
    cursor: str | None


class Evidence(Protocol):
    """An append-only record."""

    async def record(self, name: str, proof: Mapping[str, Any]) -> None:
        """Write a proof under a name; a proof that is there already stays as it is."""
        ...

    async def proofs_since(self, moment: datetime, *, cursor: str | None, limit: int) -> ProofPage:
        """Return a page of proofs whose `proved_at` is at the moment or later, of up to `limit` looked at.

        A page may be empty and have a cursor. What has no `proved_at` is no proof of work and left out.

        Raises:
            CannotTell: `proof_unreadable`: one is no JSON; without it nobody can tell what was erased.
        """
        ...
