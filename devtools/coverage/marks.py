"""Which tests say which clause or case they are for, read from their source and not by running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LITERALS: dict[str, type] = {"clause": str, "case": int}


@dataclass(frozen=True, order=True)
class Mark:
    """Name one test that carries a marker.

    Attributes:
        kind: `clause` or `case`.
        value: A clause such as `4.2`, or the number of a case.
        file: The file from the root of the repository, such as `tests/unit/test_x.py`.
        test: `test_x`, `TestClass.test_x`, or `TestClass`; empty when the whole file is marked.
    """

    kind: str
    value: str | int
    file: str
    test: str


def marks_below(root: Path) -> tuple[Mark, ...]:
    """Return every mark in the test files below `root/tests`, sorted by file and in the order of the file.

    Raises:
        ValueError: a marker does not name its clause as a text or its case as a number; write it literally.
    """
    found: list[Mark] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        file = path.relative_to(root).as_posix()
        found += marks_in(path.read_text(encoding="utf-8"), file)
    return tuple(dict.fromkeys(found))


def marks_in(source: str, file: str) -> Iterator[Mark]:
    """Yield every mark of one file's source, on functions, on classes and on the file.

    Raises:
        ValueError: as `marks_below`.
    """
    yield from _marked(ast.parse(source, filename=file).body, file, "")


def _marked(body: Iterable[ast.stmt], file: str, within: str) -> Iterator[Mark]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            name = f"{within}{node.name}"
            for decorator in node.decorator_list:
                yield from _named(decorator, file, name)
            yield from _marked(node.body, file, f"{name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _named(node, file, f"{within}{node.name}")
        else:
            yield from _named(node, file, within.removesuffix("."))


def _named(node: ast.AST, file: str, test: str) -> Iterator[Mark]:
    for call in ast.walk(node):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        mark, _, kind = ast.unparse(call.func).rpartition(".")
        if mark != "pytest.mark" or kind not in _LITERALS:
            continue
        for argument in call.args:
            value = argument.value if isinstance(argument, ast.Constant) else None
            if not isinstance(value, str | int) or type(value) is not _LITERALS[kind]:
                raise ValueError(f"{file}:{call.lineno}: {kind} takes a literal {_LITERALS[kind].__name__}")
            yield Mark(kind=kind, value=value, file=file, test=test)
