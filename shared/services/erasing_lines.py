"""Take one person's lines out of shared NDJSON blobs without ever holding a large blob in memory.

A blob is looked through first; only one that holds the person's lines is written anew, block by block, and
the blocks become its content in one step if nobody wrote it meanwhile. Until that step the blob is as it
was, so a worker may die anywhere. Older copies that hold the person's lines are erased whole.
"""

import json
from datetime import date
from typing import Any

from shared.datamap.models import Activity, LineStore
from shared.datamap.treatment import Treated, Verdict, erase_record
from shared.domain.errors import CannotTell, Conflict, NotFound
from shared.domain.outcomes import KeptRecords, summed
from shared.domain.tasks import Task, TaskState
from shared.domain.times import copenhagen_day
from shared.ports.blobs import BlobRef
from shared.services.blob_walk import BlobWalk
from shared.services.context import Context
from shared.services.erasing import ask_again
from shared.services.findings import quarantine
from shared.services.judging import is_within
from shared.services.keeping import as_records, out_of_sight
from shared.services.lines import Line, LineMatcher, read_range
from shared.services.progress import Progress


class LineEraser:
    """The erasure of one store's lines while one message works on it."""

    def __init__(
        self, context: Context, progress: Progress, task: Task, activity: Activity, store: LineStore
    ) -> None:
        self._context = context
        self._progress = progress
        self._task = task
        self._activity = activity
        self._store = store
        self._matcher = LineMatcher(store, context.datamap, progress.request.identifiers)
        state = json.loads(task.cursor) if task.cursor else {}
        self._walk = BlobWalk(context, store, progress.request.identifiers, state.get("walk"))
        self._blob: dict[str, Any] = state.get("blob", {})  # where a large blob's work stands
        if task.counts_only and self._blob.get("step") == "rewrite":
            self._blob = {}  # the claim is of an earlier work on it
        self._today: date = copenhagen_day(context.clock.now())

    async def run(self) -> None:
        """Work until the budget is spent or every blob is done, and note the task."""
        if not self._matcher.can_match:
            self._finish(TaskState.DONE)
            return
        while (blob := await self._walk.current()) is not None:
            if self._task.counts_only and not self._task.claimed:
                break
            self._progress.budget.spend(1)
            try:
                done = await self._work_on(blob)
            except NotFound:
                done = True
            except Conflict:
                self._walk.reread()
                self._blob = {}
                done = False
            except CannotTell as error:
                await self._report(error.code, blob)
                done = True
            if done:
                self._blob = {}
                self._walk.advance()
            if self._progress.budget.is_spent:
                self._finish(TaskState.QUEUED)
                return
        self._finish(TaskState.DONE)

    def _finish(self, state: TaskState) -> None:
        cursor = json.dumps({"walk": self._walk.cursor, "blob": self._blob})
        if state is TaskState.DONE:
            self._task = self._task.unclaimed().with_(counts_only=False)
        self._progress.note(
            self._task.with_(
                cursor=None if state is TaskState.DONE else cursor,
                state=state,
                claimed_until=None,
            )
        )

    async def _report(self, code: str, blob: BlobRef) -> None:
        await quarantine(self._context, self._task, code=code, place=f"{blob.container}/{blob.name}")

    async def _work_on(self, blob: BlobRef) -> bool:
        """Do the next step on one blob; True when it is done."""
        if self._blob.get("etag") not in (None, blob.etag):
            self._blob = {}  # written since its work began: begin again
        if blob.size_bytes <= self._context.limits.read_bytes:
            return await self._small(blob)
        if self._blob.get("step") != "rewrite":
            found = await self._look_through(blob)
            if found is None:
                return False
            self._count_interrupted(blob, found=found)
            if not found or self._task.counts_only:
                return True
            if not self._may_rewrite(blob):
                await self._other_kind(blob)
                return True
            self._blob = {
                "etag": blob.etag,
                "step": "rewrite",
                "offset": 0,
                "blocks": [],
                "lines": 0,
                "kept": [],
            }
            return False
        return await self._rewrite(blob)

    async def _small(self, blob: BlobRef) -> bool:
        data, _ = await read_range(self._context, blob, 0)
        staying, taken, kept = await self._sorted(data, blob)
        self._count_interrupted(blob, found=taken > 0)
        if not taken or self._task.counts_only:
            return True
        if not self._may_rewrite(blob):
            await self._other_kind(blob)
            return True
        name = self._progress.block_id(staying)
        await self._claim(blob, taken, kept)
        await self._context.blobs.stage(blob.container, blob.name, name, staying)
        await self._context.blobs.commit(blob, [name] if staying else [])
        self._done(taken)
        return True

    async def _look_through(self, blob: BlobRef) -> bool | None:
        """Tell whether the blob holds a line to take out; None when the budget ended before its end."""
        offset: int | None = self._blob.get("offset", 0)
        while offset is not None:
            data, following = await read_range(self._context, blob, offset)
            for line in self._matcher.read(data) if self._matcher.may_hold(data) else ():
                if await self._judged(line, blob) is not None:
                    return True
            offset = following
            self._progress.budget.spend(1)
            if offset is not None and self._progress.budget.is_spent:
                self._blob = {"etag": blob.etag, "step": "look", "offset": offset}
                return None
        return False

    async def _rewrite(self, blob: BlobRef) -> bool:
        offset: int | None = self._blob["offset"]
        while offset is not None:
            data, following = await read_range(self._context, blob, offset)
            staying, taken, kept = await self._sorted(data, blob)
            if staying:
                name = self._progress.block_id(staying)
                await self._context.blobs.stage(blob.container, blob.name, name, staying)
                self._blob["blocks"].append(name)
            self._blob["lines"] += taken
            so_far = (KeptRecords.model_validate(one) for one in self._blob["kept"])
            self._blob["kept"] = [one.model_dump(mode="json") for one in summed((*so_far, *kept))]
            self._blob["offset"] = offset = following
            self._progress.budget.spend(1)
            if offset is not None and self._progress.budget.is_spent:
                return False
        stays = tuple(KeptRecords.model_validate(one) for one in self._blob["kept"])
        await self._claim(blob, self._blob["lines"], stays)
        await self._context.blobs.commit(blob, self._blob["blocks"])
        self._done(self._blob["lines"])
        return True

    def _done(self, lines: int) -> None:
        self._task = self._task.settled(self._task.claimed).with_(records=self._task.records + lines)

    async def _claim(self, blob: BlobRef, lines: int, kept: tuple[KeptRecords, ...]) -> None:
        """Write down how many lines go, then ask a last time whether they may."""
        cursor = json.dumps({"walk": self._walk.cursor, "blob": {}})
        task = self._task.with_(cursor=cursor)
        name = f"{lines}:{blob.name}"
        self._task = await self._progress.claim(task, (name,), {name: kept})
        await ask_again(self._context, self._progress.request, self._activity)

    def _count_interrupted(self, blob: BlobRef, *, found: bool) -> None:
        """Count what a worker before us took out of this blob and could not count.

        While lines are found its claim stays: that worker may be slow and not dead.
        """
        for name in self._task.claimed:
            lines, _, claimed_blob = name.partition(":")
            if claimed_blob == blob.name and blob.is_current and not found:
                self._done(int(lines))

    async def _sorted(self, data: bytes, blob: BlobRef) -> tuple[bytes, int, tuple[KeptRecords, ...]]:
        """Return the bytes that stay, how many lines were taken out or cut down, and what stays of those."""
        if not self._matcher.may_hold(data):
            return data, 0, ()
        staying: list[bytes] = []
        taken = 0
        kept: list[KeptRecords] = []
        for line in self._matcher.read(data):
            treated = await self._judged(line, blob)
            if treated is None:
                staying.append(line.raw)
                continue
            taken += 1
            if treated.record is not None:
                text = json.dumps(treated.record, ensure_ascii=False, separators=(",", ":"))
                staying.append(text.encode() + b"\n")
                identifiers = self._progress.request.identifiers
                unseen = out_of_sight(
                    self._store, treated, self._context.datamap, identifiers, today=self._today
                )
                kept.extend(as_records(self._store.id, unseen))
        return b"".join(staying), taken, summed(kept)

    async def _judged(self, line: Line, blob: BlobRef) -> Treated | None:
        """Return what to do to a line, or None when it stays as it is."""
        if line.unreadable:
            await self._report("line_unreadable", blob)
        if line.record is None or not is_within(self._progress.request.scope, self._store, line.record):
            return None
        treated = erase_record(line.record, self._store.fields, today=self._today)
        if treated.verdict is Verdict.UNDECIDABLE:
            await self._report(treated.problem or "undecidable", blob)
            return None
        return None if treated.verdict is Verdict.KEEP else treated

    def _may_rewrite(self, blob: BlobRef) -> bool:
        return blob.is_current and blob.is_block_blob

    async def _other_kind(self, blob: BlobRef) -> None:
        """Erase an older copy whole; report a blob that cannot be rewritten in one step."""
        if blob.is_current:
            await self._report("not_a_block_blob", blob)
            return
        await ask_again(self._context, self._progress.request, self._activity)
        await self._context.blobs.erase(blob)
