"""Run a query over documents without HTTP."""

from typing import Any

from devtools.cosmos_emulator.sql.compiler import Environment
from devtools.cosmos_emulator.sql.parser import parse
from devtools.cosmos_emulator.sql.pipeline import Groups, compile_query
from devtools.cosmos_emulator.sql.values import UNDEFINED

NOW = 1_700_000_000.5  # 2023-11-14T22:13:20.5Z
DOCUMENT = {
    "id": "1",
    "n": 3,
    "half": 2.5,
    "s": "Hello",
    "t": True,
    "nil": None,
    "tags": ["a", "b", "b", 1],
    "items": [{"sku": "x", "qty": 2, "opt": {"c": 1}}, {"sku": "y", "qty": 5}],
    "deep": {"a": {"b": [10, 20]}},
    "order": "keyword",
    "value": "another",
    "odd name": 7,
    "when": "2024-02-29T12:30:45.1234567Z",
    "emoji": "a😀b",
}


def run(text: str, documents: list[dict[str, Any]] | None = None, **parameters: Any) -> list[Any]:
    environment = Environment({f"@{name}": value for name, value in parameters.items()}, {}, lambda: NOW)
    pipeline, width = compile_query(parse(text), environment)
    groups = Groups(pipeline)
    found = []
    for document in [DOCUMENT] if documents is None else documents:
        row = [document] + [UNDEFINED] * (width - 1)
        for _ in pipeline.combinations(row):
            if all(term(row) is True for _, term in pipeline.filters):
                if pipeline.is_grouped:
                    groups.add(row)
                else:
                    found.append(pipeline.project(row))
    if pipeline.is_grouped:
        found = [output for _, output in groups.outputs([UNDEFINED] * width)]
    return [output for output in found if output is not UNDEFINED]
