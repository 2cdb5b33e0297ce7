"""A decision of the controller turns a gap of the policy into a rule: the day before, at and after."""

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from shared.datamap.loader import load
from shared.domain.errors import Retryable
from shared.domain.identifiers import EMAIL
from shared.domain.limits import Limits
from shared.domain.retention import DueState
from shared.domain.rights import Right
from shared.services import looking_ahead, previewing, retention
from shared.services.due import due_of_person
from shared.services.resolving import resolve
from tests.unit.services.deciding_periods import (
    author,
    decided_map,
    decided_world,
    decision,
    learnt,
    order,
    reported,
    versioned,
    visited,
)
from tests.unit.services.driving import deliver, fulfil, hold, opened, rest, restrict
from tests.unit.services.systems import (
    EMAIL_OF,
    cases,
    event,
    ids,
    installation,
    next_day,
    on,
    run_day,
    world_on,
)


def addressees(world):
    """Return whose address the orders still hold."""
    return sorted(
        body["addressee"]["email"].partition("@")[0]
        for body in world.documents.bodies("orders")
        if "email" in body["addressee"]
    )


async def test_without_a_decision_nothing_of_a_gap_ever_goes():
    world = world_on("2036-01-01")
    order(world, "ane", "2020-01-01")
    learnt(world, "ane", "2020-01-01")
    author(world, "bo", "2020-01-01")

    assert await run_day(world) == 0
    assert addressees(world) == ["ane"]
    assert ids(world, "cloud_activity")
    assert ids(world, "authors")


async def test_an_order_loses_its_addressee_the_day_after_its_period_and_keeps_what_the_books_need():
    """Shipped on 10 March 2025, and two years are decided."""
    world = decided_world("2027-03-10", decision("orders", "P2Y", "2026-01-01"))
    order(world, "ane", "2025-03-10")
    order(world, "bo", "2025-03-11")

    assert await run_day(world) == 0
    assert addressees(world) == ["ane", "bo"]

    assert await next_day(world, "2027-03-11") == 1
    assert addressees(world) == ["bo"]
    (left,) = (body for body in world.documents.bodies("orders") if body["id"] == "order-ane-1")
    assert left["invoice_no"] == "i-1"
    assert "tracking_no" not in left
    assert left["addressee"]["name"] == "Name of ane"  # the books are kept to the end of 2030

    assert await next_day(world, "2027-03-12") == 1
    assert addressees(world) == []
    assert await next_day(world, "2027-03-13") == 0


async def test_every_order_of_a_person_has_a_period_of_its_own():
    world = decided_world("2027-03-11", decision("orders", "P2Y", "2026-01-01"))
    order(world, "ane", "2025-03-10")
    order(world, "ane", "2026-01-01", number=2)
    await run_day(world)
    (left,) = [one for one in world.documents.bodies("orders") if "email" in one["addressee"]]
    assert left["id"] == "order-ane-2"


@pytest.mark.parametrize(("day", "left"), [("2026-06-30", ["ane"]), ("2026-07-01", []), ("2026-07-02", [])])
async def test_what_is_past_a_decided_period_goes_on_the_first_day_of_the_decision(day, left):
    """Years overdue by the period, and not a day before the decision holds."""
    world = decided_world("2026-01-01", decision("orders", "P2Y", "2026-07-01"))
    order(world, "ane", "2020-03-10")
    assert await run_day(world) == 0
    await next_day(world, day)
    assert addressees(world) == left


async def test_learning_goes_after_the_last_of_it_with_the_rows_in_reports():
    """Last learnt on 1 May 2026: another's row in the same report stays."""
    world = decided_world("2027-05-01", decision("content_cloud", "P1Y", "2026-01-01"))
    for day in ("2024-01-01", "2026-05-01"):
        learnt(world, "ane", day)
    learnt(world, "bo", "2027-01-01")
    reported(world, "2026-05", "ane", "bo")

    assert await run_day(world) == 0
    assert await next_day(world, "2027-05-02") == 1
    assert ids(world, "cloud_activity") == ["a-bo-2027-01-01"]
    (report,) = world.documents.bodies("customer_reports")
    assert [row["user_id"] for row in report["rows"]] == ["user-bo"]
    assert await next_day(world, "2027-05-03") == 0


