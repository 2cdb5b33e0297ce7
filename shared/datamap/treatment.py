"""What an erasure or an access does to one record, decided from the map's fields alone. Pure.

This is where data is destroyed or kept, so it never guesses: a keeping duty whose date cannot be read,
or a field nobody described in a record that must stay, makes the record undecidable.
"""

import copy
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.datamap.models import (
    Comparison,
    DataMap,
    DocumentStore,
    Elements,
    FieldRule,
    Keep,
    KeepUntil,
    Match,
    OnErasure,
)
from shared.domain.identifiers import Identifiers
from shared.domain.periods import last_day_kept
from shared.domain.times import copenhagen_day

_GENERATED = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"})
SYSTEM_FIELDS = _GENERATED | {"ttl"}  # a record's own time to live is no data, and stays when it is rewritten
OTHERS_DATA = "other people's data"


class Verdict(StrEnum):
    """What happens to a record."""

    ERASE = "erase"
    REWRITE = "rewrite"
    KEEP = "keep"  # nothing more can be taken out of it
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, kw_only=True)
class KeptField:
    """A reason that keeps part of a record, and its last day (None: no day is set)."""

    reason: str
    provision: str
    until: date | None


@dataclass(frozen=True, kw_only=True)
class Treated:
    """A verdict, the record that takes the old one's place, and why anything stays."""

    verdict: Verdict
    record: dict[str, Any] | None = None
    kept: tuple[KeptField, ...] = ()
    problem: str | None = None


def value_at(record: Any, path: str) -> Any:
    """Return the value at a JSON pointer, or `MISSING`."""
    for name in path.split("/")[1:]:
        if not isinstance(record, Mapping) or name not in record:
            return MISSING
        record = record[name]
    return record


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()


def erase_record(record: Mapping[str, Any], fields: Sequence[FieldRule], *, today: date) -> Treated:
    """Decide what an erasure does to a record that is one person's.

    A record none of whose fields has to stay is erased whole. Otherwise the fields that must go are
    removed, masked ones overwritten, and the rest stays; a second call on the result says KEEP.
    """
    try:
        removed, masked, kept = _sorted(record, fields, today)
    except _UnreadableError as error:
        return Treated(verdict=Verdict.UNDECIDABLE, problem=str(error))
    if not masked and not kept:
        return Treated(verdict=Verdict.ERASE)
    unknown = unmapped_paths(record, fields)
    if unknown:
        return Treated(verdict=Verdict.UNDECIDABLE, problem=f"field_not_mapped:{unknown[0]}")
    old = {name: value for name, value in record.items() if name not in _GENERATED}
    new = copy.deepcopy(old)
    for field in removed:
        _remove(new, field.path)
    for field in masked:
        _replace(new, field.path, field.mask_with)
    reasons = tuple(dict.fromkeys(kept))
    if new == old:
        return Treated(verdict=Verdict.KEEP, kept=reasons)
    return Treated(verdict=Verdict.REWRITE, record=new, kept=reasons)


def goes_whole(store: DocumentStore) -> bool:
    """Whether every record of the store goes in an erasure, whatever is in it."""
    fates = {field.on_erasure for field in store.fields}
    return store.elements is None and fates <= {OnErasure.ERASE, OnErasure.FOLLOW}


