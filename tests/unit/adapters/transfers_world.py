"""A copy on its way to another controller, and the names and addresses it may meet."""

import asyncio

import pytest

from shared.domain.errors import ComplianceError
from shared.ports.packages import Content
from tests.fakes.receiver import NAME

DATA = bytes(range(256)) * 4_000


class Resolver:
    """Answers with one list after the other, the last one for ever; counts how often it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def content(data=DATA, *, size_bytes=None, pause_seconds=0.0):
    """Return bytes in blocks of 64 KiB."""

    async def chunks():
        for offset in range(0, len(data), 65_536):
            await asyncio.sleep(pause_seconds)
            yield data[offset : offset + 65_536]

    return Content(size_bytes=len(data) if size_bytes is None else size_bytes, chunks=chunks)


async def sent(adapter, url, found=None):
    """Send a copy."""
    found = found or content()
    return await adapter.send(
        url,
        found.chunks,
        size_bytes=found.size_bytes,
        content_type="application/zip",
        file_name="copy.zip",
    )


async def refused(adapter, url, found=None) -> ComplianceError:
    """Send a copy and return the error, which has to keep silent about where and what."""
    with pytest.raises(ComplianceError) as caught:
        await sent(adapter, url, found)
    for secret in (NAME, "controller", "inbox", "someone", "127.0.0.1"):
        assert secret not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value
