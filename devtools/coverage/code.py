"""The code that makes an entry of a clause's `met_by` true: a file and a public name in it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from shared.domain.rights import Right

MAPS = "shared/datamap/maps"

RIGHTS: dict[Right, tuple[str, ...]] = {
    Right.ACCESS: ("shared.services.collecting:collect_documents", "shared.services.publishing:publish_copy"),
    Right.RECTIFICATION: (
        "shared.services.correcting:correct_documents",
        "shared.services.noting:attach",
        "shared.services.concluding:conclude",
    ),
    Right.ERASURE: (
        "shared.services.erasing:erase_documents",
        "shared.services.looking:look_at_documents",
        "shared.services.instructing:instruct",
        "shared.services.proving:prove",
    ),
    Right.RESTRICTION: ("shared.services.marking:restrict", "shared.services.lifting:announce_lifting"),
    Right.PORTABILITY: (
        "shared.datamap.portability:portable_record",
        "shared.rendering.portability:portability_entries",
        "shared.services.transferring:transfer_copy",
    ),
    Right.OBJECTION: ("shared.services.marking:restrict", "shared.services.deciding:approve"),
    Right.MARKETING_OBJECTION: ("shared.services.marking:object_to",),
    Right.WITHDRAWAL: ("shared.services.marking:withdraw",),
    Right.COMPLAINT: ("shared.services.fulfilling:fulfil_marks",),
}
"""What carries a right out. Every right has an entry, and every name must exist."""

RETENTION = ("shared.domain.periods:add_period", "shared.domain.retention:judge")
"""What counts every retention rule of the map that has a period."""

MODULES: dict[str, tuple[str, ...]] = {
    "shared.datamap.checks": ("check",),
    "shared.datamap.loader": ("load",),
    "shared.datamap.models": ("DataMap",),
    "shared.datamap.portability": ("is_portable", "not_covered"),
    "shared.datamap.versions": ("current_on", "versions_follow"),
    "shared.domain.cases": ("SubjectRequest",),
    "shared.domain.contacts": ("Contacts.require_complete",),
    "shared.domain.controls": ("Controls.restricts", "Restriction.forbids"),
    "shared.services.customers": ("ask_for_person",),
    "shared.services.entering": ("enter",),
    "shared.services.looking_up": ("look_up",),
    "shared.services.policy_display": ("must_show", "record_shown", "version"),
    "shared.services.retention": ("daily",),
    "shared.services.retention_cases": ("run_person", "catch_up"),
}
"""The names in a module that a clause rests on; a module without an entry is shown as a whole."""


@dataclass(frozen=True, order=True)
class Code:
    """A file from the root of the repository and a public name in it; an empty name is the whole file."""

    file: str
    name: str


class CoverageError(Exception):
    """Say which entry leads nowhere; correct the map or the tables of this module."""


def code_of(root: Path, met: str, *, has_period: bool = False) -> tuple[Code, ...]:
    """Return the code behind one entry such as `right:access`. Empty: it is planned.

    Args:
        root: The root of the repository.
        met: One entry of a clause's `met_by`.
        has_period: Whether a `rule:` counts a period, or acts on an event alone.

    Raises:
        CoverageError: a file or a name is not there.
    """
    kind, _, name = met.partition(":")
    match kind:
        case "planned":
            return ()
        case "activity":
            return (_map(root, f"{name}.yaml", ""),)
        case "recipient":
            return (_map(root, "recipients.yaml", name),)
        case "rule":
            counted = RETENTION if has_period else ()
            return (_map(root, "policy.yaml", name), *(_named(root, one) for one in counted))
        case "right":
            return tuple(_named(root, one) for one in RIGHTS[Right(name)])
        case "module":
            return tuple(_named(root, f"{name}:{one}") for one in MODULES.get(name, ("",)))
        case _:
            raise CoverageError(f"{met}: nothing is known about {kind}")


def _map(root: Path, file: str, name: str) -> Code:
    if not (root / MAPS / file).is_file():
        raise CoverageError(f"there is no map {file}")
    return Code(file=f"{MAPS}/{file}", name=name)


def _named(root: Path, reference: str) -> Code:
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
        if name:
            attrgetter(name)(module)
    except ModuleNotFoundError:
        raise CoverageError(f"there is no module {module_name}") from None
    except AttributeError:
        raise CoverageError(f"{module_name} has no {name}") from None
    return Code(file=Path(str(module.__file__)).relative_to(root).as_posix(), name=name)
