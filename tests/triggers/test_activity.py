"""The door for people's use of the application: a batch in, a verdict for each event out."""

import hashlib

import pytest

from functions import http_activity
from tests.triggers.conftest import call, content, problem, wire
from tests.unit.services.systems import installation, on, world_on

pytestmark = pytest.mark.clause("5.1")
SYSTEM_KEY = "a key for tests that nobody else uses"


@pytest.fixture
def world(monkeypatch):
    """A World in whose directory ane is, wired in place of the app."""
    made = world_on("2026-03-02")
    installation(made, "ane", "2025-03-01")
    wire(monkeypatch, made, system_key_sha256=hashlib.sha256(SYSTEM_KEY.encode()).hexdigest())
    return made


def told(at, number=1, **changes):
    """Return an event as a product sends it."""
    sent = {
        "event_id": f"e-{number}",
        "user_id": "user-ane",
        "installation_id": "A",
        "kind": "start",
        "at": at,
    }
    return {**sent, **changes}


async def send(*events, **headers):
    """Send a batch."""
    return await call(
        http_activity.events, body={"events": list(events)}, **{"x_system_key": SYSTEM_KEY, **headers}
    )


async def test_each_event_gets_its_verdict(world):
    """A wrong date is refused by itself, and the rest is taken."""
    found = content(
        await send(
            told(on("2026-02-01")),
            told("2026-02-01T10:00:00", 2),
            told(12, 3),
            told(None, 4),
            told(on("2020-01-01"), 5),
            told(on("2027-01-01"), 6),
            told(on("2026-02-01"), 7, kind="heartbeat"),
            told(on("2026-02-01"), 8, user_id="nobody"),
        )
    )
    assert found["verdicts"] == [
        "accepted",
        "at_invalid",
        "at_invalid",
        "at_invalid",
        "dropped_past_last_day",
        "capped",
        "not_use",
        "unknown_person",
    ]
    assert found["counts"]["at_invalid"] == 3
    assert len(world.activity.clocks()) == 1


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("number", "status"), [(0, 400), (1, 200), (1_000, 200), (1_001, 400)])
async def test_a_batch_has_one_to_a_thousand_events(number, status):
    """One below, at and above."""
    response = await send(*(told(on("2026-02-01"), one) for one in range(number)))
    assert response.status_code == status


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("wrong", [{"user_id": ""}, {"event_id": None}, {"more": 1}, {"by_staff": "maybe"}])
async def test_an_event_without_its_names_refuses_the_batch_and_quotes_nothing(wrong):
    """The place of the fault is named."""
    response = await send(told(on("2026-02-01")), told(on("2026-02-01"), 2, **wrong))
    assert response.status_code == 400
    found = content(response)
    assert found["field"].startswith("events.1")
    assert "user-ane" not in str(found)


async def test_only_the_key_opens_the_door(world):
    """Nothing is written without it."""
    problem(await send(told(on("2026-02-01")), x_system_key="another"), 401, "system_key_wrong")
    assert world.activity.clocks() == []
