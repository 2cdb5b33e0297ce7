"""People whose last day is exactly one of the eves, or one of the days: made up for the scenario alone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from devtools.demo.retention.acts import Act, written
from devtools.demo.retention.civil import begins_for, moment_at
from devtools.demo.retention.journey import MIDNIGHTS, NEW_YEAR, NO_LEAP_DAY, START, SUMMER_TIME, WINTER_TIME
from devtools.demo.retention.lives import use
from devtools.demo.retention.rules import R1_YEARS, R3_YEARS, R4_YEARS
from devtools.sample_data.person import Installation

CUSTOMER_ID = "cust-edges"
_JOINED_ON = date(2017, 5, 2)
_NIGHT, _MORNING, _NOON, _EVENING = (23, 59, 59), (0, 0, 0), (12, 0, 0), (22, 30, 0)
_STATES = {"suspended_at": "suspended", "reactivated_at": "active", "revoked_at": "revoked"}
HELD_LICENCE = "lic-held"
HELD_CONTACT = "contact.held@example.org"
HELD_MEMBER = "member.held@example.org"
RESTRICTED_MEMBER = "member.restricted@example.org"
HELD_USER, RESTRICTED_USER = "user-edge-held", "user-edge-restricted"


@dataclass
class Edges:
    """Gathers acts. Everybody's telemetry lies on two installations that all of them share."""

    acts: list[Act] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random("edges"))

    def uses(
        self, user: str, day: date, hour: tuple[int, int, int], *, where: int = 0, kind: str = ""
    ) -> None:
        """Let somebody use an installation; its archive gets a line that is of the same moment."""
        at = moment_at(day, *hour)
        key = f"{user}-{where}-{written(at)}-{kind}"
        place = _installation(where)
        self.acts += use(user, place, at, self.dice, key=key, kind=kind)
        line = {
            "event_id": f"line-{key}",
            "user_id": user,
            "installation_id": place.installation_id,
            "kind": kind or "start",
            "at": written(at),
        }
        blob = f"{place.installation_id}/{day:%Y-%m}.ndjson"
        self.acts.append(Act(at=at, container="usage-archive", body=line, blob=blob))

    def event(self, user: str, at: datetime, *, kind: str, delivered_at: datetime | None = None) -> None:
        """Store a single event that the summary of the installation does not tell."""
        place = _installation(0)
        body = {
            "id": f"evt-{user}-{written(at)}-{kind}",
            "user_id": user,
            "installation_id": place.installation_id,
            "customer_id": CUSTOMER_ID,
            "kind": kind,
            "at": written(at),
        }
        self.acts.append(Act(at=delivered_at or at, container="usage_events", body=body))

    def member(self, name: str, at: datetime | None = None, /, **fields: object) -> None:
        """Let somebody join, long ago unless it is said when; the fields are what is known of them."""
        joined_at = at or moment_at(_JOINED_ON, 12)
        body = {
            "id": f"mem-{name}",
            "email": f"{name}@example.org",
            "name": f"Made-up Member {name}",
            "newsletter": False,
            "joined_at": written(joined_at),
            "state": "active",
            **fields,
        }
        self.acts.append(Act(at=joined_at, container="members", body=body))

    def lived(self, name: str, **moments: datetime) -> None:
        """Write a member's logins and changes, each at its own moment, as the community does."""
        for field_name, at in moments.items():
            state = _STATES.get(field_name, "")
            more = {"state": state} if state else {}
            self.changed(name, at, **{field_name: written(at)}, **more)

    def changed(self, name: str, at: datetime, **fields: str) -> None:
        """Change a membership."""
        self.acts.append(Act(at=at, container="members", body={"id": f"mem-{name}", **fields}, adds=False))

    def linked(self, name: str, user: str) -> None:
        """Link a membership to the use of the product."""
        body = {"id": f"link-{name}", "member_id": f"mem-{name}", "user_id": user}
        at = moment_at(_JOINED_ON, 13)
        self.acts.append(Act(at=at, container="usage_links", body={**body, "linked_at": written(at)}))

    def licence(self, name: str, ends_on: object, *emails: str | None) -> None:
        """Sell a licence with these contact persons."""
        contacts = [
            {"email": email, "name": f"Made-up Contact of {name}", "role": "finance"} for email in emails
        ]
        body = {
            "id": name,
            "customer_id": CUSTOMER_ID,
            "customer_name": "Example Edges, made up",
            "licence_no": name.upper(),
            "product": "Attain",
            "maintenance_ends_on": ends_on,
            "contacts": contacts,
        }
        self.acts.append(Act(at=moment_at(_JOINED_ON, 12), container="licences", body=body))

    def signed_up(self, name: str, at: datetime, **fields: Any) -> None:
        """Sign somebody up for the newsletter."""
        body = {
            "id": f"news-{name}",
            "email": f"{name}@example.org",
            "list_id": "0" * 32,
            "purpose": "member_newsletter",
            "state": "subscribed",
            "consented_at": written(at),
            **fields,
        }
        self.acts.append(Act(at=at, container="newsletter_signups", body=body))

    def withdrawn(self, name: str, at: datetime, state: str) -> None:
        """End a sign-up without deleting it, as a product does that leaves it to us."""
        body = {"id": f"news-{name}", "state": state}
        self.acts.append(Act(at=at, container="newsletter_signups", body=body, adds=False))