def erase_elements(
    document: Mapping[str, Any],
    elements: Elements,
    fields: Sequence[FieldRule],
    datamap: DataMap,
    identifiers: Identifiers,
    *,
    today: date,
) -> Treated:
    """Decide what an erasure does to one person's elements of a shared document; others stay as they are."""
    found = value_at(document, elements.path)
    if not isinstance(found, list):
        return Treated(verdict=Verdict.UNDECIDABLE, problem=f"not_an_array:{elements.path}")
    staying: list[Any] = []
    kept: list[KeptField] = []
    for element in found:
        if not belongs(element, elements.matches, datamap, identifiers):
            staying.append(element)
            continue
        treated = erase_record(element, fields, today=today)
        if treated.verdict is Verdict.UNDECIDABLE:
            return treated
        kept.extend(treated.kept)
        if treated.verdict is not Verdict.ERASE:
            staying.append(element if treated.record is None else treated.record)
    reasons = tuple(dict.fromkeys(kept))
    if staying == found:
        return Treated(verdict=Verdict.KEEP, kept=reasons)
    new = copy.deepcopy({name: value for name, value in document.items() if name not in _GENERATED})
    _replace(new, elements.path, staying)
    return Treated(verdict=Verdict.REWRITE, record=new, kept=reasons)


def belongs(record: Any, matches: Sequence[Match], datamap: DataMap, identifiers: Identifiers) -> bool:
    """Tell whether a record carries one of the person's identifiers where the map says it would.

    Without case also means however Unicode composes the letters, and without blanks around: people type one
    form, systems store another.
    """
    for match in matches:
        known = [one for one in identifiers.get(match.identifier, ()) if one.strip()]
        if not known:  # blanks alone identify nobody
            continue
        value = value_at(record, match.path)
        values = value if match.many and isinstance(value, list) else [value]
        if datamap.identifier(match.identifier).comparison is Comparison.CASE_INSENSITIVE:
            folded = {_folded(text) for text in known}
            if any(isinstance(text, str) and _folded(text) in folded for text in values):
                return True
        elif any(isinstance(text, str) and text in known for text in values):
            return True
    return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).lower()


def visible_record(record: Mapping[str, Any], fields: Sequence[FieldRule]) -> dict[str, Any]:
    """Return what the person may see of an own record: without technical fields and other people's data."""
    visible = copy.deepcopy({name: value for name, value in record.items() if name not in SYSTEM_FIELDS})
    redacted = []
    for field in fields:
        if field.about == "other" and value_at(visible, field.path) is not MISSING:
            _remove(visible, field.path)
            redacted.append({"path": field.path, "reason": OTHERS_DATA})
        elif not _is_own(record, field):
            if value_at(visible, field.path) not in (MISSING, None, ""):
                redacted.append({"path": field.path, "reason": OTHERS_DATA})
            _remove(visible, field.path)
        elif field.hides and _strip(value_at(visible, field.path), frozenset(field.hides)):
            redacted.append({"path": field.path, "reason": OTHERS_DATA})
    if redacted:
        visible["_redacted"] = redacted
    return visible


def _is_own(record: Mapping[str, Any], field: FieldRule) -> bool:
    when = field.own_when
    if when is None:
        return True
    value = value_at(record, when.path)
    return value == when.equals if when.equals else value is MISSING or value in (None, "", [], {})


def _strip(value: Any, names: frozenset[str]) -> int:
    """Take names out of a value, however deep they lie, and return how many held something."""
    if isinstance(value, list):
        return sum(_strip(one, names) for one in value)
    if not isinstance(value, dict):
        return 0
    there = sum(value.pop(name, None) not in (None, "") for name in names)
    return there + sum(_strip(one, names) for one in value.values())


def visible_elements(
    document: Mapping[str, Any],
    elements: Elements,
    fields: Sequence[FieldRule],
    datamap: DataMap,
    identifiers: Identifiers,
) -> tuple[list[dict[str, Any]], int]:
    """Return the person's elements with their surroundings, and how many elements of others were left out."""
    found = value_at(document, elements.path)
    if not isinstance(found, list):
        return [], 0
    mine = [element for element in found if belongs(element, elements.matches, datamap, identifiers)]
    context = {
        path.strip("/").replace("/", "_"): value_at(document, path)
        for path in elements.surroundings
        if value_at(document, path) is not MISSING
    }
    others = len(found) - len(mine)
    note = [{"path": elements.path, "reason": OTHERS_DATA}] if others else []
    return [
        {**context, **visible_record(element, fields), **({"_redacted": note} if note else {})}
        for element in mine
    ], others


