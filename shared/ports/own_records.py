"""Rows of our own about a person, under a keyed pseudonym: disclosures, look-ups, correction notes."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

OwnContainer = Literal["disclosures", "lookups", "notes"]


class OwnRecords(Protocol):
    """Writes rows; they are read through the data map, as every other store."""

    async def put(self, container: OwnContainer, row: Mapping[str, Any]) -> None:
        """Write a row with `id` and `subject_key`. The same id again replaces it."""
        ...

    async def add(self, container: OwnContainer, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write a row unless its id is there under its pseudonym, and return the row that stands.

        A second call changes nothing.
        """
        ...
