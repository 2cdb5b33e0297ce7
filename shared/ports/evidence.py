"""Proofs that work was done: written once, never changed, no personal data."""

from collections.abc import Mapping
from typing import Any, Protocol


class Evidence(Protocol):
    """An append-only record."""

    async def record(self, name: str, proof: Mapping[str, Any]) -> None:
        """Write a proof under a name; a proof that is there already stays as it is."""
        ...
