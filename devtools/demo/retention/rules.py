"""Section 5 of the policy as somebody reads it who does not know the app: slow, plain, everybody every time.

R1 (5.1) telemetry: a year after the person last used the application, on whichever installation; where no
use is known, a year after the last of it came in.
R2 (5.2) newsletter: when it was withdrawn.
R3 (5.3) licence contacts: five years after the end of that licence's maintenance.
R4a (5.4) membership: three years after the last login. R4b: three years after a suspension that was not
ended in time. R4c: when it was revoked. The earliest of the three counts.
A hold or a restriction delays; what nobody can date or own stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from devtools.demo.retention.civil import day_in, gone_from, local_day, years_later
from devtools.demo.retention.estate import Document, Estate, Item, contacts_of, line_body

USES = ("start", "stop", "feature")
R1_YEARS, R3_YEARS, R4_YEARS = 1, 5, 3
ENDED_SIGN_UPS = ("withdrawn", "unsubscribed")
FIRST_PRODUCTS = date(2000, 1, 1)  # what is dated earlier is a default or a mistake, and no date


class Fate(StrEnum):
    """What must be so after a run."""

    STAYS = "stays"
    GOES = "goes"
    HELD = "held"  # it would go, but for a hold or a restriction
    DOUBT = "doubt"  # nobody can tell when it began or whose it is: never deleted by a machine


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The fate of one item. `person`: whose it is, for counting. `since`: the first day it must be gone."""

    fate: Fate
    rule: str = ""
    person: str = ""
    since: date | None = None
    why: str = "the policy states no period"


STATES_NO_PERIOD = Verdict(fate=Fate.STAYS)


@dataclass(frozen=True, kw_only=True)
class Delay:
    """A hold or a restriction. `marks`: all that leads to its person. `activity` None: of every one."""

    marks: frozenset[str]
    activity: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Clock:
    rule: str
    since: date


class People:
    """Who is the same as whom, as the stored records themselves say.

    A mark is `user:`, `member:`, `author:` or `email:` and a value.
    """

    def __init__(self, estate: Estate) -> None:
        self._parent: dict[str, str] = {}
        self._marks: defaultdict[str, set[str]] = defaultdict(set)
        for body in estate.of_container("authors"):
            self._join(_mark("author", body.get("id")), _mark("email", body.get("email")))
            self._join(_mark("author", body.get("id")), _mark("user", body.get("user_id")))
        for body in estate.of_container("members"):
            self._join(_mark("member", body.get("id")), _mark("email", body.get("email")))
        for body in estate.of_container("usage_links"):
            self._join(_mark("member", body.get("member_id")), _mark("user", body.get("user_id")))

    def of(self, mark: str) -> str:
        """Return the one mark that stands for all marks of this person."""
        while (above := self._parent.get(mark, mark)) != mark:
            mark = above
        return mark

    def all_of(self, mark: str) -> frozenset[str]:
        """Return every mark of this person."""
        if not self._marks:
            for one in self._parent:
                self._marks[self.of(one)].add(one)
        return frozenset(self._marks.get(self.of(mark), ())) | {mark}

    def _join(self, one: str, other: str) -> None:
        if one and other:
            for mark in (one, other):
                self._parent.setdefault(mark, mark)
            self._parent[self.of(one)] = self.of(other)


def verdicts(estate: Estate, *, today: date, delays: Iterable[Delay] = ()) -> dict[Item, Verdict]:
    """Return what must become of every item on a day; items that are missing have no stated period."""
    reader = _Reader(estate, today, tuple(delays))
    return {**reader.telemetry(), **reader.sign_ups(), **reader.licences(), **reader.memberships()}


