"""What the real host refuses is refused before anything is served, every function at fault by name."""

import pytest

from devtools.functions_host import HostRefusedError
from devtools.functions_host.loading import load_functions
from devtools.functions_host.settings import load_settings

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


def faults_of(app, environment=STORAGE) -> dict[str, str]:
    """Return reason by subject, several reasons joined."""
    with pytest.raises(HostRefusedError) as caught:
        load_functions(app.root, load_settings(app.root, environment))
    found: dict[str, str] = {}
    for fault in caught.value.faults:
        found[fault.subject] = "; ".join(filter(None, [found.get(fault.subject), fault.reason]))
    return found


async def test_every_function_at_fault_is_named_at_once(app):
    app.source("""
from typing import Optional
@app.route(route="Admin/x")
def reserved(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="runtime-info")
def reserved_too(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="union")
def union(req: func.HttpRequest) -> func.HttpResponse | None: ...
@app.route(route="optional")
def optional(req: func.HttpRequest) -> Optional[func.HttpResponse]: ...
@app.route(route="generic")
def generic(req: func.HttpRequest) -> list[str]: ...
@app.route(route="number")
def number(req: func.HttpRequest) -> int: ...
@app.route(route="other")
def wrong_name(request: func.HttpRequest, extra, context: int) -> func.HttpResponse: ...
@app.route(route="{id:unknown}")
def constraint(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="fine")
def fine(req: func.HttpRequest) -> func.HttpResponse: ...
@app.function_name("1st")
@app.route(route="first")
def first(req: func.HttpRequest) -> func.HttpResponse: ...
@app.function_name("host")
@app.route(route="second")
def second(req: func.HttpRequest) -> func.HttpResponse: ...
@app.queue_trigger(arg_name="msg", queue_name="jobs", connection="MISSING")
def connection(msg: func.QueueMessage) -> None: ...
@app.queue_trigger(arg_name="msg", queue_name="Bad_Name", connection="AzureWebJobsStorage")
def queue_name(msg: func.QueueMessage) -> None: ...
@app.queue_trigger(arg_name="msg", queue_name="%NOWHERE%", connection="AzureWebJobsStorage")
def placeholder(msg: func.QueueMessage) -> None: ...
@app.queue_trigger(arg_name="msg", queue_name="jobs", connection="AzureWebJobsStorage")
def message_type(msg: func.HttpRequest) -> None: ...
@app.timer_trigger(arg_name="t", schedule="0 0 * * * 7")
def schedule(t: func.TimerRequest) -> None: ...
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="soon")
@app.timer_trigger(arg_name="t", schedule="0 0 * * * *")
def retries(t: func.TimerRequest) -> None: ...
@app.route(route="out")
@app.queue_output(arg_name="out", queue_name="jobs", connection="AzureWebJobsStorage")
def out(req: func.HttpRequest, out: str) -> func.HttpResponse: ...
@app.route(route="in")
def as_out(req: func.Out[func.HttpRequest]) -> func.HttpResponse: ...
@app.blob_trigger(arg_name="b", path="x/{name}", connection="AzureWebJobsStorage")
def blob(b: func.InputStream) -> None: ...
@app.route(route="undefined")
def undefined(req: "Nowhere") -> func.HttpResponse: ...
""")
    faults = faults_of(app)
    assert set(faults) == {
        "reserved",
        "reserved_too",
        "union",
        "optional",
        "generic",
        "number",
        "wrong_name",
        "constraint",
        "1st",
        "host",
        "connection",
        "queue_name",
        "placeholder",
        "message_type",
        "schedule",
        "retries",
        "out",
        "as_out",
        "blob",
        "undefined",
    }
    assert "reserved word" in faults["reserved"]
    assert "plain class" in faults["union"]
    for missing in ("'context'", "'extra'", "'request'", "'req'"):
        assert missing in faults["wrong_name"]
    assert "MISSING" in faults["connection"]
    assert "NOWHERE" in faults["placeholder"]
    assert "between 0 and 6" in faults["schedule"]


async def test_second_function_on_a_taken_route_is_named_with_the_first(app):
    app.source("""
@app.route(route="/Items/{id}", methods=["GET", "POST"])
def a(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="items/{id}/", methods=["POST"])
def b(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="items/{id}", methods=["PUT"])
def c(req: func.HttpRequest) -> func.HttpResponse: ...
""")
    faults = faults_of(app)
    assert set(faults) == {"b"}
    assert faults["b"].endswith("function a")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("raise RuntimeError('no setting X')", "no setting X"),
        ("second = func.FunctionApp()", "2 FunctionApp objects"),
        ("del app", "no FunctionApp"),
        ("@app.function_name('lonely')\ndef f(): ...", "lonely"),
        (
            "\n".join(
                f"@app.function_name('same')\n@app.route(route='{route}')\n"
                f"def f{route}(req: func.HttpRequest) -> func.HttpResponse: ..."
                for route in "ab"
            ),
            "same",
        ),
    ],
)
async def test_app_that_cannot_be_read_is_refused(app, source, part):
    app.source(source)
    faults = faults_of(app)
    assert part in faults["function_app.py"]


async def test_missing_storage_setting_is_refused_for_queues_and_timers_only(app):
    app.source("""
@app.route(route="r")
def r(req: func.HttpRequest) -> func.HttpResponse: ...
@app.timer_trigger(arg_name="t", schedule="0 0 * * * *")
def t(t: func.TimerRequest) -> None: ...
""")
    assert set(faults_of(app, environment={})) == {"t"}


async def test_unknown_function_asked_for_is_named(app):
    app.source("@app.route(route='r')\ndef r(req: func.HttpRequest) -> func.HttpResponse: ...")
    with pytest.raises(HostRefusedError, match="nobody"):
        load_functions(app.root, load_settings(app.root, {}), only=["nobody"])


async def test_names_that_differ_in_case_only_are_refused(app):
    app.source("""
@app.route(route="x")
def Twin(req: func.HttpRequest) -> func.HttpResponse: ...
@app.route(route="y")
def twin(req: func.HttpRequest) -> func.HttpResponse: ...
""")
    assert len(faults_of(app)) == 1


@pytest.mark.parametrize("name", ["PYTHON_THREADPOOL_THREAD_COUNT", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"])
@pytest.mark.parametrize("value", ["many", "0", "-1"])
async def test_setting_that_is_no_positive_number_is_refused(app, name, value):
    app.source("@app.route(route='r')\ndef r(req: func.HttpRequest) -> func.HttpResponse: ...")
    with pytest.raises(HostRefusedError, match=name):
        async with app.served(environment={name: value}):
            pass


async def test_missing_files_are_refused(app):
    assert "missing" in faults_of(app)["function_app.py"]
    (app.root / "host.json").unlink()
    assert "missing" in faults_of(app)["host.json"]
