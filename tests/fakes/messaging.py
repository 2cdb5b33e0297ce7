"""Queue, mail, proofs and alarms in memory, and a clock that tests move."""

from datetime import UTC, datetime, timedelta

from shared.domain.messages import QUEUE_OF
from tests.fakes.turns import Turn, no_turn


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

    async def send(self, messages, *, delay_seconds=0):
        for message in messages:
            await self.turn("queue.send")
            self.sent.append((QUEUE_OF[type(message)], message.model_dump_json().encode(), delay_seconds))
        await self.turn("queue.send!")


class MemoryNotifier:
    """Keeps every mail, and how often each was sent."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.mails: dict[str, object] = {}
        self.times_sent: dict[str, int] = {}

    async def send(self, mail):
        await self.turn("notifier.send")
        self.mails[mail.mail_id] = mail
        self.times_sent[mail.mail_id] = self.times_sent.get(mail.mail_id, 0) + 1
        await self.turn("notifier.send!")


class MemoryEvidence:
    """Keeps the first record of each name."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.records: dict[str, dict] = {}

    async def record(self, name, proof):
        await self.turn("evidence.record")
        self.records.setdefault(name, dict(proof))


class MemoryOperators:
    """Keeps every alarm."""

    def __init__(self):
        self.alarms: list[tuple[str, str | None, str]] = []

    async def alarm(self, code, *, request_id=None, details=""):
        self.alarms.append((code, request_id, details))
