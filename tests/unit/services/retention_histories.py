"""Made-up histories of one person among others, told to a World and to the slow checker alike."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from devtools.demo.retention.civil import moment_at
from devtools.demo.retention.estate import Estate
from devtools.demo.retention.rules import verdicts
from tests.factories import World
from tests.unit.services.systems import EMAIL_OF, put, world_on

EMAIL_OF_ANE = EMAIL_OF.format("ane")
ARCHIVE = "usage-archive"
SYSTEMS = ("usage_events", "installations", "members", "usage_links", "licences", "newsletter_signups")
BAD_DATES = (None, "", "yesterday", "2024-05-10T11:00:00", "2024-02-30", 20240510, "99999-01-01T00:00:00Z")

# Days on which calendars go wrong: leap days and their neighbours, the two changes of the clock, year ends.
_CROOKED = (
    *("2020-02-28", "2020-02-29", "2020-03-01", "2021-02-28", "2021-03-01", "2021-03-28", "2021-10-31"),
    *("2022-12-31", "2023-01-01", "2023-03-26", "2023-10-29", "2024-02-28", "2024-02-29", "2024-03-01"),
    *("2024-12-31", "2025-01-01", "2025-03-30", "2025-10-26", "2026-02-28", "2026-03-01"),
)
_HOURS = ((0, 0), (0, 59), (12, 0), (22, 30), (23, 30), (23, 59))


@st.composite
def moments(draw) -> str:
    """Return a time near midnight in Copenhagen of a day near a crooked one, as a product writes it."""
    day = date.fromisoformat(draw(st.sampled_from(_CROOKED))) + timedelta(days=draw(st.integers(-1, 1)))
    return written(moment_at(day, *draw(st.sampled_from(_HOURS))))


def written(moment: datetime) -> str:
    """Return a moment as a product writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def days() -> st.SearchStrategy[str]:
    """Return crooked days and others."""
    near = st.builds(
        lambda day, off: (date.fromisoformat(day) + timedelta(days=off)).isoformat(),
        st.sampled_from(_CROOKED),
        st.integers(-2, 2),
    )
    return near | st.dates(date(2017, 1, 1), date(2026, 3, 1)).map(date.isoformat)


maybe = st.none() | moments()
# Read as dates, and no dates all the same: what programs write where they know none.
DEFAULTS = ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1899-12-30", "1999-12-31T12:00:00Z")
FAR = ("9999-12-31T23:59:59Z", "9999-12-31", "9998-06-01T00:00:00Z")

rarely_bad = st.one_of(moments(), moments(), moments(), st.sampled_from(BAD_DATES + DEFAULTS + FAR))
kinds = st.sampled_from(("start", "stop", "feature", "heartbeat", "update_ping"))

installations = st.fixed_dictionaries(
    {"installation_id": st.sampled_from("AB"), "last_used_at": rarely_bad, "first_seen_at": rarely_bad}
)
events = st.fixed_dictionaries({"installation_id": st.sampled_from("AB"), "at": rarely_bad, "kind": kinds})
memberships = st.fixed_dictionaries(
    {
        "joined_at": rarely_bad,
        "last_login_at": st.none() | rarely_bad,
        "suspended_at": maybe,
        "reactivated_at": maybe,
        "state": st.sampled_from(("active", "active", "suspended", "revoked")),
        "revoked_at": maybe,
    }
)
sign_up_states = st.sampled_from(("subscribed", "subscribed", "withdrawn", "unsubscribed"))
maintenance_ends = st.one_of(days(), days(), days(), st.sampled_from(BAD_DATES + DEFAULTS + FAR))


@dataclass
class History:
    """What is stored of the person called Ane, whose telemetry Bo's archived lines stand beside."""

    installations: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    memberships: list[dict] = field(default_factory=list)
    sign_ups: list[str] = field(default_factory=list)
    licences: list[object] = field(default_factory=list)
    is_linked: bool = False
    is_archived: bool = False


