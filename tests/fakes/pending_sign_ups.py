"""Unconfirmed newsletter sign-ups in memory, guarded by ETags, in the container the map reads."""

from shared.domain.errors import Conflict
from shared.domain.sign_ups import PendingSignUp
from shared.ports.pending_sign_ups import StoredSignUp
from tests.fakes.turns import Turn, no_turn

CONTAINER = "pending_sign_ups"


class MemoryPendingSignUps:
    """Sign-ups by id."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn

    async def read(self, sign_up_id):
        await self.turn("pending_sign_ups.read")
        return self._now(sign_up_id)

    async def write(self, stored):
        await self.turn("pending_sign_ups.write")
        sign_up = stored.sign_up
        now = self._now(sign_up.sign_up_id)
        if (now and now.etag) != stored.etag:
            raise Conflict("changed_meanwhile", CONTAINER)
        row = {"id": sign_up.sign_up_id, **sign_up.model_dump(mode="json", exclude={"sign_up_id"})}
        self.documents.put(CONTAINER, "/id", row)
        await self.turn("pending_sign_ups.write!")
        return self._now(sign_up.sign_up_id)

    async def remove(self, sign_up_id):
        await self.turn("pending_sign_ups.remove")
        rows = self.documents.rows.get(CONTAINER, {})
        for key in [one for one in rows if one[1] == sign_up_id]:
            del rows[key]
        await self.turn("pending_sign_ups.remove!")

    async def waking(self, now, *, limit):
        await self.turn("pending_sign_ups.waking")
        return [one for one in self.all() if one.sign_up.wake_at <= now][:limit]

    def all(self):
        """Return every sign-up."""
        rows = self.documents.rows.get(CONTAINER, {}).values()
        return [_stored(body, version) for _, version, body in rows]

    def _now(self, sign_up_id):
        return next((one for one in self.all() if one.sign_up.sign_up_id == sign_up_id), None)


def _stored(body, version):
    known = {name: body[name] for name in PendingSignUp.model_fields if name in body}
    return StoredSignUp(
        sign_up=PendingSignUp.model_validate({**known, "sign_up_id": body["id"]}), etag=str(version)
    )
