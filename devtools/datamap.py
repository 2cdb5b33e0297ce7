"""Prints the data map as tables a data-protection officer can read, or as JSON."""

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.datamap.checks import planned, used_flags
from shared.datamap.loader import load
from shared.datamap.models import (
    NOT_STATED,
    Activity,
    DataMap,
    FieldRule,
    FileStore,
    KeepUntil,
    LegalBasis,
    LineStore,
    OnErasure,
    Recipient,
    Store,
    Transfer,
)
from shared.domain.errors import Invalid

_WIDTH_WITHOUT_TERMINAL = 160
_LEGEND = (
    "Basis: letters of GDPR article 6(1), as the policy states them / as this map finds them supported. "
    "Contested: who is the controller is disputed. Not stated: the policy says nothing; see the open points. "
    "Fields: name an activity by the id in brackets, such as usage, or ask for --fields."
)
_PERIOD_UNITS = {"Y": "year", "M": "month"}


def main(arguments: Sequence[str]) -> int:
    """Print the map; 0 when it is sound, 1 when it has faults, which are printed instead."""
    parser = argparse.ArgumentParser(prog="python3 -m devtools datamap", description=__doc__)
    parser.add_argument(
        "activity", nargs="*", help="ids of activities whose fields to print; default: none's"
    )
    parser.add_argument("--fields", action="store_true", help="print the fields of every activity")
    parser.add_argument("--json", action="store_true", help="print the whole map as one JSON object")
    parser.add_argument("--directory", type=Path, help="another directory of maps; default: the packaged one")
    options = parser.parse_args(arguments)
    try:
        datamap = load(options.directory)
    except Invalid as error:
        print(error.detail, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(datamap.model_dump(mode="json"), ensure_ascii=False, indent=2))
        return 0
    known = [activity.id for activity in datamap.activities]
    if wrong := sorted(set(options.activity) - set(known)):
        print(f"no activity {', '.join(wrong)}; choose from: {', '.join(known)}", file=sys.stderr)
        return 1
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL)
    for table in tables(datamap, fields_of=known if options.fields else options.activity):
        console.print(table)
        console.print()
    return 0


def tables(datamap: DataMap, *, fields_of: Collection[str]) -> Iterator[Table]:
    """Yield the overview, the stores of some activities, the recipients, and what is still to be decided."""
    yield _overview(datamap)
    for activity, store in datamap.stores():
        if activity.id in fields_of:
            yield _store(datamap, activity, store)
    yield _recipients(datamap)
    yield _open_points(datamap)


def open_points(datamap: DataMap) -> list[tuple[str, str]]:
    """Return what the policy leaves open, as place and sentence, in the map's order."""
    meanings = datamap.policy.flag_meanings
    points = [
        (f"version {version.number}", meanings[flag])
        for version in datamap.policy.versions
        for flag in version.flags
    ]
    for activity in datamap.activities:
        points += [(activity.id, meanings[flag]) for flag in used_flags(activity)]
        if activity.retention.rule == NOT_STATED:
            points.append((activity.id, "No retention period is stated."))
        points += [
            (store.id, f"{title} is kept without an end date.")
            for store in activity.stores
            for title in _kept_for_ever(store)
        ]
    for recipient in datamap.recipients:
        points += [(recipient.id, meanings[flag]) for flag in recipient.flags]
    for clause in datamap.policy.clauses:
        if clause.weakness is not None:
            points.append((f"clause {clause.number}", clause.weakness))
    points += [
        (f"clause {number}", f"Not built yet: {', '.join(names)}.")
        for number, names in planned(datamap).items()
    ]
    return points


def _overview(datamap: DataMap) -> Table:
    versions = ", ".join(f"{one.number} from {one.valid_from}" for one in datamap.policy.versions)
    table = Table(
        title=f"Activities (policy version {versions}; map {datamap.digest[:12]})",
        caption=_LEGEND,
        show_lines=True,
    )
    for heading in (
        "Activity",
        "Clauses",
        "Purposes",
        "Basis: stated / supported",
        "Stores",
        "Period",
        "Recipients",
    ):
        table.add_column(heading, overflow="fold")
    names = {recipient.id: _name(recipient) for recipient in datamap.recipients}
    for activity in datamap.activities:
        role = f"{activity.role}, contested" if activity.role_contested else activity.role
        table.add_row(
            f"{activity.title.en}\n({activity.id}; {role})",
            "\n".join(activity.clauses),
            "\n".join(f"{purpose.title.en} ({purpose.id})" for purpose in activity.purposes),
            _basis(activity.legal_basis),
            "\n".join(store.id for store in activity.stores),
            _period(datamap, activity),
            "\n".join(names[name] for name in activity.recipients),
        )
    return table


