"""The map's YAML files with the line of every field, read without ever building more than plain values."""

from dataclasses import dataclass
from typing import Any

import yaml

from shared.datamap.findings import Way

# The C parser reads the same and is ten times faster; not every platform's wheel has it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIME_TAG = "tag:yaml.org,2002:timestamp"
_MERGE_TAG = "tag:yaml.org,2002:merge"


class SourceError(Exception):
    """A file that is no clean YAML mapping; `problems` are (line, field, message)."""

    def __init__(self, problems: list[tuple[int, str, str]]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Source:
    """One parsed file: its name, plain values, and the nodes that know their lines."""

    name: str
    values: dict[str, Any]
    root: yaml.Node

    def locate(self, way: Way) -> tuple[int, Way]:
        """Return the line of the deepest part of `way` that the file has, and that part.

        Parts the file does not have are passed over: a validator names union branches among them.
        """
        node, line, found = self.root, 1, []
        for part in way:
            below = _below(node, part)
            if below is None:
                continue
            line, node = below
            found.append(part)
        return line, tuple(found)


def parse(name: str, text: str) -> Source:
    """Parse one file.

    Raises:
        SourceError: it is no YAML, no mapping, repeats a key or merges mappings.
    """
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SourceError([(line, "", error.problem or "no YAML")]) from error
    except yaml.YAMLError as error:
        raise SourceError([(1, "", "no YAML")]) from error
    if not isinstance(root, yaml.MappingNode):
        line = 1 if root is None else root.start_mark.line + 1
        raise SourceError([(line, "", "a mapping is needed")])
    problems = _problems(root, "", set())
    if problems:
        raise SourceError(problems)
    try:
        values = yaml.constructor.SafeConstructor().construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SourceError([(line, "", error.problem or "no plain value")]) from error
    return Source(name=name, values=values, root=root)


def _problems(node: yaml.Node, field: str, seen: set[int]) -> list[tuple[int, str, str]]:
    if id(node) in seen:  # an alias: looked at where it is anchored
        return []
    seen.add(id(node))
    problems: list[tuple[int, str, str]] = []
    if isinstance(node, yaml.ScalarNode) and node.tag == _TIME_TAG and not _is_a_time(node):
        problems.append((node.start_mark.line + 1, field, "there is no such day or time"))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            problems += _problems(item, f"{field}[{index}]", seen)
    elif isinstance(node, yaml.MappingNode):
        keys: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                problems.append((line, field, "a key has to be a plain word"))
                continue
            name = f"{field}.{key.value}".lstrip(".")
            if key.tag == _MERGE_TAG:
                problems.append((line, name, "mappings are not merged here, write the fields out"))
            elif key.value in keys:
                problems.append((line, name, f"stands here twice, first in line {keys[key.value]}"))
            keys.setdefault(key.value, line)
            problems += _problems(value, name, seen)
    return problems


def _is_a_time(node: yaml.ScalarNode) -> bool:
    try:
        yaml.constructor.SafeConstructor().construct_yaml_timestamp(node)
    except ValueError:
        return False
    return True


def _below(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    return None
