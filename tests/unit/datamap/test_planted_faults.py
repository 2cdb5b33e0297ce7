"""Each fault planted into the real maps is found, and named by file, line and field."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from tests.unit.datamap.conftest import Spoilt


class Fault(BaseModel):
    """One entry of `faults.yaml`."""

    model_config = ConfigDict(extra="forbid")

    file: str
    after: str = ""
    old: str
    new: str
    field: str
    message: str
    told_in: str | None = None
    told_at: str | None = None
    lines_later: int = 0


def _faults() -> dict[str, Fault]:
    text = Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8")
    return {name: Fault.model_validate(fault) for name, fault in yaml.safe_load(text).items()}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in _faults().items()])
def test_fault_is_named_by_file_line_and_field(spoilt: Spoilt, fault: Fault) -> None:
    line = spoilt.replace(fault.file, fault.old, fault.new, after=fault.after)
    told_in = fault.told_in or fault.file
    if fault.told_at is not None:
        line = spoilt.line_of(told_in, fault.told_at)

    problems = spoilt.problems()

    where = f"{told_in}:{line + fault.lines_later} {fault.field}"
    assert any(problem.startswith(where) and fault.message in problem for problem in problems), problems
