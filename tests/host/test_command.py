"""The host as a program: ready line, refusal, busy port, end with its parent."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL_APP = """
import os
@app.route(route="variable/{name}")
async def variable(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ.get(req.route_params["name"], "unset"))
"""


def start(app, *options: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "devtools.functions_host",
        "--root",
        str(app.root),
        "--port",
        "0",
        *options,
    ]
    return subprocess.Popen(  # noqa: S603 - our own program
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def started(app):
    processes = []

    def launch(*options: str, environment: dict[str, str] | None = None) -> tuple[subprocess.Popen[str], str]:
        process = start(app, *options, environment=environment)
        processes.append(process)
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), process.stderr.read()
        return process, line.split()[-1]

    yield launch
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own http address
        return answer.read().decode()


def test_program_says_where_it_listens_and_stops_on_a_signal(app, started):
    app.source(SMALL_APP)
    process, url = started()
    assert get(f"{url}/api/variable/AZURE_FUNCTIONS_ENVIRONMENT") == "Development"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Serving 1 functions" in process.stderr.read()


def test_app_sees_local_settings_and_its_own_environment_first(app, started):
    app.source(SMALL_APP)
    values = {"FROM_FILE": "file", "FROM_BOTH": "file"}
    (app.root / "local.settings.json").write_text(json.dumps({"Values": values}))
    _, url = started(environment={"FROM_BOTH": "environment"})
    assert get(f"{url}/api/variable/FROM_FILE") == "file"
    assert get(f"{url}/api/variable/FROM_BOTH") == "environment"


def test_program_ends_when_its_parent_lets_go(app, started):
    app.source(SMALL_APP)
    process, _ = started("--stop-with-parent")
    process.stdin.close()
    assert process.wait(20) == 0


def test_log_can_go_to_a_file(app, started, tmp_path):
    app.source(SMALL_APP)
    process, url = started("--log", str(tmp_path / "host.log"))
    get(f"{url}/api/variable/X")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert "Executed variable (succeeded" in (tmp_path / "host.log").read_text()
    assert process.stderr.read() == ""


def test_refused_app_ends_with_code_1_and_all_names(app):
    app.source(SMALL_APP.replace("variable/{name}", "admin") + SMALL_APP.replace("variable", "{x:bad}", 1))
    process = start(app)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert "variable" in errors
    assert "Traceback" not in errors


def test_busy_port_ends_with_code_2_and_one_sentence(app):
    app.source(SMALL_APP)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(app, "--port", str(port))
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"Port {port} is in use" in errors
    assert "Traceback" not in errors