def edges() -> list[Act]:
    """Return everything these people do, in no order."""
    made = Edges()
    for number, midnight in enumerate(MIDNIGHTS):
        for name, last_day in (("eve", midnight.eve), ("day", midnight.day)):
            _telemetry(made, f"{name}{number}", last_day)
            _memberships(made, f"{name}{number}", last_day)
            _licence(made, f"{name}{number}", last_day)
        _at_midnight(made, number, midnight.eve)
    _bad_records(made)
    _delayed(made)
    _late(made)
    return made.acts


def _telemetry(made: Edges, name: str, last_day: date) -> None:
    """R1, at the last second of the day that begins the year and at the first of the next that does not."""
    first, last = begins_for(last_day, R1_YEARS)[0], begins_for(last_day, R1_YEARS)[-1]
    made.uses(f"user-{name}-last", last, _NIGHT)
    made.uses(f"user-{name}-first", first, _MORNING)
    made.uses(f"user-{name}-two", first - timedelta(days=200), _NOON, where=0)  # the other one keeps this
    made.uses(f"user-{name}-two", last, _NIGHT, where=1)
    made.uses(f"user-{name}-event", first - timedelta(days=90), _NOON)
    made.event(f"user-{name}-event", moment_at(last, *_NIGHT), kind="stop")  # the summary was not told
    made.uses(f"user-{name}-idle", first, _NOON)
    made.event(f"user-{name}-idle", moment_at(last, *_NIGHT) + timedelta(days=60), kind="heartbeat")


def _memberships(made: Edges, name: str, last_day: date) -> None:
    """R4a and R4b, alone and together."""
    for day in begins_for(last_day, R4_YEARS):
        for hour in (_MORNING, _NIGHT):
            who = f"login-{name}-{day}-{hour[0]}"
            made.member(who)
            made.lived(who, last_login_at=moment_at(day, *hour))
        suspended_at = moment_at(day, *_NIGHT)
        seen_at = suspended_at + timedelta(days=300)  # a login alone brings nobody back
        for kind in ("suspended", "back", "before"):
            made.member(f"{kind}-{name}-{day}")
        made.lived(f"suspended-{name}-{day}", suspended_at=suspended_at, last_login_at=seen_at)
        back_at = moment_at(last_day, *_EVENING)  # the last hour in which it counts
        made.lived(
            f"back-{name}-{day}", suspended_at=suspended_at, last_login_at=seen_at, reactivated_at=back_at
        )
        earlier = suspended_at - timedelta(days=1)
        made.lived(
            f"before-{name}-{day}", reactivated_at=earlier, suspended_at=suspended_at, last_login_at=seen_at
        )


def _licence(made: Edges, name: str, last_day: date) -> None:
    """R3: one that ends, and one that is renewed in the last hour."""
    for day in begins_for(last_day, R3_YEARS):
        made.licence(f"lic-{name}-{day}", day.isoformat(), f"{name}.it@example.org", f"{name}.me@example.org")
        made.licence(f"lic-renewed-{name}-{day}", day.isoformat(), f"{name}.it@example.org")
        renewed = {
            "id": f"lic-renewed-{name}-{day}",
            "customer_id": CUSTOMER_ID,
            "maintenance_ends_on": (last_day + timedelta(days=400)).isoformat(),
        }
        at = moment_at(last_day, *_EVENING)
        made.acts.append(Act(at=at, container="licences", body=renewed, adds=False))


