"""What follows from the policy's versions: a consent covers what the policy named when it was given. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol


class Version(Protocol):
    """A version of the policy, and the purposes it is the first to name."""

    @property
    def number(self) -> str: ...

    @property
    def valid_from(self) -> date: ...

    @property
    def new_purposes(self) -> tuple[str, ...]: ...


def consent_covers(purpose_id: str, consented_version: str, versions: Iterable[Version]) -> bool:
    """Whether a consent given under one version of the policy covers a purpose.

    It does when that version, or one before it, named the purpose. A purpose that no version calls new is as
    old as the first one. A version nobody knows covers nothing: what was consented to cannot be shown.

    Source: GDPR articles 6(1)(a), 7(1), 13(3); policy 8.1.
    """
    began: dict[str, date] = {}
    named: list[date] = []
    for version in versions:
        began[version.number] = min(version.valid_from, began.get(version.number, version.valid_from))
        if purpose_id in version.new_purposes:
            named.append(version.valid_from)
    if consented_version not in began:
        return False
    return not named or began[consented_version] >= min(named)
