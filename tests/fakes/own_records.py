"""Rows of our own in memory, in the same containers the map reads."""

from tests.fakes.turns import Turn, no_turn


class MemoryOwnRecords:
    """Writes into the documents of a World, so that copies show the rows."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def put(self, container, row):
        await self.turn("own_records.put")
        self.documents.put(container, "/subject_key", dict(row))
        await self.turn("own_records.put!")

    async def add(self, container, row):
        await self.turn("own_records.add")
        for body in self.documents.bodies(container):
            if (body["id"], body["subject_key"]) == (row["id"], row["subject_key"]):
                return dict(body)
        self.documents.put(container, "/subject_key", dict(row))
        await self.turn("own_records.add!")
        return row
