"""Queue, mail, proofs and alarms in memory, and a clock that tests move."""

import json
from datetime import UTC, datetime, timedelta

from shared.domain.errors import NotFound, Retryable
from shared.domain.messages import QUEUE_OF
from shared.domain.times import moment_of
from shared.ports.evidence import ProofPage
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN
from shared.ports.queue import Depth
from tests.fakes.turns import Turn, no_turn

MAIL_CALL_SECONDS = 90  # a call to send ends by then, one way or the other


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)):
        self.moment = start
        self.start = start

    def now(self) -> datetime:
        return self.moment

    def elapsed_seconds(self) -> float:
        return (self.moment - self.start).total_seconds()

    def advance(self, **amount: float) -> None:
        """Move forward, or back with negative amounts."""
        self.moment += timedelta(**amount)


class MemoryQueue:
    """Keeps what was sent as (queue, body, delay in seconds)."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.sent: list[tuple[str, bytes, int]] = []
        self.depths: dict[str, Depth] = {}

    async def send(self, messages, *, delay_seconds=0):
        for message in messages:
            await self.turn("queue.send")
            self.sent.append((QUEUE_OF[type(message)], message.model_dump_json().encode(), delay_seconds))
        await self.turn("queue.send!")

    async def depth(self, queue):
        await self.turn("queue.depth")
        return self.depths.get(queue, Depth(messages=0, oldest_seconds=0.0))


class MemoryNotifier:
    """Keeps every mail, and how often each was sent.

    It gives way, and may fail, before the service has the mail, while nobody knows, and after it went out.
    `faults`: errors of the next calls, as (place, error) with the place one of these turns. A mail is seen
    to be sent `seen_after_seconds` later, as in a real mailbox.
    """

    def __init__(self, turn: Turn = no_turn, clock: TestClock | None = None):
        self.turn = turn
        self.clock = clock or TestClock()
        self.seen_after_seconds = 0
        self.faults: list[tuple[str, Exception]] = []
        self.mails: dict[str, object] = {}
        self.times_sent: dict[str, int] = {}
        self._sent_at: dict[str, datetime] = {}

    async def send(self, mail):
        began = self.clock.now()
        await self._turn("notifier.send", NOT_ACCEPTED)
        await self._turn("notifier.sending", OUTCOME_UNKNOWN)
        if self.clock.now() - began > timedelta(seconds=MAIL_CALL_SECONDS):
            raise Retryable(OUTCOME_UNKNOWN, "too late")  # the adapter's time-out
        self.mails[mail.mail_id] = mail
        self.times_sent[mail.mail_id] = self.times_sent.get(mail.mail_id, 0) + 1
        self._sent_at.setdefault(mail.mail_id, self.clock.now())
        await self._turn("notifier.send!", OUTCOME_UNKNOWN)

    async def was_sent(self, mail_id):
        await self._turn("notifier.was_sent", "mail_unreachable")
        sent_at = self._sent_at.get(mail_id)
        return sent_at is not None and self.clock.now() >= sent_at + timedelta(
            seconds=self.seen_after_seconds
        )

    async def _turn(self, place: str, code: str) -> None:
        if self.faults and self.faults[0][0] == place:
            raise self.faults.pop(0)[1]
        try:
            await self.turn(place)
        except Retryable as error:  # a scheduler's, that knows nothing of mail
            raise Retryable(code, place) from error


class MemoryEvidence:
    """Keeps the first record of each name."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.records: dict[str, dict] = {}

    async def record(self, name, proof):
        await self.turn("evidence.record")
        self.records.setdefault(name, json.loads(json.dumps(dict(proof))))

    async def proofs_since(self, moment, *, cursor, limit):
        await self.turn("evidence.proofs_since")
        names = [name for name in sorted(self.records) if cursor is None or name > cursor]
        page = names[:limit]
        found = [(name, self.records[name]) for name in page]
        proved = tuple(
            (name, proof)
            for name, proof in found
            if (at := moment_of(proof.get("proved_at"))) is not None and at >= moment
        )
        return ProofPage(proofs=proved, cursor=page[-1] if len(names) > limit else None)


class MemoryQuarantine(MemoryEvidence):
    """Keeps records until they are removed, and lists them in pages of two."""

    PER_PAGE = 2

    async def page(self, prefix, *, cursor):
        await self.turn("quarantine.page")
        names = sorted(name for name in self.records if name.startswith(prefix) and name > (cursor or ""))
        shown = tuple(names[: self.PER_PAGE])
        return shown, shown[-1] if len(names) > self.PER_PAGE else None

    async def read(self, name):
        await self.turn("quarantine.read")
        if name not in self.records:
            raise NotFound("quarantine_gone")
        return self.records[name]

    async def remove(self, name):
        await self.turn("quarantine.remove")
        self.records.pop(name, None)


class MemoryOperators:
    """Keeps every alarm and every value."""

    def __init__(self):
        self.alarms: list[tuple[str, str | None, str]] = []
        self.measured: list[tuple[str, float, dict[str, str]]] = []

    async def alarm(self, code, *, request_id=None, details=""):
        self.alarms.append((code, request_id, details))

    def measure(self, metric, value, **labels):
        self.measured.append((metric.name, value, labels))
