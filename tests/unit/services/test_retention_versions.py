"""For any decisions and any history, a run leaves what a slow walk through the versions leaves."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devtools.demo.retention.civil import gone_from
from shared.domain.limits import Limits
from tests.unit.services.deciding_periods import decided_map, decided_world, decision, learnt, order
from tests.unit.services.systems import next_day

BEGIN = date(2026, 1, 1)
PEOPLE = ("ane", "bo")


@dataclass(frozen=True)
class Version:
    """One decision: its years, its first day, and whether it has a basis for what is there."""

    years: int
    first: date
    basis: bool


def is_gone(versions: tuple[Version, ...], trigger: date, collected: date, today: date) -> bool:
    """Walk through the versions as time passes, and say whether data is over by `today`."""
    own = max((number for number, one in enumerate(versions) if one.first <= collected), default=0)
    years, since = versions[own].years, versions[own].first
    if today < since:
        return False
    for later in versions[own + 1 :]:
        over_by_then = max(gone_from(trigger, years), since) <= later.first
        if later.first > today or over_by_then:
            break
        if later.years < years:
            years, since = later.years, later.first
        elif later.basis:
            years = later.years
    return today >= max(gone_from(trigger, years), since)


@dataclass
class Slow:
    """What there is, as a list, and what a run leaves of it."""

    orders: dict[str, date] = field(default_factory=dict)
    learnt: dict[str, list[date]] = field(default_factory=lambda: {name: [] for name in PEOPLE})

    def run(self, orders: tuple[Version, ...], learning: tuple[Version, ...], today: date) -> None:
        self.orders = {name: on for name, on in self.orders.items() if not is_gone(orders, on, on, today)}
        for name, days in self.learnt.items():
            if days and is_gone(learning, max(days), min(days), today):
                self.learnt[name] = []


def made(activity: str, versions: tuple[Version, ...]):
    """Return the versions as decisions of the map."""
    for number, one in enumerate(versions):
        yield decision(
            activity,
            f"P{one.years}Y",
            one.first.isoformat(),
            applies_to_existing="a basis" if one.basis and number else None,
        )


several = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 500), st.booleans()), min_size=1, max_size=3
).map(
    lambda found: tuple(
        Version(years, BEGIN + timedelta(days=sum(days for _, days, _ in found[: number + 1])), basis)
        for number, (years, _, basis) in enumerate(found)
    )
)
acts = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(PEOPLE), st.integers(0, 900)),
    st.tuples(st.just("learn"), st.sampled_from(PEOPLE), st.sampled_from((0, 0, 1, 200, 500))),
)
steps = st.lists(st.tuples(st.integers(1, 400), st.lists(acts, max_size=3)), min_size=1, max_size=7)


def _years(*found: tuple[int, int]) -> tuple[Version, ...]:
    """Return versions of so many years that begin so many days after the beginning, without a basis."""
    return tuple(Version(years, BEGIN + timedelta(days=days), basis=False) for years, days in found)


LEARN = ("learn", "ane", 0)


@example(  # what came before a longer period takes along what came after it
    orders=_years((1, 1)),
    learning=_years((1, 1), (3, 150)),
    other_learning=_years((1, 1)),
    history=[(100, [LEARN]), (200, [LEARN]), (369, []), (1, [])],
    deployed_at=9,
)
@example(  # a deployment shortens what is there, and whoever is watched is looked at again
    orders=_years((1, 1)),
    learning=_years((3, 1)),
    other_learning=_years((1, 1)),
    history=[(10, [("learn", "ane", 900), LEARN]), (400, []), (1, [])],
    deployed_at=2,
)
@settings(max_examples=40, deadline=None)
@given(several, several, several, steps, st.integers(0, 6))
async def test_the_engine_leaves_what_a_walk_through_the_versions_leaves(
    orders, learning, other_learning, history, deployed_at
):
    """Late records, days without a run, and a deployment with other decisions on the way."""
    decisions = (*made("orders", orders), *made("content_cloud", learning))
    world = decided_world("2026-01-01", *decisions, limits=Limits(page_documents=1, page_keys=1))
    slow = Slow()
    today = BEGIN
    for number, (days, done) in enumerate(history):
        if number == deployed_at:
            learning = other_learning
            datamap = decided_map(*made("orders", orders), *made("content_cloud", learning))
            world.context = replace(world.context, datamap=datamap)
        today += timedelta(days=days)
        for kind, name, ago in done:
            on = today - timedelta(days=ago)
            if kind == "order":
                order(world, name, on.isoformat(), number=len(slow.orders) + 1000 * number)
                slow.orders[f"order-{name}-{len(slow.orders) + 1000 * number}"] = on
            else:
                learnt(world, name, on.isoformat())
                if on not in slow.learnt[name]:
                    slow.learnt[name].append(on)
        await next_day(world, today.isoformat())
        slow.run(orders, learning, today)
        left = {
            body["id"] for body in world.documents.bodies("orders") if "email" in body.get("addressee", {})
        }
        assert left == set(slow.orders), today
        kept = sorted(body["id"] for body in world.documents.bodies("cloud_activity"))
        assert kept == sorted(f"a-{name}-{on}" for name, days in slow.learnt.items() for on in days), today
