"""Our own data stands in one list, whole, with how long it stays or that nobody said."""

import json
from pathlib import Path

import pytest

from devtools.retention_check import check
from shared.adapters.cosmos import COMPLIANCE_CONTAINERS
from shared.adapters.stored_webhooks import _RECEIPT_SECONDS
from shared.datamap.decisions import Decisions
from shared.datamap.loader import assemble, load
from shared.datamap.models import BuiltIn, DataMap, OwnDataDecision, SetBy
from shared.datamap.own_data import period_of, told_by, unsaid
from shared.domain.limits import Limits
from shared.domain.messages import QUEUES
from shared.ports.newsletter_leavings import SEEN_DAYS
from shared.settings import Settings
from tests.unit.datamap.conftest import Spoilt
from tests.unit.datamap.test_decisions import COMPLETE

NAMES = json.loads((Path(__file__).resolve().parents[3] / "infra" / "names.json").read_text("utf-8"))
SAID = {"LOG_DAYS": "90", "SENT_MAIL_DAYS": "365"}
OWN = {key: value for key, value in COMPLETE.items() if key not in ("activity", "trigger")}


def own(datamap: DataMap, own_id: str):
    return next(one for one in datamap.own_data if one.id == own_id)


def decide(spoilt: Spoilt, **changes: str | None) -> None:
    """Write a decision about case files into the copied map; a None leaves its member out."""
    members = {"own_data": "case_files", **OWN, **changes}
    lines = [f"{key}: {value}" for key, value in members.items() if value is not None]
    text = "own_data:\n  - " + "\n    ".join(lines)
    spoilt.replace("decisions.yaml", "own_data: []", text)


def test_every_place_of_ours_is_in_the_list_once(datamap: DataMap) -> None:
    places = [place for one in datamap.own_data for place in one.held_in]
    assert len(places) == len(set(places))
    assert set(places) == {
        *(f"cosmos:{name}" for name in COMPLIANCE_CONTAINERS),
        *(f"blob:{name}" for name in NAMES["blobContainers"]["ours"]),
        *(f"queue:{name}" for name in QUEUES),
        "mailbox:sent",
        "workspace:logs",
    }


def test_a_period_that_is_set_or_built_in_is_the_one_in_force(datamap: DataMap) -> None:
    """As the code has it."""
    settings = {one.kept.setting.lower() for one in datamap.own_data if isinstance(one.kept, SetBy)}
    assert settings <= set(Settings.model_fields)
    built_in = {one.id: one.kept.days for one in datamap.own_data if isinstance(one.kept, BuiltIn)}
    assert built_in["webhook_bodies"] == Limits().webhook_body_days
    assert built_in["webhook_receipts"] * 86_400 == _RECEIPT_SECONDS
    assert built_in["newsletter_leavings"] == SEEN_DAYS


def test_what_is_required_can_be_said(datamap: DataMap) -> None:
    """By a setting, or by a decision that something executes."""
    for one in datamap.own_data:
        if one.required:
            assert isinstance(one.kept, SetBy) or one.deletes is not None, one.id


def test_nothing_is_decided_as_it_ships(datamap: DataMap) -> None:
    assert all(not one.decisions for one in datamap.own_data)
    assert [one.id for one in unsaid(datamap.own_data, {})][:2] == ["packages", "case_files"]


@pytest.mark.parametrize(("days", "said"), [(0, None), (1, "1 days (LOG_DAYS)"), (90, "90 days (LOG_DAYS)")])
def test_a_setting_says_how_long_from_one_day_on(datamap: DataMap, days: int, said: str | None) -> None:
    assert period_of(own(datamap, "logs"), {"LOG_DAYS": days}) == said


def test_a_decision_says_how_long_and_from_when() -> None:
    datamap = load()
    decision = OwnDataDecision.model_validate({"own_data": "case_files", **OWN})
    made = Decisions(activities=(), own_data=(decision,))
    decided = assemble(datamap.policy, datamap.activities, datamap.recipients, datamap.own_data, made)
    assert period_of(own(decided, "case_files"), {}) == "P2Y from 2026-02-01"
    assert period_of(own(decided, "disclosures"), {}) is None
    assert told_by(own(decided, "case_files")) == "decisions.yaml, own_data: case_files"
    assert decided.digest != datamap.digest


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"reason": None}, "decision_incomplete", "reason"),
        ({"decided_by": None}, "decision_incomplete", "decided_by"),
        ({"period": "three years"}, "decision_period_unreadable", "period"),
        ({"own_data": "letters"}, "decision_own_data_unknown", "own_data"),
        ({"own_data": "packages"}, "decision_period_elsewhere", "own_data"),
        ({"own_data": "consent_proof"}, "decision_period_elsewhere", "own_data"),
        ({"own_data": "proofs"}, "decision_not_executable", "own_data"),
        ({"own_data": "choices"}, "decision_not_executable", "own_data"),
        ({"effective_from": "2025-12-31"}, "decision_backdated", "effective_from"),
        ({"applies_to_existing": "a basis"}, "decision_without_earlier", "applies_to_existing"),
        ({"trigger": "closed"}, "decision_unreadable", "trigger"),
    ],
)
def test_a_decision_about_our_own_data_is_refused_with_its_code_and_place(
    spoilt: Spoilt, changes: dict[str, str | None], code: str, field: str
) -> None:
    decide(spoilt, **changes)
    found = [one for one in spoilt.problems() if one.startswith("decisions.yaml:")]
    assert any(f".{field}: {code}: " in one for one in found), found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("path: /disclosed_at", "path: /handed_on_at", "no field describes /handed_on_at as a date"),
        ("store: disclosures", "store: members", "no store of our own members"),
        ("id: lookups", "id: disclosures", "disclosures stands twice"),
    ],
)
def test_a_deletion_that_would_find_nothing_is_found(
    spoilt: Spoilt, old: str, new: str, message: str
) -> None:
    spoilt.replace("own_data.yaml", old, new)
    assert any(one.startswith("own_data.yaml:") and message in one for one in spoilt.problems())


def test_production_is_refused_while_a_required_period_is_missing_and_told_all_of_them(capsys) -> None:
    assert check("azure", {}) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "refused: retention_period_required: case_files: say it in decisions.yaml, own_data: case_files",
        "refused: retention_period_required: sent_mail: say it in SENT_MAIL_DAYS",
        "refused: retention_period_required: logs: say it in LOG_DAYS",
    ]


def test_a_local_run_is_warned_of_the_same(capsys) -> None:
    assert check("local", {}) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert all(line.startswith("warning: retention_period_required: ") for line in told)


def test_production_is_let_through_when_all_that_is_required_is_said(spoilt: Spoilt, capsys) -> None:
    decide(spoilt)
    assert check("azure", SAID, spoilt.directory) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("value", ["0", "", "many", "-1"])
def test_a_setting_that_says_nothing_is_missing(spoilt: Spoilt, capsys, value: str) -> None:
    decide(spoilt)
    assert check("azure", {**SAID, "LOG_DAYS": value}, spoilt.directory) == 1
    assert capsys.readouterr().err.splitlines() == [
        "refused: retention_period_required: logs: say it in LOG_DAYS"
    ]


def test_a_map_that_is_refused_refuses_the_deployment(spoilt: Spoilt, capsys) -> None:
    """With the code of the decision that is wrong."""
    decide(spoilt, reason=None)
    assert check("azure", SAID, spoilt.directory) == 1
    assert "decision_incomplete" in capsys.readouterr().err
