"""What every port to the systems of record must do."""

import unicodedata

import pytest

from shared.ports.documents import NO_PARTITION, Change, Changed, DueSearch
from tests.factories import small_map

pytestmark = pytest.mark.platform
MAP = small_map()


def store(store_id):
    """Return a store of the small map."""
    return MAP.store(store_id)[1]


async def every(target, store_id, identifiers, limit=2):
    """Return all documents over all pages."""
    found, cursor = [], None
    while True:
        page = await target.port.page(store(store_id), identifiers, cursor=cursor, limit=limit)
        found += page.documents
        cursor = page.cursor
        if cursor is None:
            return found


async def test_nobody_has_no_documents(documents):
    """No identifiers, no query."""
    page = await documents.port.page(store("events"), {}, cursor=None, limit=10)
    assert page.documents == ()
    assert page.cursor is None
    assert await documents.port.count(store("events"), {}) == 0


async def test_every_document_of_a_person_comes_over_pages(documents):
    """And nobody else's."""
    for number in range(5):
        await documents.write("events", {"id": f"e{number}", "user_id": "u1", "what": "x"})
        await documents.write("events", {"id": f"e{number}", "user_id": "u2", "what": "x"})
    found = await every(documents, "events", {"user_id": ("u1",)})
    assert sorted(one.document_id for one in found) == [f"e{number}" for number in range(5)]
    assert {one.partition for one in found} == {"u1"}
    assert await documents.port.count(store("events"), {"user_id": ("u1",)}) == 5


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_walk_comes_to_every_document_once(documents, limit):
    """Whoever they are about, in every partition, also where some are erased on the way."""
    for number in range(5):
        await documents.write("events", {"id": f"e{number}", "user_id": f"u{number % 3}", "what": "x"})
    await documents.write("events", {"id": "nobody"})
    found, cursor = [], None
    while True:
        page = await documents.port.walk(store("events"), cursor=cursor, limit=limit)
        assert len(page.documents) <= limit
        found += [one.document_id for one in page.documents]
        first = page.documents[:1]
        await documents.port.change(store("events"), [Change(document=one) for one in first])
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(found) == ["e0", "e1", "e2", "e3", "e4", "nobody"]


async def test_a_document_whose_key_is_its_id_is_read_by_it(documents):
    """As it is stored, with what a change needs."""
    await documents.write("people", {"id": "p1", "email": "ane@people.example"})
    found = await documents.port.get(store("people"), "p1", "p1")
    assert (found.document_id, found.partition, found.body["email"]) == ("p1", "p1", "ane@people.example")
    assert await documents.port.get(store("people"), "p2", "p2") is None
    change = Change(document=found, replacement={"id": "p1", "email": "other@people.example"})
    assert await documents.port.change(store("people"), [change, change]) == (Changed.DONE, Changed.CHANGED)


async def test_a_walk_over_nothing_ends_at_once(documents):
    """One page, and no more."""
    page = await documents.port.walk(store("events"), cursor=None, limit=10)
    assert (page.documents, page.cursor) == ((), None)


async def test_several_values_of_an_identifier_are_searched(documents):
    """One person, two accounts."""
    await documents.write("events", {"id": "a", "user_id": "u1"})
    await documents.write("events", {"id": "b", "user_id": "u2"})
    found = await every(documents, "events", {"user_id": ("u1", "u2")})
    assert sorted(one.document_id for one in found) == ["a", "b"]


async def test_what_documents_hold_at_some_paths_comes_once(documents):
    """Whole below the named properties, without all the others, and of nobody else."""
    of_one = {"user_id": "u1", "what": "x", "place": {"room": 1}}
    for number in range(3):
        await documents.write("events", {"id": f"e{number}", **of_one})
    await documents.write("events", {"id": "bare", "user_id": "u1"})
    await documents.write("events", {"id": "other", "user_id": "u2", "what": "y", "place": {"room": 2}})
    await documents.write("events", {"id": "stranger", "user_id": "u3", "what": "z"})
    for user_ids in (("u1",), ("u1", "u2")):  # in one partition, and over several
        paths = ["/what", "/place/room", "/place/floor"]
        rows = documents.port.distinct(store("events"), {"user_id": user_ids}, paths)
        found = [row async for row in rows]
        others = [{"what": "y", "place": {"room": 2}}] if "u2" in user_ids else []
        expected = [{}, {"what": "x", "place": {"room": 1}}, *others]
        assert sorted(found, key=str) == sorted(expected, key=str)
    for nobody in ({"user_id": ("nobody",)}, {}):
        assert not [row async for row in documents.port.distinct(store("events"), nobody, ["/what"])]