histories = st.builds(
    History,
    installations=st.lists(installations, max_size=2, unique_by=lambda one: one["installation_id"]),
    events=st.lists(events, max_size=3),
    memberships=st.lists(memberships, max_size=2),
    sign_ups=st.lists(sign_up_states, max_size=2),
    licences=st.lists(maintenance_ends, max_size=2),
    is_linked=st.booleans(),
    is_archived=st.booleans(),
)


def world_of(history: History) -> World:
    """Return a World that holds all of it, written on the first of March 2026, and other people."""
    world = world_on("2026-03-01", connected=("campaign_monitor",))
    fill(world, history)
    return world


def fill(world: World, history: History) -> None:
    """Write all of it into a World."""
    for body in history.installations:
        used(world, body["installation_id"], body)
        if history.is_archived:
            archive(world, body["installation_id"])
    for number, body in enumerate(history.events):
        store(world, "usage_events", {"id": f"e-{number}", "user_id": "user-ane", **body})
    for number, body in enumerate(history.memberships):
        email = EMAIL_OF_ANE if number else EMAIL_OF_ANE.upper()
        store(world, "members", {"id": f"member-{number}", "email": email, "name": "Ane", **body})
    if history.is_linked and history.memberships:
        link = {"id": "link-0", "member_id": "member-0", "user_id": "user-ane"}
        store(world, "usage_links", link)
    for number, state in enumerate(history.sign_ups):
        store(world, "newsletter_signups", {"id": f"s-{number}", "email": EMAIL_OF_ANE, "state": state})
    for number, ends_on in enumerate(history.licences):
        maintain(world, number, ends_on)


def store(world: World, store_id: str, body: dict) -> None:
    """Write a record as a product does now: the database dates it, by a clock that nobody sets back."""
    written = [row.get("_ts", 0) for rows in world.documents.rows.values() for *_, row in rows.values()]
    put(world, store_id, {**body, "_ts": max(int(world.clock.now().timestamp()), *written, 0)})


def used(world: World, where: str, body: dict) -> None:
    """Write what the application knows of an installation."""
    store(
        world,
        "installations",
        {"id": f"{where}-ane", "user_id": "user-ane", "customer_id": "c-1", **body, "installation_id": where},
    )


def maintain(world: World, number: int, ends_on: object) -> None:
    """Write a licence with two contact persons, of whom one always is somebody else."""
    contacts = [{"email": EMAIL_OF_ANE, "name": "Ane"}, {"email": "it@customer.example", "name": "Bo"}]
    body = {"id": f"licence-{number}", "customer_id": "c-1", "maintenance_ends_on": ends_on}
    store(world, "licences", {**body, "contacts": contacts})


def archive(world: World, where: str) -> None:
    """Put two lines into the archive of an installation: a heartbeat of Ane's, and one of somebody else's."""
    lines = (
        f'{{"event_id":"{where}-{name}","user_id":"user-{name}","installation_id":"{where}",'
        f'"kind":"heartbeat","at":"2019-06-01T12:00:00Z"}}\n'
        for name in ("bo", "ane")
    )
    world.blobs.put(ARCHIVE, f"{where}/2019-06.ndjson", "".join(lines).encode())
    somebody = {"id": f"{where}-bo", "user_id": "user-bo", "installation_id": where, "customer_id": "c-1"}
    store(world, "installations", {**somebody, "last_used_at": "2099-01-01T00:00:00Z"})


def estate_of(world: World) -> Estate:
    """Return everything the systems of record hold, as the checker takes it."""
    return Estate(
        documents={
            (container, partition, name): body
            for container, rows in world.documents.rows.items()
            for (partition, name), (_, _, body) in rows.items()
            if container in SYSTEMS
        },
        lines={
            name: data.splitlines(keepends=True)
            for (container, name), (_, data) in world.blobs.current.items()
            if container == ARCHIVE
        },
    )


def boundaries(world: World, after: date, until: date) -> list[date]:
    """Return the days on which something falls due, each with the day before and the day after."""
    found = {one.since for one in verdicts(estate_of(world), today=after).values() if one.since is not None}
    near = {day + timedelta(days=off) for day in found if after < day < until for off in (-1, 0, 1)}
    return sorted(near)
