"""Versions of the policy: which one is current on a day, and that there is exactly one. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from shared.datamap.findings import Finding, Place
from shared.datamap.models import DataMap, PolicyVersion


def current_on(datamap: DataMap, day: date, language: str) -> PolicyVersion | None:
    """Return the version in force on a day in Copenhagen. None: there is none in this language that day."""
    for version in datamap.policy.versions:
        ended = version.valid_to is not None and version.valid_to < day
        if version.language == language and version.valid_from <= day and not ended:
            return version
    return None


def version_of(datamap: DataMap, number: str, language: str) -> PolicyVersion | None:
    """Return one version, current or not. None: there is no such one in this language."""
    for version in datamap.policy.versions:
        if (version.number, version.language) == (number, language):
            return version
    return None


def versions_follow(datamap: DataMap) -> Iterator[Finding]:
    """Find days with no version or with two, and purposes that are called new and are unknown or not new."""
    by_language: dict[str, list[tuple[int, PolicyVersion]]] = {}
    numbered = enumerate(datamap.policy.versions)
    for index, version in sorted(numbered, key=lambda one: one[1].valid_from):
        by_language.setdefault(version.language, []).append((index, version))
        if version.valid_to is not None and version.valid_to < version.valid_from:
            yield _in(index, "valid_to", "it ends before it begins")
    for following in by_language.values():
        for (_, earlier), (index, later) in pairwise(following):
            if earlier.valid_to != later.valid_from - timedelta(days=1):
                yield _in(index, "valid_from", f"version {earlier.number} does not end the day before")
        index, last = following[-1]
        if last.valid_to is not None:
            yield _in(index, "valid_to", "no version follows it")
    yield from _new_purposes(datamap)


def _new_purposes(datamap: DataMap) -> Iterator[Finding]:
    known = {purpose.id for activity in datamap.activities for purpose in activity.purposes}
    first: dict[str, str] = {}
    for index, version in enumerate(datamap.policy.versions):
        for purpose_id in version.new_purposes:
            if purpose_id not in known:
                yield _in(index, "new_purposes", f"no purpose {purpose_id}")
            elif first.setdefault(purpose_id, version.number) != version.number:
                yield _in(index, "new_purposes", f"{purpose_id} is new in {first[purpose_id]} already")


def _in(index: int, name: str, message: str) -> Finding:
    return Place(kind="policy", way=("versions", index, name)).finding(message)
