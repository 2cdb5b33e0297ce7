"""The ledger of consents in memory, in the container the map reads."""

import json

from shared.domain.consent_ledger import ConsentEvent, EventKind
from tests.fakes.turns import Turn, no_turn

CONTAINER = "consent_ledger"


class MemoryConsentLedger:
    """Writes into the documents of a World, so that copies show the rows."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def append(self, event):
        await self.turn("consent_ledger.append")
        if not any(row["id"] == event.event_id for row in self.rows(event.subject_key)):
            row = {"id": event.event_id, **event.model_dump(mode="json", exclude={"event_id"})}
            self.documents.put(CONTAINER, "/subject_key", row)
        await self.turn("consent_ledger.append!")
        stands = [row for row in self.rows(event.subject_key) if row["id"] == event.event_id]
        return _event(stands[0]) if stands else event

    async def of_person(self, subject_keys):
        await self.turn("consent_ledger.of_person")
        return tuple(_event(row) for key in dict.fromkeys(subject_keys) for row in self.rows(key))

    async def forget(self, subject_key, event_ids):
        await self.turn("consent_ledger.forget")
        rows = self.documents.rows.get(CONTAINER, {})
        for event_id in event_ids:
            rows.pop((json.dumps(subject_key), event_id), None)
        await self.turn("consent_ledger.forget!")

    async def given(self, purpose_id):
        await self.turn("consent_ledger.given")
        found = {
            row["subject_key"]
            for row in self.documents.bodies(CONTAINER)
            if row["purpose_id"] == purpose_id and row["kind"] == EventKind.GIVEN
        }
        for key in sorted(found):
            yield key

    def rows(self, subject_key):
        """Return the rows of one pseudonym."""
        return [row for row in self.documents.bodies(CONTAINER) if row["subject_key"] == subject_key]


def _event(row):
    known = {name: row[name] for name in ConsentEvent.model_fields if name in row}
    return ConsentEvent.model_validate({**known, "event_id": row["id"]})
