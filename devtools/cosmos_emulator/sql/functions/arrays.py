"""Array, set and object functions."""

from typing import Any

from devtools.cosmos_emulator.sql.values import UNDEFINED, canonical, deep_equal

from .registry import function


def _matches(item: Any, wanted: Any) -> bool:
    """Tell whether every property of `wanted` is in `item` with an equal value, at all depths."""
    if isinstance(wanted, dict) and isinstance(item, dict):
        return all(name in item and _matches(item[name], value) for name, value in wanted.items())
    return deep_equal(item, wanted)


@function("ARRAY_CONTAINS", "ad?b")
def _array_contains(items: list[Any], wanted: Any, partial: bool = False) -> bool:  # noqa: FBT001, FBT002 - query argument
    if partial:
        return any(_matches(item, wanted) for item in items)
    return any(deep_equal(item, wanted) for item in items)


@function("ARRAY_CONTAINS_ANY", "av", repeats=True)
def _array_contains_any(items: list[Any], *wanted: Any) -> bool:
    known = {canonical(item) for item in items}
    return any(canonical(value) in known for value in wanted)


@function("ARRAY_CONTAINS_ALL", "av", repeats=True)
def _array_contains_all(items: list[Any], *wanted: Any) -> bool:
    known = {canonical(item) for item in items}
    return all(canonical(value) in known for value in wanted)


@function("ARRAY_LENGTH", "a")
def _array_length(items: list[Any]) -> int:
    return len(items)


@function("ARRAY_CONCAT", "aa", repeats=True)
def _array_concat(*arrays: list[Any]) -> list[Any]:
    return [item for array in arrays for item in array]


@function("ARRAY_SLICE", "an?n")
def _array_slice(items: list[Any], start: float, length: float | None = None) -> list[Any]:
    first = int(start)
    if first < 0:
        first = max(0, len(items) + first)
    if length is None:
        return items[first:]
    return items[first : first + int(length)] if length > 0 else []


def _distinct(items: list[Any]) -> list[Any]:
    return list({canonical(item): item for item in reversed(items)}.values())[::-1]


@function("SETINTERSECT", "aa")
def _setintersect(left: list[Any], right: list[Any]) -> list[Any]:
    known = {canonical(item) for item in right}
    return [item for item in _distinct(left) if canonical(item) in known]


@function("SETUNION", "aa")
def _setunion(left: list[Any], right: list[Any]) -> list[Any]:
    return _distinct(left + right)


@function("SETDIFFERENCE", "aa")
def _setdifference(left: list[Any], right: list[Any]) -> list[Any]:
    known = {canonical(item) for item in right}
    return [item for item in _distinct(left) if canonical(item) not in known]


@function("CHOOSE", "nv", repeats=True)
def _choose(position: float, *values: Any) -> Any:
    index = int(position)
    return values[index - 1] if 1 <= index <= len(values) else UNDEFINED


@function("OBJECTTOARRAY", "o?ss")
def _objecttoarray(value: dict[str, Any], key_name: str = "k", value_name: str = "v") -> list[Any]:
    return [{key_name: key, value_name: item} for key, item in value.items()]
