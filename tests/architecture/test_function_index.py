"""The functions the host finds: names, routes, methods, queues, schedules, as checked in."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INDEX = Path(__file__).with_name("function_index.json")
LIST = """
import json
from function_app import app
found = {}
for function in app.get_functions():
    trigger, *outputs = json.loads(function.get_function_json())["bindings"]
    found[function.get_function_name()] = {
        name: value
        for name, value in trigger.items()
        if name in ("type", "route", "methods", "authLevel", "queueName", "connection", "schedule")
    } | {"outputs": [output["type"] for output in outputs]}
print(json.dumps(found, sort_keys=True))
"""


def _found() -> dict:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_app_has_the_functions_that_are_checked_in():
    """A door that is added, moved or lost shows in the review of function_index.json."""
    assert _found() == json.loads(INDEX.read_text("utf-8"))


def test_no_door_acts_on_a_get():
    """Whoever follows a link changes nothing: a door for GET is a page or a status."""
    gets = {
        name for name, one in json.loads(INDEX.read_text("utf-8")).items() if "GET" in one.get("methods", [])
    }
    assert gets == {
        "health",
        "newsletter_choices",
        "newsletter_confirmation_page",
        "newsletter_leave_page",
        "openapi",
        "opendsr_certificate",
        "opendsr_discovery",
        "opendsr_status",
        "operations_forecast",
        "operations_holds",
        "operations_list",
        "operations_recipients",
        "operations_newsletter",
        "operations_policy_unseen",
        "operations_retention_chart",
        "operations_retention_doubts",
        "operations_retention_report",
        "operations_retention_preview",
        "operations_retention_runs",
        "package_page",
        "requests_answer_page",
        "policy_current",
        "policy_version",
        "policy_versions",
        "requests_cancellation_page",
        "requests_status",
        "requests_verification_page",
    }


def test_loading_the_app_needs_no_settings_and_connects_to_nothing():
    """An exception while loading would leave the host without a single function."""
    script = (
        "import socket, sys\n"
        "def refuse(*arguments, **options):\n"
        "    raise AssertionError('connects while loading')\n"
        "socket.socket.connect = refuse\n"
        "import function_app\n"
        "from shared import bootstrap\n"
        "assert bootstrap._app is None\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
