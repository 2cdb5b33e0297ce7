"""Open changes for the newsletter processor in memory, guarded by ETags, in the container the map reads."""

from shared.domain.errors import Conflict
from shared.domain.newsletter_changes import NewsletterChange
from shared.ports.newsletter_changes import StoredChange
from tests.fakes.turns import Turn, no_turn

CONTAINER = "newsletter_changes"


class MemoryNewsletterChanges:
    """One open change for an address in a list."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def read(self, subject_key, list_id):
        await self.turn("newsletter_changes.read")
        for stored in self.all():
            if (stored.change.subject_key, stored.change.list_id) == (subject_key, list_id):
                return stored
        return None

    async def write(self, stored):
        await self.turn("newsletter_changes.write")
        self._check(stored)
        row = {"id": stored.change.change_id, **stored.change.model_dump(mode="json")}
        self.documents.put(CONTAINER, "/subject_key", row)
        etag = self._now(stored).etag
        await self.turn("newsletter_changes.write!")
        return etag

    async def close(self, stored):
        await self.turn("newsletter_changes.close")
        if self._now(stored) is not None:
            self._check(stored)
            rows = self.documents.rows[CONTAINER]
            del rows[next(key for key in rows if self._is_at(rows[key][2], stored))]
        await self.turn("newsletter_changes.close!")

    async def waking(self, now, *, limit):
        await self.turn("newsletter_changes.waking")
        due = [one for one in self.all() if not one.change.attention and one.change.wake_at <= now]
        return due[:limit]

    async def waiting_for_staff(self, *, limit):
        await self.turn("newsletter_changes.waiting_for_staff")
        return [one for one in self.all() if one.change.attention][:limit]

    def all(self):
        """Return every open change."""
        rows = self.documents.rows.get(CONTAINER, {}).values()
        return [StoredChange(change=_change(body), etag=str(version)) for _, version, body in rows]

    def _now(self, stored):
        rows = self.documents.rows.get(CONTAINER, {}).values()
        found = [
            StoredChange(change=_change(body), etag=str(version))
            for _, version, body in rows
            if self._is_at(body, stored)
        ]
        return found[0] if found else None

    def _check(self, stored):
        now = self._now(stored)
        if (now and now.etag) != stored.etag:
            raise Conflict("changed_meanwhile", "newsletter_changes")

    @staticmethod
    def _is_at(body, stored):
        return (body["id"], body["subject_key"]) == (stored.change.change_id, stored.change.subject_key)


def _change(body):
    return NewsletterChange.model_validate({name: body[name] for name in NewsletterChange.model_fields})
