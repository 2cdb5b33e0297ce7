"""What every store of webhooks' bodies must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import Conflict
from shared.domain.webhook_bodies import Receipt, SetAside
from shared.ports.webhooks import StoredReceipt

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def name() -> str:
    """Return the name of a body nobody else sent."""
    return uuid.uuid4().hex * 2


def new(body_id: str, **changes) -> StoredReceipt:
    """Return a receipt that begins."""
    receipt = Receipt(**{"body_id": body_id, "received_at": NOW, "wake_at": NOW, **changes})
    return StoredReceipt(receipt=receipt, etag=None)


async def test_a_body_is_kept_as_it_came_and_once(webhooks):
    """Whatever is in it."""
    body_id = name()
    assert await webhooks.body(body_id) is None
    for _ in range(2):
        await webhooks.keep(body_id, b"\xff\x00{")
    data, came_at = await webhooks.body(body_id)
    assert data == b"\xff\x00{"
    assert body_id in await webhooks.kept_before(came_at + timedelta(seconds=5), limit=1_000)
    assert body_id not in await webhooks.kept_before(came_at - timedelta(days=1), limit=1_000)
    for _ in range(2):
        await webhooks.forget(body_id)
    assert await webhooks.body(body_id) is None


async def test_bodies_are_found_page_by_page_behind_the_last_one(webhooks):
    """By name and each once, though more are kept than one page holds."""
    prefix = uuid.uuid4().hex
    mine = sorted(f"{prefix}{number:032x}" for number in range(5))
    for body_id in reversed(mine):
        await webhooks.keep(body_id, body_id.encode())
    later = (await webhooks.body(mine[-1]))[1] + timedelta(seconds=5)
    found, last = [], prefix
    while page := [one for one in await webhooks.kept_before(later, limit=2, after=last) if one <= mine[-1]]:
        found += page
        last = page[-1]
    assert found == mine
    assert mine[-1] not in await webhooks.kept_before(later, limit=1_000, after=mine[-1])
    for body_id in mine:
        await webhooks.forget(body_id)


async def test_a_receipt_is_read_as_it_was_written(webhooks):
    """And of two workers at one body one gives way."""
    body_id = name()
    assert await webhooks.receipt(body_id) is None
    wanted = new(body_id, next_event=7, counts={"agrees": 6}, set_aside=(SetAside(place=3, code="x"),))
    etag = await webhooks.write(wanted)
    stored = await webhooks.receipt(body_id)
    assert stored == StoredReceipt(receipt=wanted.receipt, etag=etag)
    with pytest.raises(Conflict):
        await webhooks.write(wanted)
    await webhooks.write(stored)
    with pytest.raises(Conflict):
        await webhooks.write(stored)


async def test_staff_see_what_they_have_to_look_at(webhooks):
    """Bodies that could not be read, and those with an event set aside."""
    unreadable, aside, fine = name(), name(), name()
    await webhooks.write(new(unreadable, state="unreadable"))
    await webhooks.write(new(aside, state="done", set_aside=(SetAside(place=0, code="x"),)))
    await webhooks.write(new(fine, state="done"))
    found = {one.body_id for one in await webhooks.to_look_at(limit=1_000)}
    assert {unreadable, aside} <= found
    assert fine not in found
