"""Partial updates: operations on paths of a document, with an optional condition."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .container import Container
from .errors import ServiceError, bad_request
from .indexing_policy import SYSTEM_PROPERTIES
from .sql.values import UNDEFINED, is_number, number_result

_MOST_OPERATIONS: Final = 10
_KINDS: Final = frozenset({"add", "set", "replace", "remove", "incr", "move"})
_NEEDS_VALUE: Final = frozenset({"add", "set", "replace", "incr"})

Condition = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class PatchRequest:
    """A parsed patch: its operations and, compiled, the condition on the stored document."""

    operations: list[dict[str, Any]]
    condition: Condition | None


def parse_patch(body: Any, compile_condition: Callable[[str], Condition]) -> PatchRequest:
    """Read the body of a patch.

    Args:
        body: parsed JSON, an object or (older form) an array of operations.
        compile_condition: turns the text of a condition into a test.

    Raises:
        ServiceError: 400 when it is malformed.
    """
    operations = body.get("operations") if isinstance(body, dict) else body
    if not isinstance(operations, list) or not operations:
        raise bad_request("A patch needs a non-empty list of operations.")
    if len(operations) > _MOST_OPERATIONS:
        raise bad_request(f"The number of patch operations can't exceed '{_MOST_OPERATIONS}'.")
    for operation in operations:
        _check(operation)
    condition = body.get("condition") if isinstance(body, dict) else None
    if condition is not None and not isinstance(condition, str):
        raise bad_request("The condition of a patch must be a string.")
    return PatchRequest(operations, compile_condition(condition) if condition else None)


def _check(operation: Any) -> None:
    if not isinstance(operation, dict) or operation.get("op") not in _KINDS:
        raise bad_request(f"A patch operation must be one of {', '.join(sorted(_KINDS))}.")
    if not isinstance(operation.get("path"), str) or not operation["path"].startswith("/"):
        raise bad_request("A patch operation needs a path that starts with '/'.")
    if operation["op"] in _NEEDS_VALUE and "value" not in operation:
        raise bad_request(f"The patch operation {operation['op']} needs a value.")
    if operation["op"] == "move" and not isinstance(operation.get("from"), str):
        raise bad_request("The patch operation move needs 'from'.")


def apply_patch(
    container: Container, document: dict[str, Any], operations: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a changed copy of a document.

    Raises:
        ServiceError: 400 when an operation does not fit the document or touches what cannot be patched.
    """
    changed = copy.deepcopy(document)
    for operation in operations:
        path = _steps(operation["path"])
        _check_allowed(container, path)
        if operation["op"] == "move":
            source = _steps(operation["from"])
            _check_allowed(container, source)
            if path[: len(source)] == source:
                raise bad_request("A patch cannot move a value into itself.")
            value = _take(changed, source)
            _put(changed, path, value, insert=True)
        elif operation["op"] == "remove":
            _take(changed, path)
        elif operation["op"] == "incr":
            _increment(changed, path, operation["value"])
        else:
            _write(changed, path, operation)
    return changed


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _check_allowed(container: Container, path: list[str]) -> None:
    if path[0] == "id" or path[0] in SYSTEM_PROPERTIES or path == [""]:
        raise bad_request(f"The path '/{'/'.join(path)}' cannot be patched.")
    for key_path in container.definition.paths:
        if tuple(path) == key_path[: len(path)]:
            raise bad_request("The partition key of an item cannot be patched.")


def _parent(document: dict[str, Any], path: list[str]) -> Any:
    node: Any = document
    for step in path[:-1]:
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and (index := _index(step)) is not None and index < len(node):
            node = node[index]
        else:
            raise _absent(path)
    if not isinstance(node, list | dict):
        raise _absent(path)
    return node


def _index(step: str) -> int | None:
    return int(step) if step.isascii() and step.isdigit() else None


def _absent(path: list[str]) -> ServiceError:
    return bad_request(f"For a patch operation, the path '/{'/'.join(path)}' does not exist.")


def _position(node: list[Any], path: list[str]) -> int:
    index = _index(path[-1])
    if index is None or index >= len(node):
        raise _absent(path)
    return index


def _take(document: dict[str, Any], path: list[str]) -> Any:
    node = _parent(document, path)
    if isinstance(node, list):
        return node.pop(_position(node, path))
    if path[-1] not in node:
        raise _absent(path)
    return node.pop(path[-1])


def _put(document: dict[str, Any], path: list[str], value: Any, *, insert: bool) -> None:
    node = _parent(document, path)
    if isinstance(node, dict):
        node[path[-1]] = value
        return
    index = len(node) if path[-1] == "-" else _index(path[-1])
    if index is None or index > len(node):
        raise _absent(path)
    if insert or index == len(node):
        node.insert(index, value)
    else:
        node[index] = value


def _write(document: dict[str, Any], path: list[str], operation: dict[str, Any]) -> None:
    if operation["op"] == "replace":
        node = _parent(document, path)
        if isinstance(node, list):
            node[_position(node, path)] = operation["value"]
            return
        if path[-1] not in node:
            raise _absent(path)
    _put(document, path, operation["value"], insert=operation["op"] == "add")


def _increment(document: dict[str, Any], path: list[str], amount: Any) -> None:
    if not is_number(amount):
        raise bad_request("The patch operation incr needs a number.")
    node = _parent(document, path)
    key: Any = _position(node, path) if isinstance(node, list) else path[-1]
    current = node[key] if isinstance(node, list) or key in node else 0
    if not is_number(current):
        raise bad_request("The patch operation incr needs a number at its path.")
    total = number_result(current + amount)
    if total is UNDEFINED:
        raise bad_request("The patch operation incr leaves the range of numbers.")
    node[key] = total
