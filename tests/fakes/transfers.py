"""Another controller that takes copies, in memory."""

from shared.domain.outbound import parse_target_url
from shared.ports.transfers import Receipt
from tests.fakes.turns import Turn, no_turn


class MemoryTransfers:
    """`received` holds what came, by address; `error` is raised instead of taking anything."""

    def __init__(self, clock, turn: Turn = no_turn):
        self.clock = clock
        self.turn = turn
        self.received: dict[str, bytes] = {}
        self.named: dict[str, tuple[str, str]] = {}
        self.error = None

    def parse(self, url):
        return parse_target_url(url)

    async def send(self, url, chunks, *, size_bytes, content_type, file_name):
        target = self.parse(url)
        await self.turn("transfers.send")
        if self.error is not None:
            raise self.error
        self.received[url] = b"".join([chunk async for chunk in chunks()])
        assert len(self.received[url]) == size_bytes
        self.named[url] = (content_type, file_name)
        await self.turn("transfers.send!")
        return Receipt(status=201, host=target.host, at=self.clock.now())
