"""The platform as a whole: starts, serves, restarts its host, keeps data, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import date, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from azure.cosmos import CosmosClient
from azure.storage.blob import BlobServiceClient

from devtools import run as run_command
from devtools.app_environment import Endpoints, app_environment, example_values
from devtools.azurite import AzuritePorts
from devtools.failures import CannotStartError, PortBusyError
from devtools.free_ports import free_port
from devtools.local_platform import NEWSLETTER_FILE, Platform, PlatformPorts
from devtools.provision import provision
from devtools.sample_data import people
from devtools.sample_data.loading import load_subscribers
from shared.adapters.campaign_monitor import CampaignMonitor
from shared.adapters.google_analytics import GoogleAnalytics
from shared.adapters.google_tokens import GoogleTokens
from shared.domain.recipients import Confirmation, Instruction
from shared.settings import read
from tests.devtools.test_processes import wait_until_gone

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.platform
ME = "campaign_monitor"


def test_stores_answer_and_nothing_outlives_the_block():
    with Platform(ROOT) as platform:
        environment = platform.environment
        with CosmosClient(environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"]) as client:
            client.create_database("mine")
        with BlobServiceClient.from_connection_string(environment["STORAGE_CONNECTION"]) as blobs:
            blobs.create_container("mine")
        pids = [process.pid for process in platform.processes.values()]
        logs = platform.logs
        assert len(pids) == 2
    wait_until_gone(pids)
    assert not logs.exists()


def test_data_stay_between_runs_when_they_are_kept(tmp_path):
    for start in range(2):
        with Platform(ROOT, data=tmp_path / "data", logs=tmp_path / "logs") as platform:
            environment = platform.environment
            with CosmosClient(environment["COSMOS_ENDPOINT"], credential=environment["COSMOS_KEY"]) as client:
                if start == 0:
                    client.create_database("kept")
                assert [database["id"] for database in client.list_databases()] == ["kept"]


async def test_a_newsletter_processor_runs_too_where_it_is_wanted(tmp_path):
    everyone = people(20)
    signed_up = [person.member_email for person in everyone if person.has_signed_up]
    for start in range(2):
        logs, data = tmp_path / "logs", tmp_path / "data"
        with Platform(ROOT, data=data, logs=logs, with_processors=True) as platform:
            processor = CampaignMonitor(read(platform.environment), has_contract=False)
            if start == 0:
                loaded = await load_subscribers(url=platform.campaign_monitor_url, people=everyone)
                assert loaded == len(signed_up) > 2
                told = await processor.instruct(ME, Instruction.UNSUBSCRIBE, signed_up[:1])
                assert told is Confirmation.DONE
            # What the first start was told, the second one still knows.
            kept = json.loads((data / NEWSLETTER_FILE).read_text(encoding="utf-8"))
            states = {
                email: one["state"]
                for found in kept["lists"].values()
                for email, one in found["subscribers"].items()
            }
            assert set(states) == {email.lower() for email in signed_up}
            assert states[signed_up[0].lower()] == "Unsubscribed"
            erased = await processor.instruct(ME, Instruction.ERASE, signed_up[1:2])
            assert erased is Confirmation.AWAITING_STAFF
            await processor.close()
            pids = [process.pid for process in platform.processes.values()]
        assert len(pids) == 3
        wait_until_gone(pids)


async def test_web_analytics_run_too_where_they_are_wanted(tmp_path):
    with Platform(ROOT, data=tmp_path / "data", logs=tmp_path / "logs") as platform:
        platform.start_analytics()
        settings = read(platform.environment)
        analytics = GoogleAnalytics(
            settings, identifiers={"user_id": "userId"}, has_contract=False, tokens=GoogleTokens(settings)
        )
        answered = await analytics.instruct(Instruction.ERASE, {"user_id": ("user-0001",)})
        assert answered.confirmation is Confirmation.ACCEPTED
        await analytics.close()
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.get(f"{platform.google_analytics_url}stand-in/deletions")).json()
        assert [(one["field"], one["value"]) for one in told] == [("userId", "user-0001")]
        pids = [process.pid for process in platform.processes.values()]
    assert len(pids) == 3
    wait_until_gone(pids)


def test_app_is_served_stopped_killed_and_served_again(running_platform):
    def status() -> int:
        with urllib.request.urlopen(f"{running_platform.functions_url}/admin/host/status") as answer:  # noqa: S310
            return answer.status

    assert status() == 200
    running_platform.kill_host()
    with pytest.raises(OSError, match=r"refused"):
        status()
    running_platform.start_host()
    running_platform.stop_host()
    running_platform.start_host(options=["--no-timers"])
    assert status() == 200


def test_an_app_that_is_set_ahead_is_at_a_later_day(running_platform):
    """For that start alone."""

    def received_on() -> date:
        where = f"{running_platform.functions_url}/api/requests"
        asked = json.dumps({"email": "nobody@people.example", "right": "access"}).encode()
        request = urllib.request.Request(where, asked, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            request_id = json.loads(answer.read())["request_id"]
        with urllib.request.urlopen(f"{where}/{request_id}") as answer:  # noqa: S310
            return date.fromisoformat(json.loads(answer.read())["received_on"])

    today = received_on()
    running_platform.stop_host()
    running_platform.start_host(settings={"CLOCK_OFFSET_SECONDS": str(40 * 86_400)})
    later = received_on()
    running_platform.stop_host()
    running_platform.start_host()
    assert timedelta(days=40) <= later - today <= timedelta(days=41)
    assert received_on() - today <= timedelta(days=1)


def test_killed_parent_leaves_nothing_of_the_platform_running():
    code = """
