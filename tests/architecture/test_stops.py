"""The reasons for which a request is put aside are all known, so that staff can list by each."""

import ast
import re
from pathlib import Path

from functions._problem_codes import CODES
from shared.domain.stops import stops
from shared.services.attention import PAUSED_BY_STAFF
from shared.services.switching import PAUSED

ROOT = Path(__file__).resolve().parents[2]
CODE_AT = {"stop": 2, "fail_lane": 3}
ELSEWHERE = {  # what is passed on, and what stands for it
    "code": (),  # of a transfer; below
    "resolved.problem": ("identifier_unreadable",),
    "switching.PAUSED": (PAUSED,),
    "f\"{queue.removeprefix('request-')}_poisoned\"": (
        "finish_poisoned",
        "letter_poisoned",
        "plan_poisoned",
    ),
}


def _stopped_with() -> set[str]:
    found = {PAUSED_BY_STAFF, "transfer_failed"}
    for path in ROOT.glob("shared/services/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_AT:
                code = node.args[CODE_AT[node.func.id]]
                found |= {code.value} if isinstance(code, ast.Constant) else {*ELSEWHERE[ast.unparse(code)]}
    return found


def test_every_reason_to_stop_is_listed_and_none_is_left_over():
    """What a transfer raises among them."""
    of_transfers = {one for codes in CODES.values() for one in codes if re.match("transfer_", one)}
    assert set(stops(())) == _stopped_with() | of_transfers


def test_a_kind_of_identifier_has_a_reason_of_its_own():
    """Found too often for one person."""
    assert set(stops(("email",))) - set(stops(())) == {"too_many_email"}
