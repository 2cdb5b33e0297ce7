"""Shared NDJSON blobs and a person's own files: rewritten, erased, reported."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services.attention import retry
from shared.services.lines import LineMatcher
from tests.factories import World, small_map
from tests.unit.services.driving import ask, deliver, fulfil, stored, traces

LOG = ("log", "2026/01.ndjson")
MINE = b'{"user_id":"user-ane","what":"x"}\n'
OTHER = b'{"user_id": "user-bo",  "what": "y", "odd": [1.0, "\\u00e5"]}\n'


def _world(data: bytes = b"", **changes) -> tuple[World, dict[str, str]]:
    world = World(**changes)
    ane = world.add_person("ane")
    if data:
        world.blobs.put(*LOG, data)
    return world, ane


def _log(world: World) -> bytes:
    return world.blobs.current[LOG][1]


@pytest.mark.parametrize("read_bytes", [64, 120, 4 * 1024 * 1024])
@pytest.mark.parametrize("message_documents", [1, 3, 5_000])
async def test_a_blob_is_rewritten_without_the_person_and_others_stay_byte_for_byte(
    read_bytes, message_documents
):
    """Read at once or in ranges, in one message or many."""
    others = [OTHER, b"\n", b'{"user_id":"user-carl"}\r\n', b"   \n", OTHER]
    data = b"".join(line + MINE for line in others * 5) + b'{"user_id":"user-bo","end":"no line end"}'
    limits = Limits(read_bytes=read_bytes, message_documents=message_documents, lanes=1)
    world, ane = _world(data, limits=limits)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert _log(world) == data.replace(MINE, b"")
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["log"] == 25


async def test_no_more_of_a_blob_is_read_at_once_than_allowed():
    """Memory does not grow with the blob."""
    world, ane = _world((OTHER + MINE) * 400, limits=Limits(read_bytes=200))
    lengths = []
    read = world.blobs.read

    async def noted(blob, *, offset, length):
        data = await read(blob, offset=offset, length=length)
        lengths.append(len(data))
        return data

    world.blobs.read = noted
    await fulfil(world, ane["email"], Right.ERASURE)
    assert max(lengths) <= 200
    assert _log(world) == OTHER * 400


async def test_a_blob_with_the_person_s_lines_only_is_left_empty():
    """Its name may be another system's."""
    world, ane = _world(MINE * 3)
    await fulfil(world, ane["email"], Right.ERASURE)
    assert _log(world) == b""


async def test_a_blob_without_the_person_is_not_written():
    """Its ETag stays, and so do everybody's caches."""
    world, ane = _world()
    world.blobs.put("log", "other.ndjson", OTHER * 50)
    before = world.blobs.current["log", "other.ndjson"]
    await fulfil(world, ane["email"], Right.ERASURE)
    assert world.blobs.current["log", "other.ndjson"] == before


async def test_older_copies_that_hold_the_person_are_erased_and_others_stay():
    """Snapshots bring erased lines back otherwise."""
    world, ane = _world(OTHER)
    world.blobs.snapshot(*LOG)
    world.blobs.put(*LOG, OTHER + MINE)
    world.blobs.snapshot(*LOG)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert [data for key, data in world.blobs.copies.items() if key[:2] == LOG] == [OTHER]
    assert _log(world) == OTHER
    assert world.cases.request(request_id).is_final


async def test_a_blob_written_while_it_is_rewritten_keeps_both_changes():
    """The new line stays, the person's go."""
    written = []

    async def turn(name):
        if name == "blobs.commit" and not written:
            written.append(True)
            world.blobs.put(*LOG, OTHER + MINE + OTHER + MINE)

    world, ane = _world(OTHER + MINE, turn=turn, limits=Limits(read_bytes=100))
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert _log(world) == OTHER * 2
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["log"] == 2


async def test_a_blob_deleted_while_it_is_read_is_done():
    """Nothing of it is left."""

    async def turn(name):
        if name == "blobs.read":
            world.blobs.current.pop(LOG, None)

    world, ane = _world(OTHER + MINE, turn=turn)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).is_final


async def test_an_append_blob_with_the_person_is_reported_and_left():
    """It cannot be rewritten in one step, so a person decides; without the person it stands in no way."""
    world, ane = _world(OTHER + MINE)
    page = world.blobs.page

    async def appended(*arguments, **options):
        found = await page(*arguments, **options)
        return replace(found, blobs=tuple(replace(blob, is_block_blob=False) for blob in found.blobs))

    world.blobs.page = appended
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "records_undecidable")
    assert '"not_a_block_blob"' in stored(world, request_id)
    assert _log(world) == OTHER + MINE
    world.blobs.put(*LOG, OTHER)
    await retry(world.context, request_id, decided_by="operator-1")
    await deliver(world)
    assert world.cases.request(request_id).is_final


BROKEN = [
    b'{"user_id": "user-ane", "what"\n',
    b"user-ane did something\n",
    b'["user-ane"]\n',
    b'"user-ane"\n',
    b'{"user_id": "user-ane"}{"user_id": "user-bo"}\n',
    b'{"user_id": "\\u0075ser-ane", \n',
    b'{"user_id": "user-ane", "x": \xff\xfe}\n',
    b'{"user_id":' * 20_000 + b'"user-ane"\n',
    b'{"n": ' + b"9" * 5_000 + b', "user_id": "user-ane"}\n',
]


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
async def test_a_malformed_line_that_holds_the_person_s_value_stops_completion(line):
    """It is neither destroyed nor passed over; the readable ones go."""
    world, ane = _world(MINE + line + OTHER)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "records_undecidable")
    assert _log(world) == line + OTHER
    codes = [code for code, _, _ in world.operators.alarms]
    assert codes.count("record_undecidable") == 1
    world.blobs.put(*LOG, OTHER)
    await retry(world.context, request_id, decided_by="operator-1")
    await deliver(world)
    assert world.cases.request(request_id).is_final