def _store(datamap: DataMap, activity: Activity, store: Store) -> Table:
    table = Table(title=f"{activity.id} / {store.id}: {store.title.en}", caption=_where(store))
    if isinstance(store, FileStore):
        table.add_column("Erasure")
        table.add_row("Every blob below the prefix is erased whole, with its versions and snapshots.")
        return table
    for heading in ("Field", "Meaning", "Category", "About", "Source", "Erasure", "Portable"):
        table.add_column(heading, overflow="fold")
    for field in store.fields:
        table.add_row(
            field.path,
            field.title.en,
            datamap.policy.categories[field.category].en,
            field.about,
            field.source,
            _treatment(field),
            "yes" if field.portable else "",
        )
    return table


def _recipients(datamap: DataMap) -> Table:
    table = Table(title="Recipients", show_lines=True)
    for heading in ("Recipient", "Kind", "Clause", "What for", "Data", "Contract", "Transfers"):
        table.add_column(heading, overflow="fold")
    for recipient in datamap.recipients:
        table.add_row(
            _name(recipient),
            recipient.kind,
            recipient.clause,
            recipient.what_for.en,
            recipient.data.en,
            _stated(recipient.contract_ref) if recipient.kind == "processor" else "",
            "\n".join(_transfer(transfer) for transfer in recipient.transfers),
        )
    return table


def _open_points(datamap: DataMap) -> Table:
    table = Table(title="Open points: what the policy leaves to be decided, and what is not built yet")
    table.add_column("Where")
    table.add_column("What", overflow="fold")
    for place, sentence in open_points(datamap):
        table.add_row(place, sentence)
    return table


def _basis(basis: LegalBasis) -> str:
    return f"{', '.join(basis.stated) or 'not stated'} / {', '.join(basis.supported) or 'undecided'}"


def _period(datamap: DataMap, activity: Activity) -> str:
    if activity.retention.rule == NOT_STATED:
        return "not stated"
    rules = {rule.id: rule for rule in datamap.policy.retention_rules}
    names = (activity.retention.rule, *activity.retention.further_rules)
    stated = [f"{name}: {rules[name].title.en}" for name in names if not rules[name].decisions]
    decided = [
        f"{one.period} after {one.trigger}, from {one.effective_from}, decided by {one.decided_by}"
        for one in datamap.decisions_of(activity.id)
    ]
    return "\n".join([*stated, *decided])


def _where(store: Store) -> str:
    if isinstance(store, FileStore | LineStore):
        text = f"blob container {store.container}, prefix {store.prefix or '(all)'}"
    else:
        text = f"Cosmos {store.database}/{store.container}, partition key {store.partition_key}"
    matches = () if isinstance(store, FileStore) else store.matches
    if store.kind == "documents" and store.elements is not None:
        matches = store.elements.matches
        text += f", elements of {store.elements.path}"
    found = " or ".join(f"{match.identifier} at {match.path}" for match in matches)
    return f"{text}; found by {found}" if found else text


def _treatment(field: FieldRule) -> str:
    if field.keep is not None:
        until = field.keep.until
        last = f"until {_until(until)}" if isinstance(until, KeepUntil) else "no end stated"
        return f"kept, {last}: {field.keep.reason.en} ({field.keep.provision})"
    return {
        OnErasure.ERASE: "erased",
        OnErasure.MASK: f"overwritten with {field.mask_with}",
        OnErasure.FOLLOW: "goes with its record",
        OnErasure.KEEP: "kept",
    }[field.on_erasure]


def _until(until: KeepUntil) -> str:
    count, unit = until.period[1:-1], _PERIOD_UNITS[until.period[-1]]
    start = "the end of the year of " if until.counted_from == "end_of_calendar_year" else ""
    return f"{count} {unit}{'' if count == '1' else 's'} after {start}{until.path}"


def _kept_for_ever(store: Store) -> Iterator[str]:
    titles = [field.title.en for field in store.fields if field.keep and field.keep.until == NOT_STATED]
    if titles:
        yield titles[0] if len(titles) == 1 else f"{titles[0]} with {len(titles) - 1} more fields"


def _transfer(transfer: Transfer) -> str:
    days = f"{transfer.valid_from or ''} to {transfer.valid_to or 'now'}"
    mechanism = "no mechanism recorded" if transfer.mechanism == NOT_STATED else transfer.mechanism
    return f"{transfer.country}, {transfer.importer}, {days}: {mechanism}"


def _name(recipient: Recipient) -> str:
    return f"not named ({recipient.what_for.en.lower()})" if recipient.name == NOT_STATED else recipient.name


def _stated(value: str) -> str:
    return "not stated" if value == NOT_STATED else value
