"""Requests in memory, with the ETags and the all-or-nothing batches of the real store."""

from datetime import datetime

from shared.domain.case_documents import Finding, LetterDocument, Part
from shared.domain.cases import DOCUMENT_TYPES, AnyDocument, SubjectRequest
from shared.domain.errors import Conflict, Invalid, NotFound
from shared.domain.tasks import Task
from shared.domain.times import utc_text
from shared.ports.cases import Case, CasePage, CaseRow
from tests.fakes.turns import Turn, no_turn

_MOST_OPERATIONS = 100
_REQUEST = "request"


class MemoryCases:
    """Documents are kept as JSON, as the real store keeps them."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.partitions: dict[str, dict[str, tuple[str, dict]]] = {}
        self._writes = 0

    async def load(self, request_id):
        await self.turn("cases.load")
        rows = self.partitions.get(request_id, {})
        documents = [_read(row) for _, row in rows.values()]
        request = next((one for one in documents if isinstance(one, SubjectRequest)), None)
        if request is None:
            raise NotFound("request_unknown")
        return Case(
            request=request,
            tasks=tuple(one for one in documents if isinstance(one, Task)),
            letters=tuple(one for one in documents if isinstance(one, LetterDocument)),
            findings=tuple(one for one in documents if isinstance(one, Finding)),
            etags={name: etag for name, (etag, _) in rows.items()},
        )

    async def commit(self, request_id, writes, deletes=()):
        await self.turn("cases.commit")
        assert len(writes) + len(deletes) <= _MOST_OPERATIONS, "the service refuses larger batches"
        rows = self.partitions.get(request_id, {})
        for write in writes:
            old = rows.get(write.document.id)
            if (old is None) != (write.etag is None) or (old and old[0] != write.etag):
                raise Conflict("changed_meanwhile", "cases.commit")
        if any(name not in rows for name in deletes):
            raise Conflict("changed_meanwhile", "cases.commit")
        rows = self.partitions.setdefault(request_id, {})
        etags = {}
        for write in writes:
            self._writes += 1
            etags[write.document.id] = f'"{self._writes}"'
            rows[write.document.id] = (etags[write.document.id], write.document.model_dump(mode="json"))
        for name in deletes:
            del rows[name]
        if not rows:
            del self.partitions[request_id]
        await self.turn("cases.commit!")
        return etags

    async def parts(self, request_id, *, cursor):
        await self.turn("cases.parts")
        documents = [_read(row) for _, row in self.partitions.get(request_id, {}).values()]
        found = sorted((one for one in documents if isinstance(one, Part)), key=lambda part: part.id)
        if cursor is not None and not cursor.isdecimal():
            raise Invalid("cursor_invalid", field="cursor")
        start = int(cursor or 0)
        following = start + 2
        return tuple(found[start:following]), str(following) if following < len(found) else None

    async def waking(self, now: datetime, *, limit: int):
        await self.turn("cases.waking")
        found = [
            request_id
            for request_id, rows in self.partitions.items()
            if (wake_at := rows["request"][1]["wake_at"]) is not None and wake_at <= utc_text(now)
        ]
        return tuple(found[:limit])

    async def of_person(self, subject_keys):
        await self.turn("cases.of_person")
        return tuple(
            request_id
            for request_id, rows in self.partitions.items()
            if set(rows["request"][1]["subject_keys"]) & set(subject_keys)
        )

    async def listing(
        self, *, states=(), attention=None, closed_since=None, subject_keys=None, cursor, limit
    ):
        await self.turn("cases.listing")
        found = [self.request(request_id) for request_id in self.partitions]
        found = [
            one
            for one in found
            if (not states or one.state in states)
            and (attention is None or one.attention == attention)
            and (closed_since is None or (one.closed_at is not None and one.closed_at >= closed_since))
            and (subject_keys is None or set(one.subject_keys) & set(subject_keys))
        ]
        if cursor is not None and not cursor.isdecimal():
            raise Invalid("cursor_invalid", field="cursor")
        start = int(cursor or 0)
        page = found[start : start + limit]
        rows = tuple(_row(one) for one in page)
        return CasePage(rows=rows, cursor=str(start + limit) if start + limit < len(found) else None)

    async def closed_before(self, until, *, cursor, limit):
        await self.turn("cases.closed_before")
        found = sorted(
            request_id
            for request_id, rows in self.partitions.items()
            if _REQUEST in rows
            and (rows[_REQUEST][1]["closed_at"] or "~") < until
            and rows[_REQUEST][1]["wake_at"] is None
            and request_id > (cursor or "")
        )
        return tuple(found[:limit]), found[limit - 1] if len(found) > limit else None

    async def document_ids(self, request_id):
        await self.turn("cases.document_ids")
        return tuple(self.partitions.get(request_id, {}))

    async def events(self, request_id):
        await self.turn("cases.events")
        rows = sorted(self.partitions.get(request_id, {}).items())
        return tuple(_read(row) for name, (_, row) in rows if name.startswith("event-"))

    def request(self, request_id: str) -> SubjectRequest:
        """Return a request without giving way, for assertions."""
        found = _read(self.partitions[request_id]["request"][1])
        assert isinstance(found, SubjectRequest)
        return found

    def what_happened(self, request_id: str) -> list[str]:
        """Return what the audit entries say happened, in order."""
        rows = sorted(name for name in self.partitions[request_id] if name.startswith("event-"))
        return [self.partitions[request_id][name][1]["what"] for name in rows]


def _row(one: SubjectRequest) -> CaseRow:
    same = {name: getattr(one, name) for name in CaseRow.__dataclass_fields__ if name != "question_open"}
    is_asked = one.closed_at is None and any(asked.answered_at is None for asked in one.questions)
    return CaseRow(**same, question_open=is_asked)


def _read(row: dict) -> AnyDocument:
    return DOCUMENT_TYPES[row["type"]].model_validate(row)