def found_identifiers(
    record: Mapping[str, Any], fields: Sequence[FieldRule]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the identifiers a record carries, and the paths where one had the wrong type.

    Blanks alone are no identifier: they would be the same one of everybody who has them.
    """
    found: list[tuple[str, str]] = []
    wrong: list[str] = []
    for field in fields:
        if field.identifier is None or not _is_own(record, field):
            continue
        value = value_at(record, field.path)
        if isinstance(value, str):
            found += [(field.identifier, value)] if value.strip() else []
        elif value is not MISSING and value is not None:
            wrong.append(field.path)
    return found, wrong


def unmapped_paths(record: Mapping[str, Any], fields: Sequence[FieldRule]) -> list[str]:
    """Return the leaf paths no field of the map describes, sorted; the database's own fields left out.

    A name with a slash is written as in RFC 6901, so it cannot pass for the path of a mapped field.
    """
    paths = {field.path for field in fields}
    parents = {path[: path.rindex("/")] for path in paths if path.count("/") > 1}
    unknown: list[str] = []

    def walk(value: Any, path: str) -> None:
        if path in paths:
            return
        if isinstance(value, Mapping) and any(
            parent == path or parent.startswith(f"{path}/") for parent in parents
        ):
            for name, inner in value.items():
                walk(inner, f"{path}/{_escaped(name)}")
            return
        unknown.append(path)

    for name, value in record.items():
        if name not in SYSTEM_FIELDS:
            walk(value, f"/{_escaped(name)}")
    return sorted(unknown)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


class _UnreadableError(Exception):
    """A keeping duty's date is missing or no date."""


def _sorted(
    record: Mapping[str, Any], fields: Sequence[FieldRule], today: date
) -> tuple[list[FieldRule], list[FieldRule], list[KeptField]]:
    """Sort the fields a record has into those to remove, those to mask, and the reasons to keep others."""
    removed: list[FieldRule] = []
    masked: list[FieldRule] = []
    kept: list[KeptField] = []
    counted_from: set[str] = set()
    for field in fields:
        if value_at(record, field.path) is MISSING:
            continue
        if field.on_erasure is OnErasure.MASK:
            masked.append(field)
        elif field.on_erasure is OnErasure.ERASE:
            removed.append(field)
        elif field.keep is not None:
            until = _kept_until(record, field.keep)
            if until is None or today <= until:
                reason = field.keep.reason.en
                kept.append(KeptField(reason=reason, provision=field.keep.provision, until=until))
                if isinstance(field.keep.until, KeepUntil):
                    counted_from.add(field.keep.until.path)
            else:
                removed.append(field)
    # A date that ran out itself stays as long as another field's last day is counted from it.
    return [field for field in removed if field.path not in counted_from], masked, kept


def _kept_until(record: Mapping[str, Any], keep: Keep) -> date | None:
    if not isinstance(keep.until, KeepUntil):
        return None
    start = _day(value_at(record, keep.until.path))
    try:
        if start is not None:
            return last_day_kept(start, keep.until.period, counted_from=keep.until.counted_from)
    except (ValueError, OverflowError):
        pass  # the period ends after the last day of the calendar
    raise _UnreadableError(f"keeping_date_unreadable:{keep.until.path}")


def _day(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(value)
            return copenhagen_day(moment) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None


def _remove(record: dict[str, Any], path: str) -> None:
    *parents, last = path.split("/")[1:]
    chain: list[tuple[dict[str, Any], str]] = []
    for name in parents:
        chain.append((record, name))
        inner = record.get(name)
        if not isinstance(inner, dict):
            return
        record = inner
    record.pop(last, None)
    for parent, name in reversed(chain):
        if parent[name] == {}:
            del parent[name]


def _replace(record: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")[1:]
    for name in parents:
        record = record[name]
    record[last] = value
