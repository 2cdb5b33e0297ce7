"""The doors for what scheduled deletion would do, and for who has yet to see the policy."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import azure.functions as func
import pytest

from functions import http_operations_retention as doors
from shared.domain.displays import Display, DisplayChannel
from shared.domain.staff import StaffRole
from tests.fakes.staff import MemoryStaffTokens
from tests.policy_versions import versioned_map
from tests.triggers.conftest import content, problem, wire
from tests.unit.services.deciding_periods import decided_world, decision, order, own_decision
from tests.unit.services.systems import installation, licence, run_day, world_on


def served(monkeypatch, world):
    """Put a World in the app's place and return a way to call a door as an auditor."""
    tokens = MemoryStaffTokens()
    wire(monkeypatch, world, staff_tokens=tokens)
    token = tokens.add("auditor", StaffRole.AUDITOR)

    async def get(handler, language="en", route=None, **params):
        request = func.HttpRequest(
            method="GET",
            url="http://127.0.0.1:7071/api/operations/retention",
            headers={"authorization": f"Bearer {token}", "accept-language": language},
            params=params,
            route_params=route or {},
            body=b"",
        )
        return await handler(request)

    return get


@pytest.fixture
def get(monkeypatch):
    """A World in which ane's year is over and bo's is not."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    installation(world, "bo", "2025-06-01")
    return served(monkeypatch, world)


@pytest.mark.clause("5.1")
async def test_the_preview_names_rules_days_and_gaps(get):
    """In the language of the reader."""
    found = content(await get(doors.preview, language="da"))
    line = found["rules"][0]
    assert (line["rule_id"], line["people"], line["earliest_on"]) == ("R1", 1, "2026-03-02")
    assert line["title"] == "Et år efter seneste brug"
    assert {"authors", "content_cloud"} <= {one["activity_id"] for one in found["undecided"]}
    assert content(await get(doors.preview, as_of="2026-06-02"))["rules"][0]["people"] == 2


async def test_the_preview_names_what_the_controller_decided_and_why(monkeypatch):
    """Instead of a gap, and from the day it holds."""
    world = decided_world("2027-03-10", decision("orders", "P2Y", "2027-03-12"))
    order(world, "ane", "2025-03-10")
    get = served(monkeypatch, world)
    found = content(await get(doors.preview))
    assert "orders" not in {one["activity_id"] for one in found["undecided"]}
    (line,) = found["decided"]
    assert line == {
        "activity_id": "orders",
        "title": "Orders and shipments",
        "rule_id": "D-orders",
        "period": "P2Y",
        "counts_from": "shipped_or_invoiced",
        "effective_from": "2027-03-12",
        "decided_by": "Head of a made-up company",
        "decided_at": "2025-01-01T09:00:00Z",
        "reason": "a made-up reason",
        "applies_to_existing": None,
    }
    people = {day: await _people(get, day) for day in ("2027-03-11", "2027-03-12")}
    assert people == {"2027-03-11": 0, "2027-03-12": 1}


async def _people(get, day):
    rules = content(await get(doors.preview, as_of=day))["rules"]
    return next(one["people"] for one in rules if one["rule_id"] == "D-orders")


async def test_the_preview_lists_our_own_data_with_how_long_it_stays(monkeypatch):
    """By a setting, by a decision, or not decided."""
    world = decided_world("2027-03-10", own_decision("case_files", "P3Y", "2027-01-01"))
    found = content(await served(monkeypatch, world)(doors.preview))
    kept = {one["id"]: one["kept"] for one in found["own_data"]}
    assert kept["packages"] == "14 days (PACKAGE_DAYS)"
    assert kept["case_files"] == "P3Y from 2027-01-01"
    assert kept["disclosures"] is None


async def test_a_day_that_makes_no_sense_is_refused(get):
    """By its name."""
    problem(await get(doors.preview, as_of="2026-03-01"), 400, "as_of_out_of_range")
    problem(await get(doors.preview, as_of="soon"), 400, "field_invalid")


async def test_the_chart_is_an_image_that_runs_nothing(get):
    """With the counts in its description."""
    response = await get(doors.outlook)
    assert (response.status_code, response.mimetype) == (200, "image/svg+xml")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'"
    root = ET.fromstring(response.get_body())  # noqa: S314  our own text
    assert root[1].text == "records. due: R1 1; 2026-06: R1 1."


async def test_runs_are_listed_with_what_they_came_to(monkeypatch):
    """The latest first."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    get = served(monkeypatch, world)
    await run_day(world)
    line = content(await get(doors.runs))["runs"][0]
    assert (line["day"], line["filed"], line["by_rule"]) == ("2026-03-02", 1, {"R1": 1})