async def test_a_later_page_keeps_all_that_a_learner_ever_did():
    world = decided_world("2027-05-02", decision("content_cloud", "P1Y", "2026-01-01"))
    learnt(world, "ane", "2020-01-01")
    learnt(world, "ane", "2026-05-02")
    await run_day(world)
    assert len(ids(world, "cloud_activity")) == 2
    await next_day(world, "2027-05-03")
    assert ids(world, "cloud_activity") == []


async def test_an_author_goes_after_the_last_visit_with_the_files():
    """Registered long ago, seen last on 1 May 2026."""
    world = decided_world("2027-05-01", decision("authors", "P12M", "2026-01-01"))
    author(world, "ane", "2020-01-01")
    visited(world, "ane", "2026-05-01")
    author(world, "bo", "2026-09-09")
    assert await run_day(world) == 0
    assert await next_day(world, "2027-05-02") == 1
    assert ids(world, "authors") == ["author-bo"]
    assert ids(world, "author_behaviour") == []
    assert [name for _, name in world.blobs.current] == ["author-bo/text.txt"]


async def test_a_hold_keeps_what_a_decision_would_erase_until_it_is_released():
    world = decided_world("2027-03-11", decision("orders", "P2Y", "2026-01-01"))
    order(world, "ane", "2025-03-10")
    hold(world, EMAIL_OF.format("ane"), activity_id="orders", review_on=world.clock.now().date())
    await run_day(world)
    assert addressees(world) == ["ane"]
    resolved = await resolve(world.context, {EMAIL: (EMAIL_OF.format("ane"),)})
    controls = [one.controls for one in await world.controls.read(resolved.identifiers["subject_key"])]
    found = await due_of_person(world.context, resolved.identifiers, controls)
    assert DueState.HELD in {one.due.state for one in found if one.activity_id == "orders"}

    hold(world, EMAIL_OF.format("ane"), activity_id="authors")
    await next_day(world, "2027-03-12")
    assert addressees(world) == []


async def test_a_restriction_keeps_what_a_decision_would_erase():
    world = decided_world("2027-05-02", decision("orders", "P2Y", "2026-01-01"))
    order(world, "ane", "2025-03-10")
    restrict(world, EMAIL_OF.format("ane"))
    await run_day(world)
    assert addressees(world) == ["ane"]
    assert cases(world) == []


@pytest.mark.parametrize(("day", "left"), [("2026-12-31", ["ane"]), ("2027-01-01", [])])
async def test_a_shorter_period_takes_along_what_is_there_from_its_first_day(day, left):
    """Shipped in 2024 under five years; two years hold from 2027 on."""
    world = decided_world(
        "2026-06-01",
        decision("orders", "P5Y", "2026-01-01"),
        decision("orders", "P2Y", "2027-01-01"),
    )
    order(world, "ane", "2024-02-01")
    assert await run_day(world) == 0
    await next_day(world, day)
    assert addressees(world) == left


async def test_a_longer_period_is_for_data_that_came_after_it_alone():
    """One year until 2027, three years from then on."""
    decisions = (decision("orders", "P1Y", "2026-01-01"), decision("orders", "P3Y", "2027-01-01"))
    world = decided_world("2026-12-01", *decisions)
    order(world, "ane", "2026-12-31")
    order(world, "bo", "2027-01-01")
    await run_day(world)
    await next_day(world, "2027-12-31")
    assert addressees(world) == ["ane", "bo"]
    await next_day(world, "2028-01-01")
    assert addressees(world) == ["bo"]
    await next_day(world, "2030-01-01")
    assert addressees(world) == ["bo"]
    await next_day(world, "2030-01-02")
    assert addressees(world) == []


