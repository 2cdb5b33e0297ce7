"""The ledger of consents: events are added and never changed, and go with the evidence they are."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from shared.domain.consent_ledger import ConsentEvent


class ConsentLedger(Protocol):
    """Events by pseudonym."""

    async def append(self, event: ConsentEvent) -> ConsentEvent:
        """Add an event, and return it as it stands: one of this pseudonym and id that was there stays."""
        ...

    async def of_person(self, subject_keys: Sequence[str]) -> tuple[ConsentEvent, ...]:
        """Return every event of these pseudonyms, in no order. Empty: there is none.

        Raises:
            Retryable: they could not be read; never take that for "no consent was given".
            CannotTell: one could not be understood.
        """
        ...

    async def forget(self, subject_key: str, event_ids: Iterable[str]) -> None:
        """Erase events of one pseudonym. What is gone already is no mistake."""
        ...

    def given(self, purpose_id: str) -> AsyncIterator[str]:
        """Yield the pseudonyms that ever gave consent to a purpose and whose evidence is kept, each once.

        Whether it is in force is for the controls to say. Reads page by page.
        """
        ...
