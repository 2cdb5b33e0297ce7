"""What products and staff do between two runs: to one person's records, and to what delays their deletion."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from hypothesis import strategies as st

from devtools.demo.retention.rules import Delay, People
from shared.domain.controls import Restriction
from shared.domain.identifiers import EMAIL, SUBJECT_KEY
from shared.services.holding import PlaceHold, place, release
from shared.services.resolving import resolve
from tests.factories import World
from tests.unit.services.retention_histories import EMAIL_OF_ANE, estate_of, store, used, written

acts = st.one_of(
    st.tuples(st.just("use"), st.sampled_from("AB")),
    st.tuples(st.just("event"), st.sampled_from(("feature", "heartbeat"))),
    st.tuples(st.sampled_from(("login", "suspend", "reactivate", "revoke", "withdraw")), st.integers(0, 1)),
    st.tuples(st.just("late event"), st.integers(1, 800)),
    st.tuples(st.just("renew"), st.integers(1, 400)),
    st.tuples(st.sampled_from(("hold", "release")), st.sampled_from((None, "usage", "licences", "members"))),
    st.tuples(st.sampled_from(("restrict", "lift")), st.none()),
    st.tuples(st.just("go back"), st.integers(1, 800)),
)
steps = st.tuples(st.integers(1, 420), st.lists(acts, max_size=3), st.booleans())


async def act(world: World, delays: "Delays", name: str, value) -> None:
    """Do one thing at the World's own time, as a product or staff would; to what is not there, nothing."""
    if name in _PRODUCTS:
        _PRODUCTS[name](world, value)
    elif name == "go back":
        world.clock.advance(days=-value)
    else:
        staff: dict[str, Callable[..., Awaitable[None]]] = {
            "hold": delays.hold,
            "release": delays.release,
            "restrict": delays.restrict,
            "lift": delays.lift,
        }
        await staff[name](value)


def _use(world: World, where: str) -> None:
    now = written(world.clock.now())
    used(world, where, {"last_used_at": now, "first_seen_at": now})


def _event(world: World, kind: str) -> None:
    now = written(world.clock.now())
    body = {"id": f"late-{now}", "user_id": "user-ane", "installation_id": "A", "kind": kind, "at": now}
    store(world, "usage_events", body)


def _late_event(world: World, days: int) -> None:
    at = written(world.clock.now() - timedelta(days=days))
    body = {"id": f"offline-{at}", "user_id": "user-ane", "installation_id": "A", "kind": "start", "at": at}
    store(world, "usage_events", body)


def _change(container: str, name: str, **changes: str) -> Callable[[World, int], None]:
    def change(world: World, number: int) -> None:
        now = written(world.clock.now())
        if body := _find(world, container, f"{name}-{number}"):
            store(world, container, {**body, **{key: value or now for key, value in changes.items()}})

    return change


def _renew(world: World, days: int) -> None:
    if licence := _find(world, "licences", "licence-0"):
        ends_on = world.clock.now().date() + timedelta(days=days)
        store(world, "licences", {**licence, "maintenance_ends_on": ends_on.isoformat()})


def _find(world: World, container: str, name: str) -> dict | None:
    return next((body for body in world.documents.bodies(container) if body["id"] == name), None)


_PRODUCTS = {
    "use": _use,
    "event": _event,
    "late event": _late_event,
    "login": _change("members", "member", last_login_at=""),
    "suspend": _change("members", "member", suspended_at="", state="suspended"),
    "reactivate": _change("members", "member", reactivated_at="", state="active"),
    "revoke": _change("members", "member", revoked_at="", state="revoked"),
    "withdraw": _change("newsletter_signups", "s", state="withdrawn"),
    "renew": _renew,
}


class Delays:
    """Holds and restrictions, placed as staff would and told to the checker."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._placed: dict[str, tuple[Delay, str]] = {}
        self._restricted: set[str] = set()

    def __iter__(self):
        return (delay for delay, _ in self._placed.values())

    async def hold(self, activity_id: str | None) -> None:
        """Place a hold on Ane."""
        today = self.world.clock.now().date()
        hold = PlaceHold(
            identifiers={EMAIL: (EMAIL_OF_ANE,)},
            activity_id=activity_id,
            ground="policy_5_3" if activity_id == "licences" else "legal_claim",
            reason="a dispute about a fee",
            review_on=today + timedelta(days=30),
            placed_by="staff-1",
        )
        delay = Delay(marks=self._marks(), activity=activity_id)
        placed = await place(self.world.context, hold)
        self._placed[f"hold {activity_id}"] = delay, placed.hold_id

    async def release(self, activity_id: str | None) -> None:
        """End a hold, if there is one."""
        if (known := self._placed.pop(f"hold {activity_id}", None)) is not None:
            await release(self.world.context, known[1], released_by="staff-1", reason="it is settled")

    async def restrict(self, _: None = None) -> None:
        """Restrict everything of Ane's."""
        delay = Delay(marks=self._marks())
        await self._write(
            (Restriction(restriction_id="r-1", ground="claims", placed_at=self.world.clock.now()),)
        )
        self._placed["restriction"] = delay, ""

    async def lift(self, _: None = None) -> None:
        """End the restriction, if there is one."""
        if self._placed.pop("restriction", None) is not None:
            await self._write(())

    def _marks(self) -> frozenset[str]:
        return People(estate_of(self.world)).all_of(f"email:{EMAIL_OF_ANE}")

    async def _write(self, restrictions: tuple[Restriction, ...]) -> None:
        resolved = await resolve(self.world.context, {EMAIL: (EMAIL_OF_ANE,)})
        self._restricted |= set(resolved.identifiers[SUBJECT_KEY])
        for key in self._restricted:
            stored = self.world.controls.stored(key).controls
            self.world.controls.put(stored.model_copy(update={"restrictions": restrictions}))