@pytest.mark.parametrize(("basis", "left"), [(None, []), ("a new contract", ["ane"])])
async def test_a_longer_period_keeps_what_is_there_only_on_a_basis_of_its_own(basis, left):
    decisions = (
        decision("orders", "P1Y", "2026-01-01"),
        decision("orders", "P3Y", "2027-01-01", applies_to_existing=basis),
    )
    world = decided_world("2026-12-01", *decisions)
    order(world, "ane", "2026-06-30")
    await run_day(world)
    await next_day(world, "2027-07-01")
    assert addressees(world) == left
    await next_day(world, "2029-06-30")
    assert addressees(world) == left
    await next_day(world, "2029-07-01")
    assert addressees(world) == []


async def test_learning_of_somebody_from_before_a_longer_period_stays_under_the_shorter_one():
    """All of a person goes together: as the oldest of it says."""
    decisions = (
        decision("content_cloud", "P1Y", "2026-01-01"),
        decision("content_cloud", "P2Y", "2027-01-01"),
    )
    world = decided_world("2027-02-01", *decisions)
    learnt(world, "ane", "2026-12-31")
    learnt(world, "bo", "2027-01-01")
    for name in ("ane", "bo"):
        learnt(world, name, "2027-02-01")
    await run_day(world)
    await next_day(world, "2028-02-01")
    assert len(ids(world, "cloud_activity")) == 4
    await next_day(world, "2028-02-02")
    assert {one[:4] for one in ids(world, "cloud_activity")} == {"a-bo"}
    await next_day(world, "2029-02-01")
    assert {one[:4] for one in ids(world, "cloud_activity")} == {"a-bo"}
    await next_day(world, "2029-02-02")
    assert ids(world, "cloud_activity") == []


async def test_whoever_is_watched_is_looked_at_again_when_a_rule_has_another_version():
    """Old learning and later learning: watched for two years, until a decision says one."""
    first = decision("content_cloud", "P2Y", "2025-06-01")
    world = decided_world("2026-07-01", first)
    learnt(world, "ane", "2024-01-01")
    learnt(world, "ane", "2026-01-01")
    await run_day(world)
    (watched,) = world.retention_runs.watched()
    assert watched.look_on == date(2028, 1, 2)

    changed = decided_map(first, decision("content_cloud", "P1Y", "2026-08-01"))
    world.context = replace(world.context, datamap=changed)
    await next_day(world, "2026-08-01")
    (watched,) = world.retention_runs.watched()
    assert watched.look_on == date(2027, 1, 2)
    await next_day(world, "2027-01-01")
    assert len(ids(world, "cloud_activity")) == 2
    await next_day(world, "2027-01-02")
    assert ids(world, "cloud_activity") == []


async def test_the_preview_finds_who_is_due_by_events_alone():
    """One event or many: the person counts once, and whoever learnt since is kept."""
    world = decided_world("2027-05-01", decision("content_cloud", "P1Y", "2026-01-01"))
    for day in ("2024-01-01", "2026-05-01"):
        learnt(world, "ane", day)
    learnt(world, "bo", "2024-01-01")
    learnt(world, "bo", "2027-01-01")
    line = (await previewing.preview(world.context, date(2027, 5, 1))).rules["D-content_cloud"]
    assert (line.people, line.documents) == (0, 0)
    found = await previewing.preview(world.context, date(2027, 5, 2))
    line = found.rules["D-content_cloud"]
    assert (line.people, line.documents, line.earliest_on) == (1, 2, date(2027, 5, 2))
    assert found.kept_active == 1


async def test_the_outlook_counts_what_a_decision_will_bring_in_its_first_month():
    """Nothing before it holds; then all that is past its period."""
    world = decided_world("2026-06-15", decision("orders", "P2Y", "2026-08-01"))
    for number, shipped in enumerate(("2020-01-01", "2024-08-15", "2024-09-15")):
        order(world, "ane", shipped, number=number)
    found = await looking_ahead.outlook(world.context)
    assert found.overdue["D-orders"] == 0
    assert found.by_rule["D-orders"][:5] == (0, 0, 2, 1, 0)


