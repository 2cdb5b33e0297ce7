"""The copy of a person's data, from the form to the file."""

import csv
import hashlib
import io
import json

import pytest

from shared.domain.errors import NotAllowed, NotFound
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import downloads, intake
from shared.services.links import CANCEL, PACKAGE
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import (
    ask,
    deliver,
    fulfil,
    handle,
    letters,
    marked,
    opened,
    stored,
    token,
    traces,
)

SMALL = Limits(page_documents=2, page_keys=2, read_bytes=120, message_documents=3, lanes=2, blobs_per_page=1)


def _world(**changes) -> tuple[World, dict[str, str], dict[str, str]]:
    world = World(**changes)
    return world, world.add_person("ane"), world.add_person("bo")


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("limits", [Limits(), SMALL], ids=["one message", "many messages"])
async def test_a_copy_holds_all_of_the_person_s_data_and_nobody_else_s(limits):
    """Documents, elements, lines and files, however the work was cut."""
    world, ane, bo = _world(limits=limits)
    request_id = await fulfil(world, "Ane@People.Example", Right.ACCESS)
    files = opened(world, request_id)
    request = world.cases.request(request_id)
    assert request.state is RequestState.COMPLETED
    assert request.outcomes[Right.ACCESS].by_store == {
        "people": 1,
        "events": 3,
        "invoices": 1,
        "teams": 1,
        "log": 2,
        "files": 1,
    }
    everything = b"\n".join(files.values()).decode("utf-8", "replace")
    for name, mark in ane.items():
        assert mark.lower() in everything.lower(), name
    assert not marked(everything + str(sorted(files)), list(bo.values()))


async def test_a_copy_is_complete_readable_and_countable():
    """Page, data for machines, and a list of every file with its hash."""
    world, ane, _ = _world(limits=SMALL)
    files = opened(world, await fulfil(world, ane["email"], Right.ACCESS))
    assert files["index.html"].startswith(b"<!DOCTYPE html>")
    manifest = json.loads(files["manifest.json"])
    listed = {entry["name"]: entry["sha256"] for entry in manifest["entries"]}
    assert set(listed) == set(files) - {"manifest.json"}
    assert all(hashlib.sha256(files[name]).hexdigest() == digest for name, digest in listed.items())
    events = [
        record
        for name in sorted(files)
        if name.startswith("data/events/") and name.endswith(".json")
        for record in json.loads(files[name])
    ]
    assert sorted(event["id"] for event in events) == ["e-ane-0", "e-ane-1", "e-ane-2"]
    table = next(files[name] for name in files if name.startswith("data/log/") and name.endswith(".csv"))
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert rows[0]["/user_id"] == ane["user_id"]
    assert [files[name] for name in files if name.endswith("cv.txt")] == [f"by {ane['name']}".encode()]


@pytest.mark.clause("4.2")
async def test_somebody_without_data_gets_a_copy_that_says_so():
    """In the same form: an archive, a letter, an end."""
    world, _, _ = _world()
    request_id = await fulfil(world, "nobody@people.example", Right.ACCESS)
    outcome = world.cases.request(request_id).outcomes[Right.ACCESS]
    assert (outcome.result, outcome.records) == ("nothing_held", 0)
    assert {"index.html", "manifest.json"} <= set(opened(world, request_id))
    assert set(letters(world, request_id)) == {"letter-verify-0", "letter-package_ready-0"}


async def test_what_was_left_out_of_shared_records_is_said():
    """Two other people are in the team."""
    world, ane, _ = _world()
    world.add_person("carl")
    files = opened(world, await fulfil(world, ane["email"], Right.ACCESS))
    about = json.loads(files["about.json"])
    assert "other people's data" in json.dumps(about)
    (rows,) = [
        json.loads(data) for name, data in files.items() if name.startswith("data/teams/") and ".json" in name
    ]
    assert rows[0]["_redacted"] == [{"path": "/people", "reason": "other people's data"}]


async def test_a_line_that_cannot_be_read_is_named_and_told_to_an_operator():
    """The rest of the copy is made; nothing is passed over in silence."""
    world, ane, _ = _world()
    broken = b'{"user_id": "user-ane", "what": \n'
    data = world.blobs.current["log", "2026/01.ndjson"][1]
    world.blobs.put("log", "2026/01.ndjson", broken + data)
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    assert world.cases.request(request_id).outcomes[Right.ACCESS].by_store["log"] == 2
    assert "could not be read" in opened(world, request_id)["index.html"].decode()
    assert [alarm for alarm in world.operators.alarms if alarm[0] == "record_undecidable"]


