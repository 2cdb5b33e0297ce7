"""An index may only change how fast an answer comes, never what it is."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.cosmos_emulator import candidates
from devtools.cosmos_emulator.candidates import Candidates
from devtools.cosmos_emulator.clock import Clock
from devtools.cosmos_emulator.continuation import Position
from devtools.cosmos_emulator.item_store import ItemStore
from devtools.cosmos_emulator.prepared import prepare
from devtools.cosmos_emulator.query_pages import PageRun
from devtools.cosmos_emulator.resources import Resources
from devtools.cosmos_emulator.scope import EVERYTHING, Scope
from devtools.cosmos_emulator.sql.parser import parse
from devtools.cosmos_emulator.store import Store

FEW = st.sampled_from([None, True, 0, 1, 1.0, -0.0, "a", "A", "b"])
MANY = st.sampled_from(
    [False, -3, 0.5, 1e300, "", "ab", "Ab", "é", "😀", "\uffee", "x" * 300, "x" * 299 + "y"]
)
# Few values make documents and filters meet; the others look for trouble at the edges.
SCALARS = st.one_of(FEW, FEW, MANY)
ELEMENTS = st.one_of(SCALARS, st.fixed_dictionaries({"p": FEW}, optional={"q": FEW}))
DOCUMENTS = st.fixed_dictionaries(
    {"pk": st.sampled_from(["one", "one", "two"]), "a": SCALARS, "arr": st.lists(ELEMENTS, max_size=3)},
    optional={"b": SCALARS, "deep": st.just({"a": 1})},
)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
TYPES = st.sampled_from(["IS_STRING", "IS_NUMBER", "IS_NULL", "IS_BOOL", "IS_ARRAY", "IS_OBJECT"])
PATHS = st.sampled_from(["c.a", "c.a", "c.a", "c.b", "c.deep.a", "c.arr[0]", "c.id", "c.pk", "c.missing"])


@st.composite
def _terms(draw: Any) -> tuple[str, list[Any]]:
    path, value, other = draw(PATHS), draw(SCALARS), draw(SCALARS)
    shapes = [
        (f"{path} {draw(OPERATORS)} ?", [value]),
        (f"? {draw(OPERATORS)} {path}", [value]),
        (f"{path} IN (?, ?)", [value, other]),
        (f"{path} BETWEEN ? AND ?", [value, other]),
        (f"STRINGEQUALS({path}, ?, true)", [value]),
        (f"STARTSWITH({path}, ?)", [value]),
        (f"STARTSWITH({path}, ?, true)", [value]),
        (f"LOWER({path}) = ?", [value]),
        (f"IS_DEFINED({path})", []),
        (f"NOT IS_DEFINED({path})", []),
        (f"IS_NULL({path})", []),
        (f"NOT {draw(TYPES)}({path})", []),
        (path, []),
        ("ARRAY_CONTAINS(c.arr, ?)", [value]),
        ("ARRAY_CONTAINS(c.arr, {'p': ?}, true)", [value]),
        (f"ARRAY_CONTAINS([?, ?], {path})", [value, other]),
        ("EXISTS(SELECT VALUE t FROM t IN c.arr WHERE t.p = ?)", [value]),
        ("EXISTS(SELECT VALUE t FROM t IN c.arr WHERE t.p > ? AND t.q = ?)", [value, other]),
        ("EXISTS(SELECT VALUE COUNT(1) FROM t IN c.arr WHERE t.p = ?)", [value]),
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def _filters(draw: Any) -> tuple[str, dict[str, Any]]:
    parts, values = [], []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        text, used = draw(_terms())
        parts.append(f"NOT ({text})" if draw(st.integers(0, 5)) == 0 else text)
        values += used
    text = draw(st.sampled_from([" AND ", " OR "])).join(f"({part})" for part in parts)
    parameters = {}
    for number, value in enumerate(values):
        text = text.replace("?", f"@v{number}", 1)
        parameters[f"@v{number}"] = value
    return text, parameters


class Engine:
    """A store of its own without HTTP."""

    def __init__(self) -> None:
        clock = Clock()
        self.store = Store(None)
        self.items = ItemStore(self.store, clock)
        resources = Resources(self.store, self.items, clock)
        resources.create_database(b'{"id":"d"}', None)
        policy = {"compositeIndexes": [[{"path": "/a"}, {"path": "/b"}]]}
        body = {"id": "c", "partitionKey": {"paths": ["/pk"], "version": 2}, "indexingPolicy": policy}
        self.container = resources.create_container("d", orjson.dumps(body), None)
        self.candidates = Candidates(self.store, self.items)

    def put(self, document: dict[str, Any]) -> None:
        epk = self.container.definition.epk_of_document(document)
        with self.store.transaction():
            write = self.items.begin(self.container)
            old = self.items.find(self.container, epk, document["id"])
            if old is None:
                self.items.insert(write, epk, document)
            else:
                self.items.replace(write, old, document)
            self.items.commit(write)

    def delete(self, document: dict[str, Any]) -> None:
        epk = self.container.definition.epk_of_document(document)
        with self.store.transaction():
            write = self.items.begin(self.container)
            item = self.items.find(self.container, epk, document["id"])
            assert item is not None
            self.items.delete(write, item)
            self.items.commit(write)

    async def rows(self, text: str, parameters: dict[str, Any], scope: Scope, page: int) -> list[bytes]:
        prepared = prepare(parse(text), parameters, self.container, 0.0)
        position: Position | None = Position(
            offset=prepared.pipeline.offset, remaining=prepared.pipeline.count
        )
        rows: list[bytes] = []
        while position is not None:
            run = PageRun(
                candidates=self.candidates, container=self.container, scope=scope, prepared=prepared,
                position=position, max_items=page,
            )  # fmt: skip
            found = await run.run()
            rows += found.rows
            position = found.position
        return rows


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    documents=st.lists(DOCUMENTS, min_size=6, max_size=9),
    changes=st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), DOCUMENTS, DOCUMENTS)), max_size=5),
    condition=_filters(),
    tail=st.sampled_from(
        [
            "",
            "ORDER BY c.a",
            "ORDER BY c.a DESC",
            "ORDER BY c.b OFFSET 1 LIMIT 3",
            "ORDER BY c.a DESC, c.b",
            "OFFSET 1 LIMIT 2",
        ]
    ),
    scoped=st.booleans(),
    page=st.integers(1, 4),
)
async def test_rows_are_the_same_with_and_without_an_index(documents, changes, condition, tail, scoped, page):
    text, parameters = condition
    query = f"SELECT VALUE c.id FROM c WHERE {text} {tail}"  # noqa: S608 - an emulated query
    engine = Engine()
    scope = Scope(epk=engine.container.definition.epk(["one"])) if scoped else EVERYTHING
    present: dict[int, dict[str, Any]] = {}
    for number, document in enumerate(documents):
        present[number] = document | {"id": str(number)}
        engine.put(dict(present[number]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "SCAN_LIMIT", 0)
        patch.setattr(candidates, "_SELECTIVE_ENOUGH", -1)
        # The indexes exist before the changes, so that keeping them up to date is tested as well.
        await engine.rows(query, parameters, scope, page)
    for number, document in changes:
        if number in present and document is None:
            engine.delete(present.pop(number))
        elif number in present and document is not None:
            changed = document | {"id": str(number), "pk": present[number]["pk"]}
            present[number] = changed
            engine.put(dict(changed))
    plain = await engine.rows(query, parameters, scope, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "SCAN_LIMIT", 0)
        patch.setattr(candidates, "_SELECTIVE_ENOUGH", -1)
        indexed = await engine.rows(query, parameters, scope, page)
    assert indexed == plain
    engine.store.close()


async def test_the_index_is_really_used():
    engine = Engine()
    for number in range(600):
        engine.put(
            {"id": str(number), "pk": "one", "mail": f"P{number}@x.example", "arr": [{"p": number % 7}]}
        )
    query = "SELECT VALUE c.id FROM c WHERE STRINGEQUALS(c.mail, 'p5@X.example', true)"
    assert await engine.rows(query, {}, EVERYTHING, 10) == [b'"5"']
    assert [definition.path for definition in engine.container.indexes] == [("mail",)]
    text = "SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.arr WHERE t.p = 3)"
    found = await engine.rows(text, {}, EVERYTHING, 1000)
    assert len(found) == sum(number % 7 == 3 for number in range(600))
    assert ("arr", "[]", "p") in {definition.path for definition in engine.container.indexes}
    engine.store.close()


VALUES = st.sampled_from([0, 1, "x"])
STEPS = st.tuples(st.integers(0, 4), st.one_of(st.none(), st.tuples(VALUES, st.lists(VALUES, max_size=2))))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=15))
async def test_indexes_follow_every_write(steps):
    engine = Engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "SCAN_LIMIT", 0)
        patch.setattr(candidates, "_SELECTIVE_ENOUGH", -1)
        present: dict[int, dict[str, Any]] = {}
        for number, step in [(9, ("x", ["x"])), *steps]:
            if step is not None:
                a, arr = step
                present[number] = {
                    "id": str(number),
                    "pk": "one",
                    "a": a,
                    "arr": [{"p": value} for value in arr],
                }
                engine.put(dict(present[number]))
            elif number in present:
                engine.delete(present.pop(number))
            for value in (0, 1, "x"):
                for condition, matches in (
                    ("c.a = @v", lambda item, v: item["a"] == v),
                    (
                        "EXISTS(SELECT VALUE t FROM t IN c.arr WHERE t.p = @v)",
                        lambda item, v: any(element["p"] == v for element in item["arr"]),
                    ),
                ):
                    query = f"SELECT VALUE c.id FROM c WHERE {condition}"  # noqa: S608 - an emulated query
                    rows = await engine.rows(query, {"@v": value}, EVERYTHING, 10)
                    wanted = {str(number) for number, item in present.items() if matches(item, value)}
                    assert {orjson.loads(row) for row in rows} == wanted
    assert len(engine.container.indexes) == 2
    engine.store.close()