async def test_the_report_of_a_run_is_a_page_with_the_chart_in_it(monkeypatch):
    """Where the list of runs says; a day without a run has none."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    installation(world, "bo", "2025-06-01")
    get = served(monkeypatch, world)
    await run_day(world)
    url = content(await get(doors.runs))["runs"][0]["report_url"]
    assert url == f"{world.context.public_url}/operations/retention/runs/2026-03-02"
    response = await get(doors.report, language="da", route={"day": "2026-03-02"})
    assert (response.status_code, response.mimetype, response.charset) == (200, "text/html", "utf-8")
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    html = response.get_body().decode()
    assert "Planlagt sletning den 2. marts 2026" in html
    assert "2026-06: R1 1" in html
    assert "user-ane" not in html
    for day in ("2026-03-01", "2026-02-30", "0000000000"):
        problem(await get(doors.report, route={"day": day}), 404, "run_unknown")


async def test_records_in_doubt_are_named_by_container_and_id_alone(monkeypatch):
    """Page by page, and without anything that they say."""
    world = world_on("2026-03-02")
    for number in "123":
        licence(world, number, None, "ane")
    get = served(monkeypatch, world)
    await run_day(world)
    first = content(await get(doors.doubts, limit="2"))
    second = content(await get(doors.doubts, limit="2", cursor=first["cursor"]))
    assert second["cursor"] is None
    lines = [*first["doubts"], *second["doubts"]]
    assert {one["place"] for one in lines} == {f"licences/licence-{number}" for number in "123"}
    assert {(one["reason"], one["since_on"]) for one in lines} == {("undated", "2026-03-02")}
    assert "people.example" not in str(first)
    problem(await get(doors.doubts, cursor="licences/licence-1"), 400, "field_invalid")


@pytest.mark.clause("8.1", "9.1")
async def test_whoever_saw_an_earlier_version_has_yet_to_see_the_current_one(monkeypatch):
    """By channel; who saw it is counted."""
    world = world_on("2026-03-02")
    world = type(world)(datamap=versioned_map(), clock=world.clock)
    get = served(monkeypatch, world)
    now = world.clock.now()

    async def show(key, number, channel, days):
        await world.displays.record(
            Display(
                subject_key=key,
                number=number,
                language="en",
                sha256="0" * 64,
                channel=channel,
                shown_at=now - timedelta(days=days),
            )
        )

    for key in ("k1-a", "k1-b", "k1-c"):
        await show(key, "1", DisplayChannel.APPLICATION, 100)
    await show("k1-b", "2", DisplayChannel.APPLICATION, 1)
    await show("k1-c", "1", DisplayChannel.CONTENT_CLOUD, 99)
    await show("k1-c", "2", DisplayChannel.CONTENT_CLOUD, 1)

    found = content(await get(doors.unseen))
    assert (found["number"], found["shown"]) == ("2", {"application": 1, "content_cloud": 1})
    assert found["unseen"] == [
        {"subject_key": "k1-a", "channels": ["application"], "last_number": "1"},
        {"subject_key": "k1-c", "channels": ["application"], "last_number": "2"},
    ]
    assert found["cursor"] is None
    first = content(await get(doors.unseen, limit="1"))
    assert [one["subject_key"] for one in first["unseen"]] == ["k1-a"]
    second = content(await get(doors.unseen, limit="5", cursor=first["cursor"]))
    assert [one["subject_key"] for one in second["unseen"]] == ["k1-c"]