async def test_a_copy_is_fetched_by_its_link_and_the_link_notes_it():
    """Once noted, the first time stays."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    assert await downloads.find_copy(world.context, request_id, key)
    assert world.cases.request(request_id).package.downloaded_at is None
    url = await downloads.download_url(world.context, request_id, key)
    assert not marked(url, list(ane.values()))
    first = world.cases.request(request_id).package.downloaded_at
    world.clock.advance(hours=1)
    await downloads.download_url(world.context, request_id, key)
    assert world.cases.request(request_id).package.downloaded_at == first


@pytest.mark.parametrize("wrong", [None, "", "1.x"])
async def test_a_copy_is_not_fetched_without_its_token(wrong):
    """Nor with that of another purpose or another copy."""
    world, ane, bo = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    other = await fulfil(world, bo["email"], Right.ACCESS)
    for key in (wrong, token(world, request_id, CANCEL), token(world, other, PACKAGE)):
        for call in (downloads.download_url, downloads.delete_copy, downloads.find_copy):
            with pytest.raises(NotAllowed):
                await call(world.context, request_id, key)
    assert world.cases.request(request_id).package.downloaded_at is None


@pytest.mark.parametrize(("seconds", "there"), [(-1, True), (0, True), (1, False)])
async def test_a_copy_can_be_fetched_through_its_last_second(seconds, there):
    """Below, at and above; the sweep then deletes it."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    world.clock.moment = world.cases.request(request_id).package.expires_at
    world.clock.advance(seconds=seconds)
    if there:
        assert await downloads.download_url(world.context, request_id, key)
        return
    with pytest.raises(NotAllowed):
        await downloads.download_url(world.context, request_id, key)
    assert await sweep(world.context) == 1
    assert world.packages.contents == {}
    assert not (await intake.status(world.context, request_id)).copy_available
    assert await sweep(world.context) == 0


async def test_a_copy_deleted_by_its_person_is_gone():
    """A second deletion and a fetch find it gone."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    await downloads.delete_copy(world.context, request_id, key)
    assert world.packages.contents == {}
    for call in (downloads.download_url, downloads.delete_copy, downloads.find_copy):
        with pytest.raises(NotFound) as caught:
            await call(world.context, request_id, key)
        assert caught.value.code == "package_gone"


async def test_making_a_copy_changes_no_system_of_record():
    """Reading leaves no trace."""
    world, ane, bo = _world(limits=SMALL)
    before = traces(world, ane), traces(world, bo), dict(world.blobs.current)
    await fulfil(world, ane["email"], Right.ACCESS)
    assert before == (traces(world, ane), traces(world, bo), dict(world.blobs.current))


async def test_a_closed_copy_request_holds_no_personal_data():
    """Address, identifiers and page marks are gone; the parts of the archive, too."""
    world, ane, _ = _world(limits=SMALL)
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    text = stored(world, request_id)
    assert not marked(text, list(ane.values()))
    assert '"type": "part"' not in text


async def test_a_copy_withdrawn_while_it_is_made_is_not_published():
    """And its blocks are dropped."""
    world, ane, _ = _world(limits=SMALL)
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, until="request-finish")
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert world.packages.contents == {}
    assert world.packages.staged == {}
    assert not marked(stored(world, request_id), list(ane.values()))


async def test_messages_delivered_twice_make_one_copy():
    """The same archive, one letter."""
    world, ane, _ = _world(limits=SMALL)
    request_id = await ask(world, ane["email"], Right.ACCESS)
    for _ in range(400):
        if not world.queue.sent:
            break
        first = world.queue.sent[0]
        world.queue.sent.insert(0, first)
        for queue, body, _ in (world.queue.sent.pop(0), world.queue.sent.pop(0)):
            await handle(world, queue, body)
    assert world.cases.request(request_id).state is RequestState.COMPLETED
    assert set(letters(world, request_id)) == {"letter-verify-0", "letter-package_ready-0"}
    files = opened(world, request_id)
    assert len([name for name in files if name.startswith("data/events/") and name.endswith(".json")]) == 2