@pytest.mark.parametrize("there", [99, 100, 101])
async def test_many_documents_over_partitions_are_counted_like_few(documents, there):
    """Few are counted as they come, more by the database."""
    for number in range(there):
        await documents.write("events", {"id": f"e{number}", "user_id": f"u{number % 2}"})
    assert await documents.port.count(store("events"), {"user_id": ("u0", "u1")}) == there


@pytest.mark.parametrize("stored", ["ane@people.example", "ANE@People.Example"])
async def test_addresses_are_compared_without_case(documents, stored):
    """People write their address as they like."""
    await documents.write("invoices", {"id": "i", "customer_id": "c", "email": stored})
    found = await every(documents, "invoices", {"email": ("Ane@people.example",)})
    assert [one.document_id for one in found] == ["i"]


@pytest.mark.parametrize("typed", ["ane@people.example", " ane@people.example\t"])
@pytest.mark.parametrize(
    "stored",
    ["ane@people.example ", "ANE@people.example \r\n", " ane@people.example", " Ane@people.example  "],
)
async def test_addresses_are_found_with_blanks_around_them(documents, stored, typed):
    """Imports leave them behind; nobody sees them. What only begins alike is somebody else's."""
    await documents.write("invoices", {"id": "i", "customer_id": "c", "email": stored})
    await documents.write("invoices", {"id": "other", "customer_id": "c", "email": "ane@people.example.org"})
    await documents.write("teams", {"id": "t", "people": [{"email": stored}, {"email": "bo@people.example"}]})
    for store_id, name in (("invoices", "i"), ("teams", "t")):
        found = await every(documents, store_id, {"email": (typed,)})
        assert [one.document_id for one in found] == [name]
        assert await documents.port.count(store(store_id), {"email": (typed,)}) == 1


@pytest.mark.parametrize("blank", ["", " ", "\t \n"])
async def test_blanks_identify_nobody(documents, blank):
    """Otherwise one record without an address would lead to everybody's without one."""
    await documents.write("invoices", {"id": "i", "customer_id": "c", "email": ""})
    await documents.write("invoices", {"id": "j", "customer_id": "c", "email": "  "})
    await documents.write("events", {"id": "e", "user_id": " "})
    for store_id, kind in (("invoices", "email"), ("events", "user_id")):
        assert await every(documents, store_id, {kind: (blank,)}) == []
        assert await documents.port.count(store(store_id), {kind: (blank,)}) == 0


@pytest.mark.parametrize("typed", ["NFC", "NFD"])
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
async def test_addresses_are_found_however_their_letters_are_composed(documents, stored, typed):
    """An accent may be a letter of its own in what a system stored."""
    written = unicodedata.normalize(stored, "Rénée@people.example")
    await documents.write("invoices", {"id": "i", "customer_id": "c", "email": written})
    await documents.write("teams", {"id": "t", "people": [{"email": written}]})
    identifiers = {"email": (unicodedata.normalize(typed, "RÉNÉE@people.example"),)}
    for store_id in ("invoices", "teams"):
        assert len(await every(documents, store_id, identifiers)) == 1
        assert await documents.port.count(store(store_id), identifiers) == 1


async def test_other_identifiers_are_compared_exactly(documents):
    """An id is an id."""
    await documents.write("events", {"id": "a", "user_id": "U1"})
    assert await every(documents, "events", {"user_id": ("u1",)}) == []


@pytest.mark.parametrize("wrong", [None, 7, True, ["ane@people.example"], {"a": 1}])
async def test_a_value_of_the_wrong_type_matches_nobody_and_hides_nothing(documents, wrong):
    """Other matches of the same document still find it."""
    await documents.write("people", {"id": "p1", "email": wrong, "user_id": "u1"})
    identifiers = {"email": ("ane@people.example",), "user_id": ("u1",)}
    found = await every(documents, "people", identifiers)
    assert [one.document_id for one in found] == ["p1"]


async def test_a_document_that_matches_in_two_ways_comes_once(documents):
    """A copy holds each record once."""
    await documents.write("people", {"id": "p1", "email": "ane@people.example", "user_id": "u1"})
    identifiers = {"email": ("ane@people.example",), "person_id": ("p1",), "user_id": ("u1",)}
    assert [one.document_id for one in await every(documents, "people", identifiers)] == ["p1"]


async def test_elements_are_found_inside_shared_documents(documents):
    """The document comes whole; what is whose is judged elsewhere."""
    people = [{"email": "bo@people.example"}, {"email": "ANE@people.example"}, "junk", None]
    await documents.write("teams", {"id": "t1", "people": people})
    await documents.write("teams", {"id": "t2", "people": [{"email": "bo@people.example"}]})
    await documents.write("teams", {"id": "t3", "people": "ane@people.example"})
    found = await every(documents, "teams", {"email": ("ane@people.example",)})
    assert [one.document_id for one in found] == ["t1"]
    assert found[0].body["people"] == people


