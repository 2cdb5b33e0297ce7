"""Versions of the policy: one is current on each day, and each text is the one that was reviewed."""

import hashlib
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from shared.datamap.loader import load
from shared.datamap.models import NOT_STATED, DataMap, PolicyVersion
from shared.datamap.versions import current_on, version_of, versions_follow
from tests.factories import small_map
from tests.unit.datamap.conftest import Spoilt

TEXT = "A made-up text.\nÆøå\n"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
FIRST, SECOND = date(2018, 5, 28), date(2021, 9, 1)
DAY = timedelta(days=1)


def version(number: str = "1", **changes) -> PolicyVersion:
    return PolicyVersion(**{"number": number, "language": "en", "valid_from": FIRST, **changes})


def mapped(*versions: PolicyVersion) -> DataMap:
    datamap = small_map()
    return datamap.model_copy(update={"policy": datamap.policy.model_copy(update={"versions": versions})})


def findings(*versions: PolicyVersion) -> list[str]:
    return [f"{one.place.way} {one.message}" for one in versions_follow(mapped(*versions))]


TWO = (version(valid_to=SECOND - DAY), version("2", valid_from=SECOND))


@pytest.mark.clause("9.1")
@pytest.mark.parametrize(
    ("day", "number"),
    [(FIRST - DAY, None), (FIRST, "1"), (SECOND - DAY, "1"), (SECOND, "2"), (date(2999, 1, 1), "2")],
)
def test_one_version_is_current_on_each_day(day, number):
    found = current_on(mapped(*TWO), day, "en")

    assert (found and found.number) == number


def test_each_language_has_a_current_version_of_its_own():
    datamap = mapped(*TWO, version(language="da"))

    assert current_on(datamap, SECOND, "da") == version(language="da")
    assert current_on(datamap, SECOND, "de") is None
    assert version_of(datamap, "2", "da") is None
    assert version_of(datamap, "2", "en") == TWO[1]


def test_versions_that_follow_each_other_are_sound_in_any_order():
    assert findings(*TWO) == []
    assert findings(*reversed(TWO), version(language="da")) == []


@pytest.mark.parametrize("valid_to", [None, SECOND - 2 * DAY, SECOND])
def test_a_gap_an_overlap_and_two_current_ones_are_found(valid_to):
    found = findings(version(valid_to=valid_to), TWO[1])

    assert found == ["('versions', 1, 'valid_from') version 1 does not end the day before"]


def test_a_last_version_that_ended_leaves_none_current():
    assert findings(version(valid_to=SECOND)) == ["('versions', 0, 'valid_to') no version follows it"]


def test_a_version_that_ends_before_it_begins_is_found():
    found = findings(version(valid_to=FIRST - DAY), version("2"))

    assert found == ["('versions', 0, 'valid_to') it ends before it begins"]


def test_a_new_purpose_is_one_of_the_map_and_new_once():
    assert findings(version(new_purposes=("nothing",))) == [
        "('versions', 0, 'new_purposes') no purpose nothing"
    ]
    again = (TWO[0].model_copy(update={"new_purposes": ("serve",)}), version(language="da"))
    second = TWO[1].model_copy(update={"new_purposes": ("serve",)})
    assert findings(*again, second) == ["('versions', 2, 'new_purposes') serve is new in 1 already"]


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "1.en.md"},
        {"sha256": SHA256},
        {"text": "1.en.md", "sha256": SHA256, "content": TEXT + " "},
        {"content": TEXT},
        {"text": "../1.en.md", "sha256": SHA256},
        {"text": ".md", "sha256": SHA256},
        {"text": "1.en.docx", "sha256": SHA256},
        {"text": "1.en.md", "sha256": SHA256.upper()},
        {"number": "1/2"},
        {"language": "english"},
    ],
)
def test_a_version_without_a_pinned_text_or_a_usable_name_is_refused(changes):
    with pytest.raises(ValidationError):
        version(**changes)


@pytest.mark.clause("head")
def test_the_real_versions_have_no_made_up_text(datamap: DataMap):
    """No text was given to us; the controller enters it."""
    assert [one.text for one in datamap.policy.versions] == [NOT_STATED]
    assert all(one.content is None for one in datamap.policy.versions)


def _entered(spoilt: Spoilt, sha256: str = SHA256, text: bytes | None = TEXT.encode()) -> None:
    if text is not None:
        (spoilt.directory / "policies" / "1.en.md").write_bytes(text)
    spoilt.replace("policy.yaml", "text: not_stated", f"text: 1.en.md\n    sha256: {sha256}")


@pytest.mark.clause("head")
def test_an_entered_text_is_read_as_it_is_and_changes_the_map(spoilt: Spoilt, datamap: DataMap):
    _entered(spoilt)

    loaded = load(spoilt.directory)

    (only,) = loaded.policy.versions
    assert only.content == TEXT
    assert loaded.digest != datamap.digest
    assert TEXT not in loaded.model_dump_json()


@pytest.mark.clause("head")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.encode() + b" ", "the text is not the one with this sha256"),
        (TEXT.replace("\n", "\r\n").encode(), "the text is not the one with this sha256"),
        (b"\xff", "the text is not UTF-8"),
        (None, "there is no such text among the policies"),
    ],
)
def test_a_text_that_was_changed_or_is_missing_stops_the_map(spoilt: Spoilt, text, message):
    line = spoilt.line_of("policy.yaml", "text: not_stated")
    _entered(spoilt, text=text)

    assert spoilt.problems() == [f"policy.yaml:{line} versions[0].text: {message}"]