async def test_a_decision_that_is_withdrawn_erases_nothing_more():
    """Filed in the morning, withdrawn before the case is worked on."""
    world = decided_world("2027-03-11", decision("orders", "P2Y", "2026-01-01"))
    order(world, "ane", "2025-03-10")
    await retention.daily(world.context)
    assert len(cases(world)) == 1
    world.context = replace(world.context, datamap=load())
    await deliver(world)
    assert addressees(world) == ["ane"]
    assert all(one.is_final for one in cases(world))


async def test_a_run_ends_though_a_rule_it_searches_by_is_gone():
    """Withdrawn while the run was at it; another rule's people are still found."""
    world = decided_world(
        "2027-03-11",
        decision("orders", "P2Y", "2026-01-01"),
        decision("content_cloud", "P1Y", "2026-01-01"),
        limits=Limits(message_documents=1),
    )
    for number in range(3):
        order(world, f"p{number}", "2025-03-10")
    learnt(world, "ane", "2020-01-01")
    run = await retention.daily(world.context)
    assert not run.is_done
    left_over = decision("content_cloud", "P1Y", "2026-01-01")
    world.context = replace(world.context, datamap=decided_map(left_over))
    await run_day(world)
    assert ids(world, "cloud_activity") == []


async def test_dying_at_any_call_of_a_decided_rule_s_run_erases_neither_too_much_nor_too_little():
    """Every order whose time is up goes, and no other."""
    for dies_at in range(1, 40, 3):
        calls = 0

        async def turn(name: str, dies_at: int = dies_at) -> None:
            nonlocal calls
            calls += 1
            if calls == dies_at:
                raise Retryable("gone", name)

        world = decided_world("2027-03-11", decision("orders", "P2Y", "2026-01-01"))
        order(world, "ane", "2025-03-10")
        order(world, "bo", "2025-03-11")
        world.retention_runs.turn = world.documents.turn = world.cases.turn = turn
        with suppress(Retryable):
            await run_day(world)
        calls = dies_at
        await rest(world)
        await run_day(world)
        assert addressees(world) == ["bo"], dies_at


async def test_a_copy_says_how_long_data_stays_as_it_was_decided_and_not_by_whom():
    """In place of the sentence that no period is set."""
    world = decided_world("2027-03-02", decision("orders", "P2Y", "2027-01-01"))
    order(world, "ane", "2026-03-10")
    request_id = await fulfil(world, EMAIL_OF.format("ane"), Right.ACCESS)
    page = opened(world, request_id)["index.html"].decode()
    assert "2 years after an order was shipped or invoiced; the controller decided so" in page
    assert "made-up reason" not in page
    assert "made-up company" not in page


async def test_a_rule_of_the_policy_has_versions_too_for_all_that_a_use_keeps_together():
    """One year of no use until 2027, two from then on: for installations first seen from then on."""
    world = world_on("2027-06-01")
    world.context = replace(world.context, datamap=versioned(world.datamap, "R1", "P1Y", "P2Y", "2027-01-01"))
    for name, first_seen in (("ane", "2026-12-31"), ("bo", "2027-01-01")):
        installation(world, name, "2027-05-31", first_seen_at=on(first_seen))
        event(world, name, "2027-05-31")
    await run_day(world)
    await next_day(world, "2028-05-31")
    assert len(ids(world, "installations")) == 2
    await next_day(world, "2028-06-01")
    assert ids(world, "installations") == ["A-bo"]
    assert {one.split("-")[1] for one in ids(world, "usage_events")} == {"bo"}
    await next_day(world, "2029-05-31")
    assert ids(world, "installations") == ["A-bo"]
    await next_day(world, "2029-06-01")
    assert ids(world, "installations") == []