class _Reader:
    def __init__(self, estate: Estate, today: date, delays: tuple[Delay, ...]) -> None:
        self._estate = estate
        self._today = today
        self._delays = delays
        self._people = People(estate)

    def telemetry(self) -> dict[Item, Verdict]:
        """R1: events, installations, archived lines and the link to a membership, person by person."""
        items: defaultdict[str, list[Item]] = defaultdict(list)
        uses: defaultdict[str, list[date]] = defaultdict(list)
        others: defaultdict[str, list[date]] = defaultdict(list)
        for item, body, is_use, on in self._traces():
            person = self._user(body)
            items[person].append(item)
            if on is not None:
                (uses if is_use else others)[person].append(on)
        for item, body in self._documents("usage_links"):
            items[self._user(body)].append(item)
        found: dict[Item, Verdict] = {}
        for person, parts in items.items():
            last = max(uses[person] or others[person], default=None)
            clock = None if last is None else _Clock(rule="R1", since=gone_from(last, R1_YEARS))
            for item in parts:
                is_link = item.store == "usage_links"
                if not person:
                    found[item] = Verdict(fate=Fate.DOUBT, why="nobody can tell whose it is")
                elif clock is None and is_link:
                    found[item] = STATES_NO_PERIOD  # no telemetry: the link has the membership's time alone
                else:
                    activities = ("usage", "members") if is_link else ("usage",)
                    found[item] = self._fate([clock] if clock else [], person, activities)
        return found

    def _traces(self) -> Iterator[tuple[Item, Document, bool, date | None]]:
        """Yield what telemetry is made of, whether it is a use by the person, and of which day."""
        for item, body in self._documents("installations"):
            on = _when(body, "last_used_at") or _when(body, "first_seen_at") or _arrival(body)
            yield item, body, True, on
        for item, body in self._documents("usage_events"):
            is_use = body.get("kind") in USES
            came_on = _arrival(body)
            yield (
                item,
                body,
                is_use,
                (_when(body, "at") or came_on) if is_use else came_on or _when(body, "at"),
            )
        for name, lines in self._estate.lines.items():
            for line in lines:
                body = line_body(line)
                item = Item(store="usage_archive", name=name, part=line.decode(errors="replace"))
                yield item, body, body.get("kind") in USES, _when(body, "at")

    def sign_ups(self) -> dict[Item, Verdict]:
        """R2: each sign-up by itself."""
        found = {}
        for item, body in self._documents("newsletter_signups"):
            person = self._people.of(_mark("email", body.get("email")))
            if body.get("state") not in ENDED_SIGN_UPS:
                found[item] = Verdict(fate=Fate.STAYS, rule="R2", person=person, why="it is not withdrawn")
            elif not person:
                found[item] = Verdict(fate=Fate.DOUBT, why="nobody can tell whose it is")
            else:
                found[item] = self._fate([_Clock(rule="R2", since=self._today)], person, ("newsletter",))
        return found

    def licences(self) -> dict[Item, Verdict]:
        """R3: each contact person of each licence."""
        found = {}
        for item, body in self._documents("licences"):
            ends_on = _credible(body, "maintenance_ends_on")
            clock = None if ends_on is None else _Clock(rule="R3", since=gone_from(ends_on, R3_YEARS))
            for contact, part in contacts_of(body):
                email = contact.get("email") if isinstance(contact, dict) else None
                person = self._people.of(_mark("email", email))
                one = Item(store=item.store, name=item.name, part=part)
                if not person:
                    found[one] = Verdict(fate=Fate.DOUBT, why="nobody can tell whose it is")
                else:
                    found[one] = self._fate([clock] if clock else [], person, ("licences",))
        return found

    def memberships(self) -> dict[Item, Verdict]:
        """R4: each membership with its link; a link that R1 takes first is R1's."""
        found: dict[Item, Verdict] = {}
        links: defaultdict[str, list[Item]] = defaultdict(list)
        for item, body in self._documents("usage_links"):
            links[_mark("member", body.get("member_id"))].append(item)
        earlier = self.telemetry()
        for item, body in self._documents("members"):
            mark = _mark("member", body.get("id"))
            verdict = self._fate(list(self._clocks(body)), self._people.of(mark), ("members",))
            found[item] = verdict
            for link in links[mark]:
                if earlier[link].fate is not Fate.GOES and verdict.fate is not Fate.STAYS:
                    found[link] = verdict
        return found

    def _clocks(self, member: Document) -> Iterator[_Clock]:
        back_on = _when(member, "reactivated_at")
        logins = [day for day in (_when(member, "last_login_at"), back_on) if day is not None]
        seen_on = max(logins, default=None) or _when(member, "joined_at") or _arrival(member)
        if seen_on is not None:
            yield _Clock(rule="R4a", since=gone_from(seen_on, R4_YEARS))
        suspended_on = _when(member, "suspended_at")
        if suspended_on is not None:
            last_day = years_later(suspended_on, R4_YEARS)
            if back_on is None or not suspended_on <= back_on <= last_day:
                yield _Clock(rule="R4b", since=gone_from(suspended_on, R4_YEARS))
        if member.get("state") == "revoked":
            yield _Clock(rule="R4c", since=_when(member, "revoked_at") or self._today)

    def _fate(self, clocks: list[_Clock], person: str, activities: tuple[str, ...]) -> Verdict:
        if not clocks:
            return Verdict(fate=Fate.DOUBT, person=person, why="nothing tells when its period began")
        first = min(clocks, key=lambda clock: (clock.since, clock.rule))
        marks = self._people.all_of(person)
        if self._today < first.since:
            fate, why = Fate.STAYS, f"its time runs until {first.since}"
        elif any(one.marks & marks and one.activity in (None, *activities) for one in self._delays):
            fate, why = Fate.HELD, "a hold or a restriction keeps it"
        else:
            fate, why = Fate.GOES, f"it had to be gone from {first.since} on"
        return Verdict(fate=fate, rule=first.rule, person=person, since=first.since, why=why)

    def _documents(self, container: str) -> Iterator[tuple[Item, Document]]:
        for (store, partition, name), body in self._estate.documents.items():
            if store == container:
                yield Item(store=store, name=f"{partition}{name}"), body

    def _user(self, body: Document) -> str:
        return self._people.of(_mark("user", body.get("user_id")))


def _mark(kind: str, value: Any) -> str:
    """Return a mark, empty where the value is none."""
    if not isinstance(value, str) or not value.strip():
        return ""
    return f"{kind}:{value.lower() if kind == 'email' else value}"


def _when(body: Document, name: str) -> date | None:
    """Return the day of a field that a device or a person wrote: never later than the record came in.

    What nobody can read happened at the latest when it was written down, so it counts from then.
    """
    arrived_on = _arrival(body)
    day = _credible(body, name)
    if day is None:
        return None if body.get(name) in (None, "") else arrived_on
    return day if arrived_on is None else min(day, arrived_on)


def _credible(body: Document, name: str) -> date | None:
    day = day_in(body.get(name))
    return None if day is None or day < FIRST_PRODUCTS else day


def _arrival(body: Document) -> date | None:
    seconds = body.get("_ts")
    return local_day(datetime.fromtimestamp(seconds, UTC)) if isinstance(seconds, int) else None