def _at_midnight(made: Edges, number: int, eve: date) -> None:
    """R2 and R4c, in the last hour of the eve and between the two runs; and who signs up or joins again."""
    joined_at = moment_at(eve - timedelta(days=100), 12)
    for when, at in (("eve", moment_at(eve, 22)), ("between", moment_at(eve, 23, 50))):
        name = f"{when}{number}"
        for state in ("withdrawn", "unsubscribed"):
            made.signed_up(f"{state}-{name}", joined_at)
            made.withdrawn(f"{state}-{name}", at, state)
        made.member(f"revoked-{name}", joined_at)
        made.lived(f"revoked-{name}", revoked_at=at)
        made.member(f"undated-{name}", joined_at)
        made.changed(f"undated-{name}", at, state="revoked")
    made.signed_up(f"again{number}", moment_at(eve, 23, 55), email=f"withdrawn-between{number}@example.org")
    made.member(f"again{number}", moment_at(eve, 23, 55), email=f"revoked-between{number}@example.org")


def _bad_records(made: Edges) -> None:
    """What nobody can date or own: it stays, or counts from the day it came in, and is never guessed."""
    at = START.at - timedelta(days=1)
    for number, value in enumerate(("soon", None, "2021-13-45", "", 20210301)):
        made.licence(f"lic-undated-{number}", value, f"undated{number}@example.org")
    made.licence("lic-unowned", "2020-01-01", None)
    for number, value in enumerate(("yesterday", None, "2015-05-05T10:00:00", "0001-01-01T00:00:00Z")):
        made.member(f"bad{number}", at, last_login_at=value, joined_at=value)
        body = {
            "id": f"user-bad{number}-inst",
            "user_id": f"user-bad{number}",
            "installation_id": _installation(0).installation_id,
            "first_seen_at": value,
            "last_used_at": value,
        }
        made.acts.append(Act(at=at, container="installations", body=body))
    future = {"last_used_at": "2999-01-01T00:00:00Z", "first_seen_at": written(at)}
    body = {"id": "user-future-inst", "user_id": "user-future", "installation_id": "inst-edges-0", **future}
    made.acts.append(Act(at=at, container="installations", body=body))
    made.signed_up("unowned", at, email=None, state="withdrawn")
    made.member("suspended-undated", at, last_login_at=written(at), state="suspended")


def _delayed(made: Edges) -> None:
    """Those whom a hold or a restriction keeps beyond their day."""
    (ended_on,) = begins_for(SUMMER_TIME.eve, R3_YEARS)
    made.licence(HELD_LICENCE, ended_on.isoformat(), HELD_CONTACT, "not.held@example.org")
    for name, address, user, last_day in (
        ("held", HELD_MEMBER, HELD_USER, WINTER_TIME.eve),
        ("restricted", RESTRICTED_MEMBER, RESTRICTED_USER, WINTER_TIME.eve),
    ):
        made.member(f"kept-{name}", email=address)
        made.lived(f"kept-{name}", last_login_at=START.at - timedelta(days=1))
        made.linked(f"kept-{name}", user)
        made.uses(user, begins_for(last_day, R1_YEARS)[0], _NOON)


def _late(made: Edges) -> None:
    """Events of devices that were offline: in time, and long after everything of theirs was erased."""
    day = begins_for(WINTER_TIME.eve, R1_YEARS)[0]
    made.uses("user-late-in-time", day, _NOON)
    made.event(
        "user-late-in-time",
        moment_at(day, 12) + timedelta(days=60),
        kind="feature",
        delivered_at=moment_at(WINTER_TIME.eve, 20),
    )
    made.uses("user-late-too-late", day, _NOON)
    made.event(
        "user-late-too-late",
        moment_at(day, 13),
        kind="feature",
        delivered_at=moment_at(NEW_YEAR.eve, 20),
    )
    made.event(
        "user-no-installation", moment_at(begins_for(NO_LEAP_DAY.eve, R1_YEARS)[0], 12), kind="feature"
    )


def _installation(number: int) -> Installation:
    return Installation(
        installation_id=f"inst-edges-{number}", customer_id=CUSTOMER_ID, device_id=f"dev-edges-{number}"
    )
