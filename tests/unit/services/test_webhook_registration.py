"""The processor tells us what happens in each list, or an operator knows that it does not."""

import pytest

from shared.domain.errors import Conflict, Invalid
from shared.ports.newsletters import Registration
from shared.services import webhook_registration
from tests.factories import WEBHOOK_SECRET, World
from tests.fakes.newsletters import AUTHORS, NEWS

EVENTS = ("Subscribe", "Deactivate", "Update")


def url(secret: str = WEBHOOK_SECRET) -> str:
    """Return where our door is."""
    return f"http://127.0.0.1:7071/api/webhooks/campaign-monitor/{secret}"


def hook(**changes) -> Registration:
    """Return a webhook as it should be."""
    return Registration(
        **{
            "webhook_id": "h-1",
            "url": url(),
            "events": EVENTS,
            "is_active": True,
            "is_json": True,
            **changes,
        }
    )


@pytest.fixture
def made() -> World:
    """A World whose lists both tell us."""
    found = World()
    found.newsletters.hooks = {NEWS: [hook()], AUTHORS: [hook()]}
    return found


async def states(made: World) -> list[str]:
    """Look, and return how each list stands."""
    return [one.state for one in (await webhook_registration.watch(made.context)).lists]


async def test_a_list_that_tells_us_is_left_alone(made):
    """And what was found is kept."""
    assert await states(made) == ["active", "active"]
    assert made.operators.alarms == []
    assert (await made.reconciliations.watched()).is_well


async def test_one_that_was_switched_off_is_switched_on_and_told(made):
    """It was off for a reason."""
    made.newsletters.hooks[NEWS] = [hook(is_active=False)]
    assert await states(made) == ["activated", "active"]
    assert made.newsletters.hooks[NEWS][0].is_active
    assert made.operators.alarms == [("webhook_deactivated", None, NEWS)]
    assert made.operators.measured == [("newsletter.webhook.active", 0, {})]
    assert await states(made) == ["active", "active"]


@pytest.mark.parametrize(
    ("wrong", "state", "alarm"),
    [
        ({"url": "https://elsewhere.example/hook"}, "missing", "webhook_missing"),
        ({"url": url("a-secret-that-is-not-valid-any-more")}, "missing", "webhook_missing"),
        ({"is_json": False}, "unfit", "webhook_unfit"),
        ({"events": EVENTS[:2]}, "unfit", "webhook_unfit"),
    ],
)
async def test_one_that_does_not_do_is_told(made, wrong, state, alarm):
    """An operator registers it anew; no address or secret is told."""
    made.newsletters.hooks[NEWS] = [hook(**wrong)]
    assert await states(made) == [state, "active"]
    assert made.operators.alarms == [(alarm, None, NEWS)]


async def test_one_that_cannot_be_seen_is_told(made):
    """Unknown is not well."""
    made.newsletters.is_unreachable = True
    assert await states(made) == ["unknown", "unknown"]
    assert not (await made.reconciliations.watched()).is_well


async def test_registering_twice_is_once():
    """For every list."""
    made = World()
    for _ in range(2):
        seen = await webhook_registration.register(made.context, WEBHOOK_SECRET)
        assert seen.is_well
    assert [[one.url for one in made.newsletters.hooks[name]] for name in (NEWS, AUTHORS)] == [[url()]] * 2


async def test_a_new_secret_takes_the_place_of_the_old_one(made):
    """What leads elsewhere is none of ours and stays."""
    other = hook(webhook_id="h-2", url="https://elsewhere.example/hook")
    made.newsletters.hooks[NEWS] = [hook(url=url("the-old-secret-of-the-time-before")), other]
    await webhook_registration.register(made.context, WEBHOOK_SECRET)
    assert [one.url for one in made.newsletters.hooks[NEWS]] == [other.url, url()]


async def test_what_is_unfit_is_registered_anew(made):
    """There is no call that edits one."""
    made.newsletters.hooks[NEWS] = [hook(is_json=False)]
    await webhook_registration.register(made.context, WEBHOOK_SECRET)
    assert [one.is_json for one in made.newsletters.hooks[NEWS]] == [True]


async def test_what_is_off_is_switched_on(made):
    """Instead of a second one."""
    made.newsletters.hooks[NEWS] = [hook(is_active=False)]
    await webhook_registration.register(made.context, WEBHOOK_SECRET)
    assert [(one.webhook_id, one.is_active) for one in made.newsletters.hooks[NEWS]] == [("h-1", True)]


async def test_a_secret_that_nobody_would_let_in_is_refused():
    """Everything told would be lost."""
    made = World()
    with pytest.raises(Invalid, match="webhook_secret_unknown") as caught:
        await webhook_registration.register(made.context, "another-secret-of-somebody")
    assert "another-secret" not in str(caught.value)
    assert made.newsletters.hooks == {}


async def test_the_old_one_stays_until_the_new_one_works(made):
    """A door that cannot be reached takes nobody's place."""
    old = hook(webhook_id="h-0", url=url("the-old-secret-of-the-time-before"))
    made.newsletters.hooks[NEWS] = [old]
    made.newsletters.fails_tests = True
    with pytest.raises(Conflict, match="webhook_test_failed"):
        await webhook_registration.register(made.context, WEBHOOK_SECRET)
    assert old in made.newsletters.hooks[NEWS]


def test_a_registration_does_not_show_its_secret():
    """Not even to whoever prints it."""
    assert WEBHOOK_SECRET not in repr(hook())
