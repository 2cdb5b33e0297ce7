"""The real map loads; a spoilt one says what is wrong with it, in which file, line and field."""

from pathlib import Path

import pytest

from shared.datamap.checks import check
from shared.datamap.loader import load
from shared.datamap.models import DataMap, OnErasure
from shared.domain.errors import Invalid
from tests.unit.datamap.conftest import Spoilt


def test_real_map_loads_without_a_finding(datamap: DataMap) -> None:
    assert check(datamap) == []
    assert [activity.id for activity in datamap.activities] == [
        "usage",
        "content_cloud",
        "authors",
        "members",
        "orders",
        "newsletter",
        "licences",
        "own_records",
    ]


def test_map_is_read_once_per_process() -> None:
    assert load() is load()


def test_copy_of_the_maps_is_the_same_map(datamap: DataMap, spoilt: Spoilt) -> None:
    copy = load(spoilt.directory)

    assert copy == datamap
    assert copy is not datamap


def test_digest_changes_with_any_word_of_the_map(datamap: DataMap, spoilt: Spoilt) -> None:
    spoilt.replace("usage.yaml", "en: Browser", "en: Browsers")

    assert load(spoilt.directory).digest != datamap.digest
    assert len(datamap.digest) == 64


def test_digest_does_not_change_with_a_comment(datamap: DataMap, spoilt: Spoilt) -> None:
    spoilt.replace("usage.yaml", "# Policy 2.1", "# The policy's 2.1")

    assert load(spoilt.directory).digest == datamap.digest


def test_all_problems_are_told_at_once(spoilt: Spoilt) -> None:
    first = spoilt.replace("usage.yaml", "type: datetime", "type: instant")
    second = spoilt.replace("orders.yaml", "kind: documents", "kind: paper")
    third = spoilt.replace("policy.yaml", "horizon_days: 30", "horizon_days: -1")

    problems = spoilt.problems()

    assert len(problems) == 3
    assert problems[0].startswith(f"orders.yaml:{second} stores[0].kind: ")
    assert problems[1].startswith(f"policy.yaml:{third} backups[0].horizon_days: ")
    assert problems[2].startswith(f"usage.yaml:{first} stores[0].fields[10].type: ")


def test_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no directory of maps"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["policy.yaml", "recipients.yaml"])
def test_missing_file_is_named(spoilt: Spoilt, name: str) -> None:
    (spoilt.directory / name).unlink()

    assert f"{name}:1 the file is missing" in spoilt.problems()


def test_file_that_is_no_utf_8_is_named(spoilt: Spoilt) -> None:
    (spoilt.directory / "usage.yaml").write_bytes(b"id: \xff\n")

    assert "usage.yaml:1 not UTF-8" in spoilt.problems()


def test_activity_copied_under_another_file_name_is_found(spoilt: Spoilt) -> None:
    copied = spoilt.directory / "usage_again.yaml"
    copied.write_text((spoilt.directory / "usage.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    assert spoilt.problems() == ["usage_again.yaml:2 id: usage.yaml has the same id"]


def test_added_field_of_our_own_records_needs_no_code(spoilt: Spoilt) -> None:
    spoilt.replace(
        "own_records.yaml",
        "      - {path: /v,",
        "      - {path: /added, type: string, title: {en: Added, da: Tilføjet}, category: request, "
        "source: system, on_erasure: keep, keep: *register}\n      - {path: /v,",
    )

    _, store = load(spoilt.directory).store("own_requests")

    added = next(field for field in store.fields if field.path == "/added")
    assert added.on_erasure is OnErasure.KEEP
