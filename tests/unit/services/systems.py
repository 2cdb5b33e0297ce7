"""A person in the real map's stores, as the products write them, and the runs that delete by time."""

import json
from datetime import UTC, datetime

from shared.datamap.loader import load
from shared.domain.times import copenhagen_day
from shared.services.retention import daily
from tests.factories import World
from tests.fakes.messaging import TestClock
from tests.unit.services.driving import deliver

_QUIET = 10
EMAIL_OF = "{}@people.example"


def world_on(day: str, **changes) -> World:
    """Return a World with the real map, at nine in the morning of a day."""
    clock = TestClock(datetime.fromisoformat(f"{day}T08:00:00+00:00"))
    return World(datamap=load(), clock=clock, **changes)


def on(day: str) -> str:
    """Return a time of a day as the products write it."""
    return f"{day}T11:00:00Z"


def put(world: World, store_id: str, body: dict) -> None:
    """Write a document as a product would."""
    _, store = world.datamap.store(store_id)
    world.documents.put(store.container, store.partition_key, body)


def installation(world: World, name: str, used: str, *, where: str = "A", **changes) -> None:
    """Note an installation and the day a person last used it."""
    put(
        world,
        "installations",
        {
            "id": f"{where}-{name}",
            "user_id": f"user-{name}",
            "installation_id": where,
            "customer_id": "c-1",
            "first_seen_at": on("2020-01-01"),
            "last_used_at": on(used),
            **changes,
        },
    )


def event(world: World, name: str, at: str, *, where: str = "A", kind: str = "feature") -> None:
    """Store one event of the application."""
    put(
        world,
        "usage_events",
        {
            "id": f"e-{name}-{where}-{at}-{kind}",
            "user_id": f"user-{name}",
            "installation_id": where,
            "kind": kind,
            "at": on(at),
        },
    )


def archived(world: World, name: str, at: str, *, where: str = "A") -> None:
    """Add a line to the archive of an installation, which holds other people's lines."""
    line = {"event_id": f"l-{name}-{at}", "user_id": f"user-{name}", "kind": "start", "at": on(at)}
    line["installation_id"] = where
    blob = f"{where}/events.ndjson"
    old = world.blobs.current.get(("usage-archive", blob), (0, b""))[1]
    world.blobs.put("usage-archive", blob, old + json.dumps(line).encode() + b"\n")


def member(world: World, name: str, login: str, *, number: int = 1, **changes) -> None:
    """Store a membership."""
    put(
        world,
        "members",
        {
            "id": f"member-{name}-{number}",
            "email": EMAIL_OF.format(name),
            "name": f"Name of {name}",
            "joined_at": on("2019-01-01"),
            "last_login_at": on(login),
            "state": "active",
            **changes,
        },
    )


def link(world: World, name: str, *, number: int = 1) -> None:
    """Link a membership to the use of the product."""
    put(
        world,
        "usage_links",
        {
            "id": f"link-{name}-{number}",
            "member_id": f"member-{name}-{number}",
            "user_id": f"user-{name}",
            "linked_at": on("2020-06-01"),
        },
    )


def licence(world: World, number: str, ends: str | None, *names: str) -> None:
    """Store a licence with its contact persons."""
    put(
        world,
        "licences",
        {
            "id": f"licence-{number}",
            "customer_id": "c-1",
            "customer_name": "A customer",
            "licence_no": number,
            "maintenance_ends_on": ends,
            "contacts": [{"email": EMAIL_OF.format(name), "name": f"Name of {name}"} for name in names],
        },
    )


def contacts(world: World, number: str) -> list[str]:
    """Return who is still named as a contact person of a licence."""
    found = next(body for body in world.documents.bodies("licences") if body["licence_no"] == number)
    return [one["email"].partition("@")[0] for one in found["contacts"]]


def ids(world: World, store_id: str) -> list[str]:
    """Return the ids of a store's documents."""
    _, store = world.datamap.store(store_id)
    return sorted(body["id"] for body in world.documents.bodies(store.container))


def lines(world: World, where: str = "A") -> list[str]:
    """Return whose lines the archive of an installation holds."""
    data = world.blobs.current[("usage-archive", f"{where}/events.ndjson")][1]
    return [json.loads(line)["user_id"] for line in data.splitlines()]


async def run_day(world: World) -> int:
    """Go on until the day's run is done, see every case through, and return how many it filed."""
    for number in range(50):
        run = await daily(world.context)
        await deliver(world)
        if run.is_done and run.day >= copenhagen_day(world.clock.now()):
            return run.filed
        if number > _QUIET:  # some case waits for something: the run waits for it for some hours
            world.clock.advance(hours=1)
    raise AssertionError("the walk never ends")


async def next_day(world: World, day: str) -> int:
    """Move the clock to a day and run it."""
    world.clock.moment = datetime.fromisoformat(f"{day}T08:00:00+00:00").astimezone(UTC)
    return await run_day(world)


def cases(world: World) -> list:
    """Return the cases on file."""
    return [world.cases.request(request_id) for request_id in world.cases.partitions]
