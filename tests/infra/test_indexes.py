"""Every query the code makes is served by an index of the templates."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache

import pytest

from devtools.cosmos_emulator.indexing_policy import IndexingPolicy
from devtools.cosmos_emulator.sql import tree
from devtools.cosmos_emulator.sql.parser import parse
from tests.infra import queries
from tests.infra.bicep import INFRA, read

NAMES = json.loads((INFRA / "names.json").read_text("utf-8"))
ELEMENT = "[]"
Aliases = dict[str, tuple[str, ...]]


@cache
def _asked() -> list[queries.Asked]:
    return queries.asked()


def _policy(database: str, container: str) -> IndexingPolicy:
    """Return the policy as the templates put it together."""
    if database == "clicklearn":
        assert container in {one["name"] for one in NAMES["systems"]}
        return IndexingPolicy({"indexingMode": "consistent", "includedPaths": [{"path": "/*"}]})
    (found,) = [one for one in NAMES["compliance"] if one["name"] == container]
    return IndexingPolicy(
        {
            "indexingMode": "consistent",
            "includedPaths": found["indexed"],
            "excludedPaths": [{"path": "/*"}],
            "compositeIndexes": found["composites"],
        }
    )


def _path(node: object, aliases: Aliases) -> tuple[str, ...] | None:
    """Return the path a node reads, through the aliases of arrays that are gone through."""
    names: list[str] = []
    while isinstance(node, tree.Property):
        names.insert(0, node.name)
        node = node.base
    if isinstance(node, tree.Name) and node.name in aliases:
        return (*aliases[node.name], *names)
    return None


def _filters(query: tree.Query, aliases: Aliases) -> Iterator[tuple[str, ...]]:
    """Yield every path that decides which rows a query finds, or in which order."""
    known = dict(aliases)
    for source in query.sources:
        start = () if source.expression is None else _path(source.expression, known)
        if not known:
            start = ()  # the first source is the container, whatever it is called
        if start is not None:
            known[source.alias] = (*start, ELEMENT) if source.iterates else start
    for part in (query.where, *(one.expression for one in query.order_by)):
        yield from _reads(part, known)


def _reads(node: object, aliases: Aliases) -> Iterator[tuple[str, ...]]:
    if isinstance(node, tree.Subquery):
        yield from _filters(node.query, aliases)
        return
    if isinstance(node, tree.Call) and node.name == "ARRAY_CONTAINS":
        place = _path(node.arguments[0], aliases)
        if place is not None:
            yield (*place, ELEMENT)
        yield from _reads(node.arguments[1:], aliases)
        return
    path = _path(node, aliases)
    if path:
        yield path
    elif isinstance(node, (tuple, list)):
        for one in node:
            yield from _reads(one, aliases)
    elif is_dataclass(node):
        for one in fields(node):
            yield from _reads(getattr(node, one.name), aliases)


def test_every_place_that_queries_was_asked():
    """A query of a new adapter has to be driven here before anybody can say that it is served."""
    assert {one.place for one in _asked()} == queries.places()


@pytest.mark.parametrize(
    "one", list(dict.fromkeys(_asked())), ids=lambda one: f"{one.container}: {one.text[:90]}"
)
def test_every_query_is_served_by_an_index(one):
    """Each path it filters or sorts by is indexed; an order of several needs a composite index."""
    policy, query = _policy(one.database, one.container), parse(one.text)
    for path in _filters(query, {}):
        assert policy.covers(path), "/".join(path)
    if len(query.order_by) > 1:
        alias = query.sources[0].alias
        order = tuple((tree.root_path(sort.expression, alias), sort.descending) for sort in query.order_by)
        assert policy.serves_order(order)


def test_the_reader_finds_the_paths_of_a_query():
    """Otherwise every query would count as served."""
    query = parse(
        "SELECT * FROM c WHERE c.a = 1 AND ARRAY_CONTAINS(c.b, @x) AND EXISTS(SELECT VALUE e FROM e IN c.d "
        'WHERE IS_STRING(e["f"]) AND e.g.h > 2) AND EXISTS(SELECT VALUE k FROM k IN c.i '
        "WHERE ARRAY_CONTAINS(@keys, k)) ORDER BY c.j"
    )
    assert set(_filters(query, {})) == {
        ("a",),
        ("b", "[]"),
        ("d", "[]", "f"),
        ("d", "[]", "g", "h"),
        ("i", "[]"),
        ("j",),
    }


def test_an_index_that_no_query_needs_is_not_paid_for():
    """Besides the partition key, which a query across people would need."""
    used: dict[str, set[tuple[str, ...]]] = {}
    for one in _asked():
        used.setdefault(one.container, set()).update(_filters(parse(one.text), {}))
    for container in NAMES["compliance"]:
        known = used.get(container["name"], set()) | {(container["partitionKey"][1:],)}
        for entry in container["indexed"]:
            assert tuple(entry["path"].strip("/").split("/")[:-1]) in known, entry["path"]


def test_the_templates_use_the_policies_as_they_stand():
    """Nothing else is indexed, and the partition key is."""
    policy = read(INFRA / "modules" / "cosmos.bicep").resources["own"].text
    assert "includedPaths: container.indexed" in policy
    assert "excludedPaths: [{ path: '/*' }]" in policy
    assert "compositeIndexes: container.composites" in policy
    for container in NAMES["compliance"]:
        assert {"path": f"{container['partitionKey']}/?"} in container["indexed"]