@pytest.mark.parametrize(
    "line",
    [
        b'{"user_id": "user-bo", \n',
        b"nonsense \\u0041\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\\u0041\n",
        b"null\n",
    ],
    ids=["cut", "text", "bytes", "nested", "null"],
)
async def test_a_malformed_line_without_the_person_s_value_stays_and_stops_nothing(line):
    """It is somebody else's trouble."""
    world, ane = _world(MINE + line + OTHER)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).is_final
    assert _log(world) == line + OTHER


@pytest.mark.parametrize("value", ["user-ane", "user-bo"])
async def test_a_line_too_long_to_be_read_stops_completion_whoever_it_is_about(value):
    """Nobody can tell, which is never the same as no."""
    line = json.dumps({"user_id": value, "what": "z" * 500}).encode() + b"\n"
    world, ane = _world(OTHER + line + OTHER, limits=Limits(read_bytes=200))
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).attention == "records_undecidable"
    assert '"line_too_long"' in stored(world, request_id)
    assert _log(world) == OTHER + line + OTHER


@pytest.mark.parametrize("extra", [-1, 0, 1])
async def test_a_line_as_long_as_the_bound_is_read(extra):
    """Below and at it; one byte more is too long."""
    line = MINE[:-2] + b',"pad":"' + b"z" * 80 + b'"}\n'
    limits = Limits(read_bytes=len(line) - extra)
    world, ane = _world(line + OTHER * 3, limits=limits)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).is_final == (extra <= 0)


@given(
    st.lists(
        st.binary(max_size=30).map(lambda data: data.replace(b"\n", b" ") + b"\n")
        | st.sampled_from([OTHER, MINE, b"\n"]),
        max_size=8,
    )
)
def test_reading_lines_loses_no_byte_and_never_raises(lines):
    """Whatever stands in a blob."""
    datamap = small_map()
    store = datamap.store("log")[1]
    matcher = LineMatcher(store, datamap, {"user_id": ("user-ane",)})
    data = b"".join(lines)
    read = list(matcher.read(data))
    assert b"".join(line.raw for line in read) == data
    assert sum(line.record is not None for line in read) == lines.count(MINE)


@pytest.mark.parametrize(
    ("value", "line", "mine"),
    [
        ("user-ane", b'{"user_id":"\\u0075ser-ane"}', True),
        ("user-\u00e5", '{"user_id":"user-\u00e5"}'.encode(), True),
        ("user-\u00e5", b'{"user_id":"user-\\u00e5"}', True),
        ("user-ane", b'\xef\xbb\xbf{"user_id":"user-ane"}', True),
        ("user-ane", b'{"user_id":"user-ane2"}', False),
        ("user-ane", b'{"what":"about user-ane"}', False),
        ("user-ane", b'{"user_id":["user-ane"]}', False),
        ("user-ane", b'{"user_id":null,"what":"user-ane"}', False),
    ],
)
def test_a_line_is_the_person_s_however_its_value_is_written(value, line, mine):
    """Escaped, in other alphabets, after a byte order mark; a mention elsewhere is not enough."""
    datamap = small_map()
    matcher = LineMatcher(datamap.store("log")[1], datamap, {"user_id": (value,)})
    (found,) = matcher.read(line)
    assert (found.record is not None, found.unreadable) == (mine, False)


def test_nobody_without_an_identifier_is_looked_for_in_lines():
    """An empty value would match everywhere."""
    datamap = small_map()
    store = datamap.store("log")[1]
    for identifiers in ({}, {"user_id": ()}, {"user_id": ("",)}, {"email": ("ane@people.example",)}):
        assert not LineMatcher(store, datamap, identifiers).can_match


# files


async def test_a_person_s_files_go_with_every_older_copy():
    """More of them than one listing names, and none of a neighbour whose prefix begins alike."""
    world, ane = _world(limits=Limits(blobs_per_page=2))
    for number in range(5):
        world.blobs.put("files", f"person-ane/{number}.txt", b"x")
        world.blobs.snapshot("files", f"person-ane/{number}.txt")
    world.blobs.put("files", "person-ane2/cv.txt", b"other")
    world.blobs.put("files", "x/person-ane/cv.txt", b"other")
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    left = {name for container, name in world.blobs.current if container == "files"}
    assert left == {"person-ane2/cv.txt", "x/person-ane/cv.txt"}
    assert world.blobs.copies == {}
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["files"] == 6


async def test_an_older_copy_without_its_file_goes_too():
    """The file was deleted, its snapshot was left."""
    world, ane = _world()
    world.blobs.snapshot("files", "person-ane/cv.txt")
    del world.blobs.current["files", "person-ane/cv.txt"]
    await fulfil(world, ane["email"], Right.ERASURE)
    assert world.blobs.copies == {}


async def test_a_file_written_while_it_is_erased_is_erased_again():
    """By the next listing."""
    written = []

    async def turn(name):
        if name == "blobs.erase" and not written:
            written.append(True)
            world.blobs.put("files", "person-ane/cv.txt", b"newer")

    world, ane = _world(turn=turn)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await deliver(world)
    assert not [one for one in traces(world, ane) if one.startswith("files")]
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["files"] == 1
