"""What both sides hold at one moment, read with the bare SDKs and from the processor's own account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ACTIVE = "Active"
WITHOUT_MAIL_FOR_NOW = frozenset({"Bounced", "Unconfirmed"})
"""States that say nothing of the person's wish: mail does not arrive, or its processor asks once more."""
EVERY_PURPOSE = ""
_BEGINS = frozenset({"given", "excepted"})
_ENDS = frozenset({"withdrawn", "objected"})
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, order=True)
class Seat:
    """One address in one list, as letters are compared."""

    list_id: str
    address: str

    def __str__(self) -> str:
        return f"{self.address} in {self.list_id[:4]}…"


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of the processor. `old_address` is another one only where the address changed."""

    list_id: str
    address: str
    old_address: str
    accepted: int


@dataclass(kw_only=True)
class Evidence:
    """Both sides.

    Attributes:
        states: How each address stands in each list there.
        suppressed: Addresses that get no mail there at all.
        told: Every event there was, with how often it was accepted.
        ledger: Rows of our ledger of consents by pseudonym.
        controls: Our controls by pseudonym, which the gate reads.
        changes: What is on its way to the processor, or waits for staff, by pseudonym.
    """

    states: dict[Seat, str] = field(default_factory=dict)
    suppressed: frozenset[str] = frozenset()
    told: Sequence[Told] = ()
    ledger: dict[str, list[Row]] = field(default_factory=dict)
    controls: dict[str, Row] = field(default_factory=dict)
    changes: dict[str, list[Row]] = field(default_factory=dict)

    def gets_mail(self, seat: Seat) -> bool:
        """Whether the processor would mail an address of a list."""
        return self.states.get(seat) == ACTIVE and seat.address not in self.suppressed

    def consents(self, subject_key: str, purpose_id: str) -> bool:
        """Whether the ledger, read slowly, says that a consent or exception stands."""
        word = last_word(self.ledger.get(subject_key, ()), purpose_id)
        return word is not None and word["kind"] in _BEGINS

    def told_of(self, seat: Seat, subject_key: str) -> str:
        """Return all that is known of an address in a list, for whoever looks for a fault."""
        said = [
            f"{one['kind']} at {one['at']}, noted {one['noted_at']} by {one['channel']}"
            for one in sorted(self.ledger.get(subject_key, ()), key=lambda one: moment(one["noted_at"]))
        ]
        shown = ("list_id", "attention", "attempts", "added", "returns", "left_before", "asked_at", "wake_at")
        on_its_way = [{name: one.get(name) for name in shown} for one in self.changes.get(subject_key, ())]
        return f"there {self.states.get(seat)}; here {said}; on its way {on_its_way}"

    def is_open(self, subject_key: str, purpose_id: str) -> bool:
        """Whether the gate, which reads the controls alone, is open as far as consents go."""
        row = self.controls.get(subject_key)
        if row is None:
            return False
        ends = [moment(one["at"]) for one in row.get("withdrawals") or () if one["purpose_id"] == purpose_id]
        ends += [moment(row["withdrawn_at"])] if row.get("withdrawn_at") else []
        ends += [
            moment(one["placed_at"])
            for one in row.get("objections") or ()
            if one["kind"] == "marketing" and not one.get("ended_at")
        ]
        return any(
            one["purpose_id"] == purpose_id
            and not one.get("withdrawn_at")
            and all(end < moment(one["given_at"]) for end in ends)
            for one in row.get("consents") or ()
        )


def moment(text: str) -> datetime:
    """Return a stored time."""
    return datetime.fromisoformat(text)


def words(rows: Iterable[Row], purpose_id: str) -> list[Row]:
    """Return what began or ended a consent to a purpose, in the order in which it happened.

    At one moment an end comes after a beginning: the person's no counts.
    """
    known = [
        one
        for one in rows
        if one["purpose_id"] in (purpose_id, EVERY_PURPOSE) and one["kind"] in _BEGINS | _ENDS
    ]
    return sorted(known, key=lambda one: (moment(one["at"]), one["kind"] in _ENDS))


def last_word(rows: Iterable[Row], purpose_id: str) -> Row | None:
    """Return what was said last about a purpose; None: nothing."""
    said = words(rows, purpose_id)
    return said[-1] if said else None


def is_beginning(row: Row) -> bool:
    """Whether it opens the gate."""
    return row["kind"] in _BEGINS


def of_account(account: Mapping[str, Any]) -> tuple[dict[Seat, str], frozenset[str]]:
    """Return the states and the suppressed addresses of everything an account holds."""
    states = {
        Seat(list_id=list_id, address=address): subscriber["state"]
        for list_id, found in account["lists"].items()
        for address, subscriber in found["subscribers"].items()
    }
    return states, frozenset(account["suppressed"])


def of_journal(events: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Return the events of a journal."""
    return [
        Told(
            list_id=one["list_id"],
            address=one["event"]["EmailAddress"].lower(),
            old_address=one["event"].get("OldEmailAddress", one["event"]["EmailAddress"]).lower(),
            accepted=one["accepted"],
        )
        for one in events
    ]


def by_pseudonym(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by the pseudonym they are about."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["subject_key"]].append(row)
    return dict(found)
