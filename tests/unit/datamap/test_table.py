"""The printed map: readable, complete, and honest about what is open."""

import json
from pathlib import Path

import pytest

from devtools.datamap import main, open_points
from shared.datamap.models import DataMap
from tests.unit.datamap.conftest import Spoilt


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_every_activity_store_field_and_recipient_is_printed(
    datamap: DataMap, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "--fields")

    for activity, store in datamap.stores():
        assert f"{activity.id} / {store.id}: {store.title.en}" in text
        for field in store.fields:
            assert field.path in text
    for recipient in datamap.recipients:
        if recipient.name != "not_stated":
            assert recipient.name.split()[0] in text


def test_fields_are_printed_of_whom_is_asked_for(
    datamap: DataMap, capsys: pytest.CaptureFixture[str]
) -> None:
    overview, text = printed(capsys), printed(capsys, "licences", "orders")

    assert len(overview.splitlines()) < 300
    for activity, store in datamap.stores():
        title = f"{activity.id} / {store.id}: {store.title.en}"
        assert title not in overview
        assert (title in text) is (activity.id in {"licences", "orders"})
    assert "GDPR article 6(1)" in " ".join(overview.split())


def test_an_activity_nobody_knows_is_answered_with_those_there_are(
    datamap: DataMap, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["licenses"]) == 1

    said = capsys.readouterr().err
    assert all(activity.id in said for activity in datamap.activities)


def test_silence_of_the_policy_is_printed_as_not_stated(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--fields")

    assert "not stated" in text
    assert "not_stated" not in text
    assert "5 years after the end of the year of /invoice_on" in " ".join(text.replace("│", " ").split())


def test_open_points_name_each_contested_or_undecided_thing(datamap: DataMap) -> None:
    points = open_points(datamap)

    assert ("authors", "No retention period is stated.") in points
    assert ("newsletter", datamap.policy.flag_meanings["consent_missing_in_text"]) in points
    assert {place for place, sentence in points if sentence.endswith("kept without an end date.")} == {
        "own_requests",
        "disclosures",
        "lookups",
        "controls",
    }
    assert any(place == "retargeting_unnamed" for place, _ in points)
    assert len(points) == len(set(points))


def test_json_is_the_whole_map(datamap: DataMap, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(printed(capsys, "--json"))

    assert DataMap.model_validate(content) == datamap


def test_faulty_map_is_not_printed_but_its_faults_are(
    spoilt: Spoilt, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt.replace("licences.yaml", "rule: R3", "rule: R9")

    assert main(["--directory", str(spoilt.directory)]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert "no retention rule R9" in said.err


def test_directory_without_maps_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--directory", str(tmp_path)]) == 1
    assert "policy.yaml:1 the file is missing" in capsys.readouterr().err
