"""What the benchmarks say of their figures, and how they name what went over the wire."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from devtools.bench import BENCHMARKS
from devtools.bench.deciding import percentile
from devtools.bench.figures import Figure, Wanted
from devtools.bench.importing import library_imports
from devtools.bench.machine import Machine, describe_machine
from devtools.bench.population import DOCUMENTS_EACH, SIX_CONTAINERS, big_author, documents_of, equal_people
from devtools.bench.report import TEXTS, TITLES, as_json, write_document
from devtools.bench.scale import SCALES
from devtools.bench.traffic import operation_of

ROOT = Path(__file__).resolve().parent.parent.parent
MACHINE = Machine(
    cpu="Made-up CPU", cores=2, memory_gib=4.0, system="Linux", python="3.11.0", measured_on=date(2026, 1, 2)
)


@pytest.mark.parametrize(
    ("value", "side", "limit", "verdict"),
    [
        (1.5, Wanted.AT_MOST, 1.5, "yes"),
        (1.51, Wanted.AT_MOST, 1.5, "MISSED"),
        (5.0, Wanted.AT_LEAST, 5.0, "yes"),
        (4.9, Wanted.AT_LEAST, 5.0, "MISSED"),
        (4.9, Wanted.AT_MOST, None, ""),
    ],
)
def test_figure_says_whether_it_is_as_wanted(value: float, side: Wanted, limit: float | None, verdict: str):
    assert Figure(what="a", value=value, side=side, limit=limit).verdict == verdict


def test_page_shows_a_missed_limit_and_names_no_machine(tmp_path: Path):
    figures = {"erase": [Figure(what="app / bare", value=2.0, unit="times", limit=1.5)]}
    page = tmp_path / "docs" / "benchmarks.md"
    write_document(page, figures, MACHINE)
    text = page.read_text(encoding="utf-8")
    assert "| app / bare | 2.00 | times | ≤ 1.5 | MISSED |" in text
    assert "Made-up CPU, 2 logical cores, 4 GiB" in text
    assert as_json(figures, MACHINE, SCALES["small"])["figures"]["erase"][0]["met"] is False


def test_every_benchmark_has_its_text():
    assert set(BENCHMARKS) == set(TITLES) == set(TEXTS)


def test_machine_is_described_without_its_name():
    import socket

    assert socket.gethostname() not in str(dataclasses.asdict(describe_machine()))


@pytest.mark.parametrize(
    ("method", "url", "headers", "name"),
    [
        ("POST", "http://h:1/dbs/a/colls/c/docs", {"x-ms-documentdb-isquery": "true"}, "cosmos query c"),
        (
            "POST",
            "http://h:1/dbs/a/colls/c/docs/",
            {"x-ms-cosmos-is-batch-request": "True"},
            "cosmos batch c",
        ),
        (
            "POST",
            "http://h:1/dbs/a/colls/c/docs",
            {"x-ms-cosmos-is-query-plan-request": "True", "x-ms-documentdb-isquery": "false"},
            "cosmos query plan c",
        ),
        ("DELETE", "http://h:1/dbs/a/colls/c/docs/one", {}, "cosmos delete c"),
        ("GET", "http://h:1/", {}, "cosmos read"),
        ("PUT", "http://h:1/account/packages/r.zip?comp=block&blockid=a", {}, "blob block packages"),
        ("GET", "http://h:1/account/packages?restype=container&comp=list", {}, "blob list packages"),
        ("POST", "http://h:1/account/request-plan/messages", {}, "queue post request-plan"),
    ],
)
def test_operation_is_named_by_service_verb_and_container(
    method: str, url: str, headers: dict[str, str], name: str
):
    assert operation_of(method, url, headers) == name


def test_equal_people_have_a_hundred_documents_in_six_containers():
    everyone = equal_people(12, seed="t")
    records = list(documents_of(everyone))
    assert len(records) == 12 * DOCUMENTS_EACH
    assert {record.container for record in records} == set(SIX_CONTAINERS)
    assert len({person.email for person in everyone}) == 12


def test_big_author_has_exactly_as_many_documents_as_asked_for():
    _, records = big_author(250, seed="t")
    assert sum(1 for _ in records) == 250


def test_imports_of_libraries_leave_out_our_own_and_the_standard_library():
    found = library_imports(ROOT)
    assert "import azure.functions" in found
    assert "from pydantic import BaseModel" in found
    assert not [one for one in found if " shared" in one or " functions." in one or one == "import json"]


@pytest.mark.parametrize(("percent", "value"), [(1, 2), (50, 100), (99, 198), (100, 200)])
def test_percentile_is_the_value_that_so_many_do_not_exceed(percent: int, value: int):
    assert percentile(list(range(200, 0, -1)), percent) == value
    assert percentile([7.0], percent) == 7.0
