"""How a lane saves its work: reading is buffered and may be redone, destroying is written down first.

Task updates and parts of a copy are collected and committed together, so a person with little data costs
few writes. Before anything is erased, the task is saved with a claim that names what will go; a worker
that dies in between leaves a count that can still be completed.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from shared.domain.case_documents import Block, Part
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict, Retryable
from shared.domain.outcomes import KeptRecords
from shared.domain.tasks import Task, TaskState
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.meter import Spent
from shared.rendering import archive
from shared.services.context import Context
from shared.services.reading_ahead import Ahead

_SECTION_BYTES = 1024 * 1024  # entries of a copy are staged once they come to this
_MOST_WRITES = 40  # noted before they are saved; a batch takes 100


class TaskTakenError(Exception):
    """Another worker has changed one of the lane's tasks: leave them to it."""


class Budget:
    """How much one message may still do."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._until = context.clock.elapsed_seconds() + context.limits.message_seconds
        self._documents = context.limits.message_documents

    def spend(self, documents: int) -> None:
        """Count work done."""
        self._documents -= documents

    @property
    def is_spent(self) -> bool:
        """Whether the message should stop and send itself again."""
        return self._documents <= 0 or self._clock.elapsed_seconds() >= self._until


class Progress:
    """The tasks of one lane while one message works on them."""

    def __init__(self, context: Context, case: Case, spent: Spent | None = None) -> None:
        self._context = context
        self._spent = spent
        self.request: SubjectRequest = case.request
        self._etags = dict(case.etags)
        self._tasks: dict[str, Task] = {task.id: task for task in case.tasks}
        self._changed: dict[str, None] = {}
        self._parts: list[Part] = []
        self._entries: list[tuple[str, bytes]] = []
        self._entry_bytes = 0
        self._leased: set[str] = set()
        self.budget = Budget(context)
        self.ahead = Ahead()

    @property
    def written_at(self) -> datetime:
        """The time stamped on archive entries: the same at every attempt."""
        return self.request.begun_at or self.request.received_at

    def task(self, task_id: str) -> Task:
        """Return a task as this lane last left it."""
        return self._tasks[task_id]

    def note(self, task: Task) -> None:
        """Remember a task's new state; it is saved with the next flush. What was charged is its cost."""
        if self._spent is not None:
            task = task.with_(request_units=task.request_units + self._spent.take())
        self._tasks[task.id] = task
        self._changed[task.id] = None

    async def claim(
        self,
        task: Task,
        records: tuple[str, ...],
        kept: Mapping[str, tuple[KeptRecords, ...]] = MappingProxyType({}),
        *,
        page: int = 0,
    ) -> Task:
        """Save, before they go, which records the task is about to erase or rewrite.

        `kept`: by those names, what will stay of a record and be found no more. `page`: of how many they
        were chosen.

        Raises:
            TaskTakenError: another worker has the task; leave it.
        """
        until = after(self._context.clock.now(), seconds=self._context.limits.lease_seconds)
        claimed = task.with_(
            state=TaskState.RUNNING,
            claimed_until=until,
            claimed=records,
            claimed_kept=dict(kept),
            claimed_page=page,
        )
        self.note(claimed)
        claimed = self._tasks[task.id]
        await self.flush()
        self._leased.add(task.id)
        return claimed

    async def let_go(self) -> None:
        """Give back the leases of tasks at which the work failed, so that the next delivery meets none.

        Otherwise every redelivery would leave the work to the one that failed, and a failure that lasts
        would never reach the poison queue. The names of what was to go stay, so that it can be counted.
        """
        tasks = [self._tasks[name] for name in sorted(self._leased)]
        free = [
            task if task.claimed_until is None else task.with_(state=TaskState.QUEUED, claimed_until=None)
            for task in tasks
        ]
        writes = [Write(document=task, etag=self._etags[task.id]) for task in free]
        if not writes:
            return
        try:
            await self._context.cases.commit(self.request.request_id, writes)
        except (Conflict, Retryable):
            return  # the lease ends by itself

    async def add_entries(self, entries: list[tuple[str, bytes]]) -> None:
        """Add archive entries to the copy, staging a block when enough have come together."""
        self._entries.extend(entries)
        self._entry_bytes += sum(len(data) for _, data in entries)
        if self._entry_bytes >= _SECTION_BYTES:
            await self._stage_entries()

    async def add_part(self, blocks: list[Block], members: list[archive.Member]) -> None:
        """Add blocks that are staged already."""
        names = "".join(block.block_id for block in blocks)
        self._parts.append(
            Part(
                id=f"part-{self.request.runs:04d}-{hashlib.sha256(names.encode()).hexdigest()[:32]}",
                request_id=self.request.request_id,
                blocks=tuple(blocks),
                members=tuple(member.to_json() for member in members),
            )
        )

    async def stage(self, data: bytes) -> Block:
        """Stage one block of the copy, named by its content: a twin cannot replace it with other bytes."""
        block_id = self.block_id(data)
        await self._context.packages.stage(self.request.copy_id, block_id, data)
        return Block(block_id=block_id, size_bytes=len(data))

    @staticmethod
    def block_id(data: bytes) -> str:
        """Return the name of a block: its content's hash, all of one length."""
        return hashlib.sha256(data).hexdigest()[:40]

    async def flush(self) -> None:
        """Save everything noted, in one batch.

        Raises:
            TaskTakenError: another worker changed one of the tasks; nothing was saved, leave them.
        """
        if self._entries:
            await self._stage_entries()
        writes = [Write(document=self._tasks[name], etag=self._etags.get(name)) for name in self._changed]
        writes += [Write(document=part, etag=None) for part in self._parts]
        if not writes:
            return
        try:
            self._etags.update(await self._context.cases.commit(self.request.request_id, writes))
        except Conflict as error:
            raise TaskTakenError from error
        self._changed.clear()
        self._parts.clear()

    async def flush_when_full(self) -> None:
        """Save when much has been noted."""
        if len(self._changed) + len(self._parts) >= _MOST_WRITES:
            await self.flush()

    async def _stage_entries(self) -> None:
        made = archive.block(self._entries, written_at=self.written_at)
        block = await self.stage(made.data)
        await self.add_part([block], list(made.members))
        self._entries.clear()
        self._entry_bytes = 0
