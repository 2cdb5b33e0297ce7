"""What judges the scenario of retention must be able to fail: mistakes are planted in the real engine."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, timedelta

import pytest

from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings, Place
from devtools.demo.narration import Narrator
from devtools.demo.retention.checker import Comparison, compare
from devtools.demo.retention.civil import begins_for, day_in, gone_from, last_sunday, moment_at, years_later
from devtools.demo.retention.edges import edges
from devtools.demo.retention.estate import Estate, Item
from devtools.demo.retention.journey import MIDNIGHTS, STOPS
from devtools.demo.retention.left import left_of
from devtools.demo.retention.lives import lives
from devtools.demo.retention.rules import Delay, Fate, People, verdicts
from devtools.demo.retention.story import Story
from devtools.sample_data import people
from shared.datamap import falling_due
from shared.domain.controls import Hold, Restriction
from shared.domain.retention_runs import bound
from shared.services import due
from tests.unit.services.retention_histories import History, estate_of, world_of
from tests.unit.services.retention_stories import Delays
from tests.unit.services.systems import next_day

LEAP = "2028-02-29T11:00:00Z"
OLD = "2020-02-29T11:00:00Z"
DUE = date(2026, 3, 1)


def plain(**changes) -> History:
    return History(**{"installations": [used("A", OLD)], "memberships": [member(OLD)], **changes})


def used(where: str, at: str) -> dict:
    return {"installation_id": where, "last_used_at": at, "first_seen_at": OLD}


def member(login: str, **changes) -> dict:
    return {"joined_at": OLD, "last_login_at": login, "state": "active", **changes}


# --- mistakes planted in the engine


def a_day_early(monkeypatch) -> None:
    monkeypatch.setattr("shared.domain.retention.erase_from", _last)


def a_day_late(monkeypatch) -> None:
    monkeypatch.setattr(
        "shared.domain.retention.erase_from", lambda day, period: _last(day, period) + timedelta(days=2)
    )


def years_of_365_days(monkeypatch) -> None:
    monkeypatch.setattr(
        "shared.domain.retention.add_period", lambda day, period: day + timedelta(days=365 * int(period[1]))
    )


def days_of_utc(monkeypatch) -> None:
    for module in ("shared.domain.retention", "shared.services.due"):
        monkeypatch.setattr(f"{module}.copenhagen_day", lambda moment: moment.astimezone(UTC).date())


def no_hold(monkeypatch) -> None:
    monkeypatch.setattr(Hold, "covers", lambda *_: False)


def no_restriction(monkeypatch) -> None:
    monkeypatch.setattr(Restriction, "covers", lambda *_: False)


def the_first_installation_alone(monkeypatch) -> None:
    monkeypatch.setattr(due, "condensed", lambda facts: list(facts)[:1])


def no_reactivation(monkeypatch) -> None:
    real = falling_due.RunningClock
    monkeypatch.setattr(falling_due, "RunningClock", lambda **known: real(**{**known, "ended_on": None}))


def no_single_events(monkeypatch) -> None:
    real = due._read

    async def read(context, family, rule, trigger, people, facts, today) -> None:
        if trigger.store != "usage_events":
            await real(context, family, rule, trigger, people, facts, today)

    monkeypatch.setattr(due, "_read", read)


def look_at_everybody(monkeypatch) -> None:
    """The search by day would else hide from the engine what it judges wrongly."""
    for module in [module for name, module in sys.modules.items() if name.startswith("shared.")]:
        if getattr(module, "bound", None) is bound:
            monkeypatch.setattr(module, "bound", lambda *_: "9")


def _last(day: date, period: str) -> date:
    return years_later(day, int(period[1]))


MISTAKES: list[tuple[Callable, History, str, str]] = [
    (a_day_early, plain(installations=[used("A", "2025-03-01T11:00:00Z")]), "2026-03-01", ""),
    (a_day_late, plain(installations=[used("A", "2025-03-01T11:00:00Z")]), "2026-03-02", ""),
    (years_of_365_days, plain(memberships=[member("2023-03-03T11:00:00Z")]), "2026-03-03", ""),
    (days_of_utc, plain(installations=[used("A", "2025-02-28T23:30:00Z")]), "2026-03-01", ""),
    (no_hold, plain(licences=["2020-02-29"]), "2026-03-01", "hold"),
    (no_restriction, plain(), "2026-03-01", "restrict"),
    (
        the_first_installation_alone,
        plain(installations=[used("A", OLD), used("B", "2026-02-01T11:00:00Z")]),
        "2026-03-01",
        "",
    ),
    (
        no_reactivation,
        plain(
            memberships=[
                member("2026-01-01T11:00:00Z", suspended_at=OLD, reactivated_at="2023-02-28T11:00:00Z")
            ]
        ),
        "2026-03-01",
        "",
    ),
    (
        no_single_events,
        plain(events=[{"installation_id": "A", "at": "2026-01-01T11:00:00Z", "kind": "stop"}]),
        "2026-03-01",
        "",
    ),
]


async def judged(history: History, day: str, delay: str) -> Comparison:
    world = world_of(history)
    delays = Delays(world)
    if delay == "hold":
        await delays.hold(None)
    elif delay == "restrict":
        await delays.restrict()
    before = estate_of(world)
    await next_day(world, day)
    return compare(before, estate_of(world), today=date.fromisoformat(day), delays=delays)


@pytest.mark.parametrize(("mistake", "history", "day", "delay"), MISTAKES)
async def test_a_mistake_in_the_engine_is_found(mistake, history, day, delay, monkeypatch):
    """The same history is right without it."""
    assert (await judged(history, day, delay)).is_right
    mistake(monkeypatch)
    look_at_everybody(monkeypatch)
    assert not (await judged(history, day, delay)).is_right


# --- mistakes planted in what is left


def records(**stores) -> Estate:
    documents = {
        (store, '"p"', body["id"]): {"_ts": 1_772_323_200, **body}
        for store, bodies in stores.items()
        for body in bodies
    }
    lines = {
        "A/1.ndjson": [
            b'{"user_id":"u1","kind":"start","at":"%s"}\n' % at for at in (b"2026-02-02", b"2026-02-03")
        ]
    }
    return Estate(documents=documents, lines=lines, files={("author-files", "a/cv.txt"): b"cv"})


def changed(estate: Estate, **changes) -> Estate:
    return Estate(**{"documents": estate.documents, "lines": estate.lines, "files": estate.files, **changes})


NOTHING_DUE = records(orders=[{"id": "o1"}], installations=[{"id": "i1", "user_id": "u1"}])


def test_nothing_changed_is_right():
    assert compare(NOTHING_DUE, NOTHING_DUE, today=DUE).is_right


@pytest.mark.parametrize(
    ("after", "wrong"),
    [
        (changed(NOTHING_DUE, documents={}), "too_early"),
        (changed(NOTHING_DUE, files={}), "too_early"),
        (changed(NOTHING_DUE, files={("author-files", "a/cv.txt"): b""}), "altered"),
        (changed(NOTHING_DUE, lines={}), "too_early"),
        (changed(NOTHING_DUE, lines={"A/1.ndjson": NOTHING_DUE.lines["A/1.ndjson"][::-1]}), "altered"),
        (changed(NOTHING_DUE, lines={"A/1.ndjson": list(NOTHING_DUE.lines["A/1.ndjson"]) * 2}), "altered"),
        (records(orders=[{"id": "o1", "x": 1}], installations=[{"id": "i1", "user_id": "u1"}]), "altered"),
        (
            records(orders=[{"id": "o1"}, {"id": "o2"}], installations=[{"id": "i1", "user_id": "u1"}]),
            "altered",
        ),
    ],
)
def test_what_had_to_stay_as_it_was_is_missed(after, wrong):
    """Records of no period, files, lines and their order, and nothing new either."""
    assert getattr(compare(NOTHING_DUE, after, today=DUE), wrong)


def test_what_is_left_is_overdue_and_what_went_is_counted_by_its_rule():
    before = records(
        members=[{"id": "m1", "state": "revoked"}, {"id": "m2", "last_login_at": OLD, "state": "active"}],
        newsletter_signups=[{"id": "s1", "email": "a@example.org", "state": "withdrawn"}],
    )
    left = compare(before, before, today=DUE)
    assert {str(fault.item) for fault in left.overdue} == {
        'members/"p"m1',
        'members/"p"m2',
        'newsletter_signups/"p"s1',
    }
    gone = compare(before, records(), today=DUE)
    assert gone.is_right
    assert {rule: len(who) for rule, who in gone.erased.items() if who} == {"R2": 1, "R4a": 1, "R4c": 1}


def test_a_contact_goes_and_the_licence_stays():
    contacts = [{"email": "a@example.org"}, {"email": "b@example.org"}, {"name": "nobody's"}]
    licence = {"id": "l1", "licence_no": "L-1", "maintenance_ends_on": "2021-02-28"}
    before = records(licences=[{**licence, "contacts": contacts}])
    held = (Delay(marks=frozenset({"email:b@example.org"}), activity="licences"),)

    def after(*left: dict) -> Comparison:
        return compare(before, records(licences=[{**licence, "contacts": [*left]}]), today=DUE, delays=held)

    assert after(*contacts[1:]).is_right
    assert after(*contacts[1:]).held
    assert after(contacts[1]).too_early  # whose it is nobody can tell
    assert after(contacts[2]).too_early  # held
    assert after(*contacts).overdue
    assert compare(before, records(), today=DUE, delays=held).too_early  # the licence itself


def test_what_nobody_can_date_is_in_doubt():
    estate = records(
        licences=[{"id": "l1", "maintenance_ends_on": "soon", "contacts": [{"email": "a@example.org"}]}]
    )
    assert [one.fate for item, one in verdicts(estate, today=DUE).items() if item.store == "licences"] == [
        Fate.DOUBT
    ]


def test_who_is_the_same_is_read_from_the_records():
    estate = records(
        authors=[{"id": "a1", "email": "A@example.org", "user_id": "u1"}],
        members=[{"id": "m1", "email": "a@example.org"}],
        usage_links=[{"id": "k1", "member_id": "m2", "user_id": "u1"}],
    )
    assert People(estate).all_of("email:a@example.org") == {
        *("author:a1", "email:a@example.org", "user:u1", "member:m1", "member:m2")
    }
    assert People(estate).all_of("user:u2") == {"user:u2"}


# --- the scenario's own parts


def test_a_fault_at_a_stop_is_a_finding_and_a_rule_without_a_case_too():
    findings = Findings(Narrator())
    story = Story(
        **dict.fromkeys(("clockwork", "delayed", "products", "stores"), None),
        acts=(),
        narrator=Narrator(),
        findings=findings,
    )
    found = compare(NOTHING_DUE, changed(NOTHING_DUE, documents={}), today=DUE)
    story.comparisons.append(found)
    story._tell(found, 1, STOPS[0])
    assert any("erased too early" in one for one in findings.all)
    assert story.result()["erased_too_early"] == len(found.too_early) > 0
    assert any("by rule R4c" in one for one in findings.all)


def test_a_trace_of_what_was_erased_is_found_anywhere():
    line = json.dumps({"event_id": "e-77"})
    gone = {Item(store="members", name='"m1"mem-1'), Item(store="usage_archive", name="A", part=line)}
    holdings = Holdings()
    assert left_of(gone, holdings) == []
    place = Place(database="compliance", container="requests", partition='"r"', document_id="task-1")
    holdings.documents[place] = {"id": "task-1", "work": "mem-1"}
    holdings.logs["functions.log"] = "erased e-77"
    assert len(left_of(gone, holdings)) == 2


def test_the_edges_lie_on_the_stops():
    """At each midnight somebody's time ends with the eve, and somebody's with the day."""
    for midnight in MIDNIGHTS:
        assert midnight.day - midnight.eve == timedelta(days=1)
        for last_day in (midnight.eve, midnight.day):
            for years in (1, 3, 5):
                assert begins_for(last_day, years)
        assert midnight.stops[1].at - midnight.stops[0].at == timedelta(hours=1)
    assert (STOPS[-1].at - STOPS[0].at).days == 4 * 365 + 1
    assert {act.container for act in edges()} == {
        *("installations", "usage_events", "usage-archive", "members", "usage_links"),
        *("licences", "newsletter_signups"),
    }


def test_the_same_people_live_the_same_lives():
    everyone = people(30)
    assert list(lives(everyone)) == list(lives(people(30)))


# --- the pocket calendar


def test_the_pocket_calendar_knows_what_is_written_on_walls():
    assert last_sunday(2027, 3) == date(2027, 3, 28)
    assert last_sunday(2027, 10) == date(2027, 10, 31)
    assert gone_from(date(2028, 2, 29), 1) == date(2029, 3, 1)
    assert begins_for(date(2029, 2, 28), 1) == (date(2028, 2, 28), date(2028, 2, 29))
    assert begins_for(date(2028, 2, 29), 1) == ()
    assert day_in("2028-06-30T22:00:00Z") == date(2028, 7, 1)
    assert day_in("2028-12-31T23:30:00+01:00") == date(2028, 12, 31)
    with pytest.raises(ValueError, match="does not exist"):
        moment_at(date(2027, 3, 28), 2, 30)
