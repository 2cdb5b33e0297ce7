"""Clocks of last use in memory, in the container the map reads."""

import hashlib

from shared.domain.activity import ActivityClock
from shared.domain.errors import Conflict
from shared.ports.activity import StoredClock
from tests.fakes.turns import Turn, no_turn

CONTAINER = "activity_clocks"


class MemoryActivityClocks:
    """Writes into the documents of a World, so that copies and erasures find the rows; guarded by content."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn
        self.writes = 0

    async def read(self, subject_keys):
        await self.turn("activity.read")
        wanted = set(subject_keys)
        return tuple(
            StoredClock(clock=clock, etag=clock.model_dump_json())
            for clock in self.clocks()
            if clock.subject_key in wanted
        )

    async def write(self, stored):
        await self.turn("activity.write")
        there = {_id(one): one.model_dump_json() for one in self.clocks()}
        if there.get(_id(stored.clock)) != stored.etag:
            raise Conflict("changed_meanwhile", "activity.write")
        self.writes += 1
        body = {"id": _id(stored.clock), **stored.clock.model_dump(mode="json")}
        self.documents.put(CONTAINER, "/subject_key", body)
        await self.turn("activity.write!")

    def clocks(self):
        """Return every clock."""
        return [
            ActivityClock.model_validate({name: row[name] for name in ActivityClock.model_fields})
            for row in self.documents.bodies(CONTAINER)
        ]


def _id(clock):
    text = f"{clock.subject_key}\n{clock.installation_id}\n{clock.customer_id}"
    return hashlib.sha256(text.encode()).hexdigest()
