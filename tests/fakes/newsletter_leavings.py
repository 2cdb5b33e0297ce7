"""Leavings that were seen at the newsletter processor, in memory, in the container the map reads."""

from shared.domain.newsletter_leavings import Seen
from tests.fakes.turns import Turn, no_turn

CONTAINER = "newsletter_leavings"


class MemoryNewsletterLeavings:
    """The last leaving that was seen of an address in a list; none goes by itself."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def read(self, subject_key, list_id):
        await self.turn("newsletter_leavings.read")
        return next(
            (one for one in self.all() if (one.subject_key, one.list_id) == (subject_key, list_id)), None
        )

    async def write(self, seen):
        await self.turn("newsletter_leavings.write")
        row = {"id": seen.list_id, **seen.model_dump(mode="json")}
        self.documents.put(CONTAINER, "/subject_key", row)
        await self.turn("newsletter_leavings.write!")

    def all(self):
        """Return every one."""
        rows = self.documents.rows.get(CONTAINER, {}).values()
        return [Seen.model_validate({name: body[name] for name in Seen.model_fields}) for _, _, body in rows]
