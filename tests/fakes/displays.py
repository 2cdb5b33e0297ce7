"""Showings of the policy in memory, in the container the map reads."""

from shared.domain.displays import Display
from tests.fakes.turns import Turn, no_turn

CONTAINER = "policy_displays"


class MemoryDisplays:
    """Writes into the documents of a World, so that copies show the rows."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def record(self, display):
        await self.turn("displays.record")
        row = {"id": display.display_id, **display.model_dump(mode="json")}
        if not any(one["id"] == row["id"] for one in self.rows(display.subject_key)):
            self.documents.put(CONTAINER, "/subject_key", row)
        await self.turn("displays.record!")

    async def shown(self, subject_keys):
        await self.turn("displays.shown")
        return tuple(
            Display.model_validate({name: row[name] for name in Display.model_fields})
            for key in dict.fromkeys(subject_keys)
            for row in self.rows(key)
        )

    async def listing(self, *, after, limit):
        await self.turn("displays.listing")
        keys = sorted({row["subject_key"] for row in self.documents.bodies(CONTAINER)})
        found = []
        for key in keys:
            if key > after and len(found) < limit:
                found += await self.shown((key,))
        return tuple(found)

    async def count(self, number, channel):
        await self.turn("displays.count")
        rows = self.documents.bodies(CONTAINER)
        return sum((row["number"], row["channel"]) == (number, channel) for row in rows)

    def rows(self, subject_key):
        """Return the rows of one pseudonym."""
        return [row for row in self.documents.bodies(CONTAINER) if row["subject_key"] == subject_key]