import asyncio, time
from pathlib import Path
from devtools.local_platform import Platform
from devtools.provision import provision
root = Path('.').resolve()
with Platform(root) as platform:
    asyncio.run(provision(root, platform.environment))
    platform.start_host()
    print(*(process.pid for process in platform.processes.values()), flush=True)
    time.sleep(600)
"""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 3
        os.kill(parent.pid, signal.SIGKILL)
    wait_until_gone(pids)


async def test_provisioning_twice_is_once(running_platform):
    environment = running_platform.environment
    await provision(ROOT, environment)
    await provision(ROOT, environment)


def test_refused_app_is_told_with_its_names(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "local.settings.example.json").write_text('{"Values": {}}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='admin')\ndef broken(req: func.HttpRequest) -> func.HttpResponse: ...\n"
    )
    platform = Platform(ROOT)
    try:
        platform.start_azurite()
        platform.app_root = tmp_path
        with pytest.raises(CannotStartError, match=r"broken: the route"):
            platform.start_host()
    finally:
        platform.stop()


def test_environment_takes_examples_then_endpoints_then_overrides(monkeypatch):
    monkeypatch.setenv("COSMOS_ENDPOINT", "https://a-real-account.example")
    monkeypatch.setenv("UNRELATED", "kept")
    endpoints = Endpoints(storage_connection_string="s", cosmos_endpoint="c", functions_url="http://f")
    environment = app_environment(ROOT, endpoints, overrides={"PACKAGE_DAYS": "3"})
    assert environment["COSMOS_ENDPOINT"] == "c"
    assert environment["AzureWebJobsStorage"] == environment["STORAGE_CONNECTION"] == "s"
    assert environment["PUBLIC_URL"] == "http://f/api"
    assert environment["PACKAGE_DAYS"] == "3"
    assert environment["UNRELATED"] == "kept"
    assert set(example_values(ROOT)) <= set(environment)
    assert environment["CAMPAIGN_MONITOR_CLIENT_ID"] == ""


def test_environment_connects_a_processor_that_runs():
    endpoints = Endpoints(
        storage_connection_string="s",
        cosmos_endpoint="c",
        functions_url="http://f",
        campaign_monitor_url="http://127.0.0.1:8082/api/v3.3",
    )
    settings = read(app_environment(ROOT, endpoints))
    assert settings.campaign_monitor_url == "http://127.0.0.1:8082/api/v3.3"
    assert CampaignMonitor(settings, has_contract=False).connected() == (ME,)


def test_missing_example_settings_are_one_sentence(tmp_path):
    with pytest.raises(CannotStartError, match=r"local\.settings\.example\.json"):
        example_values(tmp_path)


@pytest.fixture
def other_ports(monkeypatch) -> PlatformPorts:
    """Free ports in place of the fixed ones, which somebody on this machine may be using."""
    ports = PlatformPorts(
        functions=free_port(),
        cosmos=free_port(),
        campaign_monitor=free_port(),
        issuer=free_port(),
        azurite=AzuritePorts(blob=free_port(), queue=free_port(), table=free_port()),
    )
    monkeypatch.setattr(run_command, "PORTS", ports)
    return ports


def test_run_names_a_busy_port_and_starts_nothing(other_ports, monkeypatch):
    def start(*_: object, **__: object) -> None:
        raise AssertionError("must not start")

    monkeypatch.setattr(run_command, "Platform", start)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other_ports.cosmos))
        taken.listen()
        with pytest.raises(PortBusyError, match=rf"Port {other_ports.cosmos} \(Cosmos DB emulator\)"):
            run_command.main([])


def test_run_without_core_tools_is_one_sentence(other_ports, monkeypatch):
    monkeypatch.setattr(run_command.shutil, "which", lambda _: None)
    with pytest.raises(CannotStartError, match=r"Core Tools"):
        run_command.main(["--func"])


IN_A_DESTRUCTOR = """
class Late:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def collecting(folder, collect=MailFolder.collect):
    Late()
    return collect(folder)

MailFolder.collect = collecting
"""
"""Where Python drops what a signal's handler raises."""


@pytest.mark.parametrize("hook", ["", IN_A_DESTRUCTOR], ids=["from_outside", "in_a_destructor"])
def test_run_serves_until_interrupted_and_stops_everything(tmp_path, hook):
    ports = [free_port() for _ in range(7)]
    code = f"""
import signal
import sys
from pathlib import Path
from devtools.mail_folder import MailFolder
{hook}
from devtools import run
from devtools.azurite import AzuritePorts
from devtools.local_platform import PlatformPorts
run.PORTS = PlatformPorts(
    functions={ports[0]}, cosmos={ports[1]}, campaign_monitor={ports[5]}, issuer={ports[6]},
    azurite=AzuritePorts(blob={ports[2]}, queue={ports[3]}, table={ports[4]}),
)
run.LOCAL = Path({str(tmp_path)!r})
sys.exit(run.main([]))
"""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = ""
        while "Ctrl-C stops it." not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        assert len(children) == 5
        if not hook:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=180)
        assert process.returncode == 0
    wait_until_gone(children)
    for port in ports:
        assert str(port) in said or port == ports[4]
    assert "made up" in said
    assert "Mail arrives in" in said