async def test_pages_go_on_after_earlier_documents_were_erased(documents):
    """Erasing page by page misses nothing."""
    for number in range(7):
        await documents.write("events", {"id": f"e{number}", "user_id": "u1"})
    seen, cursor = set(), None
    while True:
        page = await documents.port.page(store("events"), {"user_id": ("u1",)}, cursor=cursor, limit=3)
        seen |= {one.document_id for one in page.documents}
        await documents.port.change(store("events"), [Change(document=one) for one in page.documents])
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == 7
    assert await every(documents, "events", {"user_id": ("u1",)}) == []


async def test_more_than_one_batch_of_documents_is_erased(documents):
    """The service takes a hundred at once: one below, at and above twice that."""
    for number in range(201):
        await documents.write("events", {"id": f"e{number}", "user_id": "u1"})
    found = await every(documents, "events", {"user_id": ("u1",)}, limit=500)
    results = await documents.port.change(store("events"), [Change(document=one) for one in found])
    assert results == (Changed.DONE,) * 201
    assert await documents.port.count(store("events"), {"user_id": ("u1",)}) == 0


async def test_each_change_says_what_came_of_it(documents):
    """One erased, one replaced, one gone, one written meanwhile; in different partitions."""
    for name, user in (("a", "u1"), ("b", "u1"), ("c", "u1"), ("d", "u2")):
        await documents.write("events", {"id": name, "user_id": user, "what": "old"})
    found = {one.document_id: one for one in await every(documents, "events", {"user_id": ("u1", "u2")})}
    await documents.port.change(store("events"), [Change(document=found["b"])])
    await documents.write("events", {"id": "d", "user_id": "u2", "what": "new"})
    results = await documents.port.change(
        store("events"),
        [
            Change(document=found["a"]),
            Change(document=found["b"]),
            Change(document=found["c"], replacement={**found["c"].body, "what": "masked"}),
            Change(document=found["d"]),
        ],
    )
    assert results == (Changed.DONE, Changed.GONE, Changed.DONE, Changed.CHANGED)
    left = {
        one.document_id: one.body["what"]
        for one in await every(documents, "events", {"user_id": ("u1", "u2")})
    }
    assert left == {"c": "masked", "d": "new"}


async def test_hostile_values_are_values(documents):
    """Quotes and query words in an identifier change no query."""
    hostile = "x' OR 1=1 --\"@p0"
    await documents.write("events", {"id": "a", "user_id": "u1"})
    await documents.write("events", {"id": "b", "user_id": hostile})
    found = await every(documents, "events", {"user_id": (hostile,)})
    assert [one.document_id for one in found] == ["b"]


async def test_keys_are_enough_to_erase(documents):
    """No content comes along, and the change is guarded all the same."""
    for name in ("a", "b"):
        await documents.write("events", {"id": name, "user_id": "u1", "what": "secret"})
    identifiers = {"user_id": ("u1",)}
    page = await documents.port.page(store("events"), identifiers, cursor=None, limit=10, keys_only=True)
    assert [dict(one.body) for one in page.documents] == [{"id": "a"}, {"id": "b"}]
    await documents.write("events", {"id": "b", "user_id": "u1", "what": "new"})
    changes = [Change(document=one) for one in page.documents]
    assert await documents.port.change(store("events"), changes) == (Changed.DONE, Changed.CHANGED)


async def test_large_documents_are_rewritten_together(documents):
    """One partition, sixty reports of 55 KB: more than the service takes at once."""
    body = {"user_id": "u1", "what": "x" * 55_000}
    for number in range(60):
        await documents.write("events", {"id": f"e{number}", **body})
    found = await every(documents, "events", {"user_id": ("u1",)}, limit=100)
    changes = [Change(document=one, replacement={**one.body, "more": 1}) for one in found]
    assert await documents.port.change(store("events"), changes) == (Changed.DONE,) * 60
    assert {one.body["more"] for one in await every(documents, "events", {"user_id": ("u1",)}, 100)} == {1}


@pytest.mark.parametrize("keys_only", [False, True])
async def test_a_document_without_a_partition_is_found_and_erased(documents, keys_only):
    """Null is another partition, which may hold a document of the same id."""
    await documents.write("invoices", {"id": "i", "email": "ane@people.example"})
    await documents.write("invoices", {"id": "i", "email": "ane@people.example", "customer_id": None})
    identifiers = {"email": ("ane@people.example",)}

    async def found():
        page = await documents.port.page(
            store("invoices"), identifiers, cursor=None, limit=10, keys_only=keys_only
        )
        return {one.partition: one for one in page.documents}

    before = await found()
    assert set(before) == {NO_PARTITION, None}
    none, null = before[NO_PARTITION], before[None]
    assert len({f"{one.partition}|{one.document_id}" for one in (none, null)}) == 2
    assert await documents.port.change(store("invoices"), [Change(document=none)]) == (Changed.DONE,)
    assert set(await found()) == {None}
    both = [Change(document=none), Change(document=null)]
    assert await documents.port.change(store("invoices"), both) == (Changed.GONE, Changed.DONE)
    assert await found() == {}


