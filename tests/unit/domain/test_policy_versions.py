"""A consent covers the purposes that the policy named when it was given."""

from dataclasses import dataclass
from datetime import date

import pytest

from shared.domain.policy_versions import consent_covers


@dataclass(frozen=True)
class Version:
    number: str
    valid_from: date
    new_purposes: tuple[str, ...] = ()


VERSIONS = (
    Version("3", date(2022, 4, 1), ("audiences",)),
    Version("1", date(2018, 5, 28)),
    Version("2", date(2021, 9, 1), ("profiling",)),
)


@pytest.mark.clause("8.1")
@pytest.mark.parametrize(
    ("purpose", "version", "covers"),
    [
        ("newsletter", "1", True),
        ("newsletter", "3", True),
        ("profiling", "1", False),
        ("profiling", "2", True),
        ("profiling", "3", True),
        ("audiences", "2", False),
        ("audiences", "3", True),
    ],
)
def test_an_old_consent_does_not_cover_a_new_purpose(purpose, version, covers):
    """The version that names a purpose first is enough, and every later one."""
    assert consent_covers(purpose, version, VERSIONS) is covers


@pytest.mark.parametrize("version", ["", "4", "2 "])
def test_a_version_nobody_knows_covers_nothing(version):
    """What was consented to cannot be shown."""
    assert not consent_covers("newsletter", version, VERSIONS)


def test_without_versions_nothing_is_covered():
    """There is nothing to have consented to."""
    assert not consent_covers("newsletter", "1", ())


def test_a_later_translation_makes_a_purpose_no_newer():
    """The number counts, from the first day it was published in any language."""
    translated = (*VERSIONS, Version("2", date(2021, 10, 1), ("profiling",)))
    assert consent_covers("profiling", "2", translated)
    assert consent_covers("profiling", "2", reversed(translated))
    assert not consent_covers("profiling", "1", translated)
