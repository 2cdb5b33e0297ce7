"""A search for what may be due, as conditions of a query: texts are compared, which an index serves."""

from typing import Any

from shared.datamap.models import DocumentStore
from shared.domain.retention import FIRST_CREDIBLE
from shared.ports.documents import DueSearch

_FIRST_OF_DAYS, _AFTER_ALL_DAYS = "1", "3"  # years from 1000 to 2999


def due_conditions(wanted: DueSearch) -> tuple[list[str], list[dict[str, Any]]]:
    """Return conditions that all have to hold, and their parameters. No value compares as text but texts."""
    conditions: list[str] = []
    parameters: list[dict[str, Any]] = []

    def given(value: Any) -> str:
        name = f"@d{len(parameters)}"
        parameters.append({"name": name, "value": value})
        return name

    place = property_of(wanted.path) if wanted.path else ""
    if wanted.strange:
        ahead = given(wanted.ahead or _AFTER_ALL_DAYS)
        conditions.append(f"({place} < {given(_FIRST_OF_DAYS)} OR {place} >= {ahead})")
    if wanted.since is not None:
        since = f"{place} >= {given(wanted.since)}"
        never = given(FIRST_CREDIBLE.isoformat())
        unclear = f"NOT IS_STRING({place}) OR NOT ENDSWITH({place}, 'Z') OR {place} < {never}"
        conditions.append(f"({since} OR {unclear})" if wanted.unclear_too else since)
    if wanted.until is not None:
        conditions.append(f"{place} < {given(wanted.until)}")
    conditions += [f"NOT IS_STRING({property_of(path)})" for path in wanted.without]
    if wanted.states:
        names = ", ".join(given(state) for state in wanted.states)
        conditions.append(f"{property_of(wanted.state_path)} IN ({names})")
    if wanted.written_since is not None:
        conditions.append(f"c._ts >= {given(wanted.written_since)}")
    return conditions, parameters


def selected(store: DocumentStore, wanted: DueSearch) -> str:
    """Return what a query selects: everything, or the properties that are needed."""
    if not wanted.paths:
        return "*"
    roots = dict.fromkeys(path.split("/")[1] for path in (store.partition_key, *wanted.paths))
    names = [f'c["{name}"]' for name in roots if name != "id"]
    return ", ".join(("c.id", "c._etag", "c._ts", *names))


def property_of(path: str) -> str:
    """Return `c["a"]["b"]` for `/a/b`; the map's paths hold letters, digits and underscores only."""
    return "c" + "".join(f'["{name}"]' for name in path.split("/")[1:])