@pytest.mark.parametrize("key", [{}, {"customer_id": {"a": 1}}])
async def test_a_document_without_a_partition_is_rewritten_where_it_is(documents, key):
    """It stays without one; an object is no key."""
    body = {"id": "i", "email": "ane@people.example", **key}
    await documents.write("invoices", {**body, "phone": "1"})
    identifiers = {"email": ("ane@people.example",)}
    (old,) = await every(documents, "invoices", identifiers)
    change = Change(document=old, replacement=body)
    assert await documents.port.change(store("invoices"), [change]) == (Changed.DONE,)
    (new,) = await every(documents, "invoices", identifiers)
    assert (new.partition, "phone" in new.body) == (NO_PARTITION, False)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (DueSearch(path="/what", until="2026-03"), 2),
        (DueSearch(path="/what", since="2026-02", until="2026-03"), 1),
        (DueSearch(path="/what", since="2026-02"), 2),
        (DueSearch(without=("/what",)), 2),
        (DueSearch(state_path="/user_id", states=("u1", "u9")), 2),
    ],
)
async def test_a_tally_is_as_many_as_the_search_finds(documents, wanted, number):
    """Over all partitions; a number and nothing are no text."""
    for place, what in enumerate(["2026-01", "2026-02", "2026-03", 7]):
        await documents.write("events", {"id": f"e{place}", "user_id": f"u{place}", "what": what})
    await documents.write("events", {"id": "e9", "user_id": "u1"})
    assert await documents.port.tally(store("events"), wanted) == number
    found, cursor = [], None
    while True:
        page = await documents.port.search(store("events"), wanted, cursor=cursor, limit=1)
        found += page.documents
        cursor = page.cursor
        if cursor is None:
            break
    assert len(found) == number


ROWS = {
    "old": {"what": "2025-03-10T11:00:00Z", "state": "active"},
    "edge": {"what": "2025-03-11T00:00:00Z", "state": "over"},
    "new": {"what": "2026-01-01", "state": "over"},
    "ahead": {"what": "2099-01-01", "state": "active"},
    "words": {"what": "yesterday", "state": "active"},
    "empty": {"what": ""},
    "null": {"what": None},
    "number": {"what": 20250310},
    "none": {},
}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (DueSearch(path="/what", until="2025-03-11"), {"old", "empty"}),
        (DueSearch(path="/what", since="2025-01-01", until="2025-03-11T00:00:00Z"), {"old"}),
        (DueSearch(path="/what", since="2025-03-11T00:00:00Z", until="2026-01-02"), {"edge", "new"}),
        (DueSearch(path="/what", strange=True), {"words", "empty"}),
        (DueSearch(path="/what", strange=True, ahead="2026-03-03"), {"ahead", "words", "empty"}),
        (DueSearch(without=("/what",)), {"null", "number", "none"}),
        (DueSearch(path="/what", until="9", without=("/state",)), {"empty"}),
        (DueSearch(state_path="/state", states=("over", "gone")), {"edge", "new"}),
        (DueSearch(state_path="/state", states=("over",), written_since=4_000_000_000), set()),
    ],
)
async def test_what_may_be_due_is_found_by_texts(documents, search, found):
    """Everything else stays out, whatever it holds."""
    for name, body in ROWS.items():
        await documents.write("events", {"id": name, "user_id": f"u-{name}", **body})
    names, cursor = set(), None
    while True:
        page = await documents.port.search(store("events"), search, cursor=cursor, limit=2)
        names |= {one.document_id for one in page.documents}
        cursor = page.cursor
        if cursor is None:
            break
    if search.written_since:  # memory knows no times of its own
        assert names <= {"edge", "new"}
    else:
        assert names == found


async def test_one_document_is_read_by_its_key(documents):
    """What is gone is none."""
    await documents.write("events", {"id": "e1", "user_id": "u1", "what": "x"})
    found = await documents.port.get(store("events"), "u1", "e1")
    assert found.body["what"] == "x"
    assert found.partition == "u1"
    assert await documents.port.get(store("events"), "u1", "e2") is None
    assert await documents.port.get(store("events"), "u2", "e1") is None


async def test_a_document_is_created_once(documents):
    """The same one again changes nothing."""
    for what in ("x", "y"):
        await documents.port.create(store("events"), {"id": "c1", "user_id": "u1", "what": what})
    assert (await documents.port.get(store("events"), "u1", "c1")).body["what"] == "x"
