"""Warnings of members in memory, in the container the map reads."""

from shared.domain.errors import Conflict
from shared.domain.membership_warnings import MembershipWarning
from shared.ports.membership_warnings import StoredWarning
from tests.fakes.turns import Turn, no_turn

CONTAINER = "membership_warnings"


class MemoryMembershipWarnings:
    """Writes into the documents of a World; guarded by content."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def read(self, subject_key, warning_id):
        await self.turn("membership_warnings.read")
        return self._stored(subject_key, warning_id)

    async def write(self, stored):
        await self.turn("membership_warnings.write")
        old = self._stored(stored.warning.subject_key, stored.warning.warning_id)
        if (old.etag if old else None) != stored.etag:
            raise Conflict("changed_meanwhile", "membership_warnings.write")
        body = {"id": stored.warning.warning_id, **stored.warning.model_dump(mode="json")}
        self.documents.put(CONTAINER, "/subject_key", body)
        await self.turn("membership_warnings.write!")
        return stored.warning.model_dump_json()

    def all(self):
        """Return every warning."""
        return [
            MembershipWarning.model_validate({name: row[name] for name in MembershipWarning.model_fields})
            for row in self.documents.bodies(CONTAINER)
        ]

    def _stored(self, subject_key, warning_id):
        for one in self.all():
            if (one.subject_key, one.warning_id) == (subject_key, warning_id):
                return StoredWarning(warning=one, etag=one.model_dump_json())
        return None
