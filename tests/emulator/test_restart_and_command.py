"""Data kept between runs, and the command line."""

import asyncio
import signal
import subprocess
import sys

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from devtools.cosmos_emulator import EMULATOR_KEY, CosmosEmulator


async def test_items_settings_and_lsns_survive_a_restart(tmp_path):
    data = str(tmp_path / "cosmos.sqlite")
    async with CosmosEmulator(data=data) as emulator, CosmosClient(emulator.endpoint, EMULATOR_KEY) as client:
        database = await client.create_database("shop")
        container = await database.create_container("things", PartitionKey("/pk"), default_ttl=-1)
        for number in range(600):
            await container.create_item({"id": str(number), "pk": f"p{number % 2}", "n": number})
        await container.delete_item("599", "p1")
        query = "SELECT VALUE c.id FROM c WHERE c.n = 5"
        assert [row async for row in container.query_items(query)] == ["5"]
        before = container.client_connection.last_response_headers["lsn"]
    async with CosmosEmulator(data=data) as emulator, CosmosClient(emulator.endpoint, EMULATOR_KEY) as client:
        container = client.get_database_client("shop").get_container_client("things")
        assert (await container.read_item("1", "p1"))["n"] == 1
        assert container.client_connection.last_response_headers["lsn"] == before
        assert (await container.read())["defaultTtl"] == -1
        created = await container.create_item({"id": "new", "pk": "p0", "n": 5})
        assert int(container.client_connection.last_response_headers["lsn"]) == int(before) + 1
        assert sorted([row async for row in container.query_items(query)]) == ["5", "new"]
        rids = [row["_rid"] async for row in container.query_items("SELECT c._rid FROM c")]
        assert len(set(rids)) == len(rids) == 600
        assert created["_rid"] in rids


def _start(*arguments, **options):
    command = [sys.executable, "-m", "devtools.cosmos_emulator", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # noqa: S603 - own program, fixed arguments
    return process, process.stdout.readline().split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_command_says_where_it_listens_and_stops_cleanly(number):
    process, endpoint = await asyncio.to_thread(_start)
    with process:
        assert endpoint.startswith("http://127.0.0.1:")
        async with CosmosClient(endpoint, EMULATOR_KEY) as client:
            await client.create_database("shop")
        process.send_signal(number)
        out, errors = await asyncio.to_thread(process.communicate, timeout=20)
    assert (process.returncode, out, errors) == (0, "", "")


async def test_the_command_stops_with_its_parent():
    process, _ = await asyncio.to_thread(_start, "--stop-with-parent", stdin=subprocess.PIPE)
    with process:
        process.stdin.close()
        assert await asyncio.to_thread(process.wait, 20) == 0


async def test_a_taken_port_is_one_clear_sentence_and_exit_code_two():
    async with CosmosEmulator() as running:
        port = running.endpoint.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "devtools.cosmos_emulator", "--port", port]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=20, check=False
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cannot start: ")
    assert len(done.stderr.splitlines()) == 1


async def test_fault_rules_can_come_from_a_file(tmp_path):
    rules = tmp_path / "faults.json"
    rules.write_text('[{"operation": "database", "status": 503}]', encoding="utf-8")
    process, endpoint = await asyncio.to_thread(_start, "--faults", str(rules))
    with process:
        async with CosmosClient(endpoint, EMULATOR_KEY) as client:
            with pytest.raises(Exception, match="asked for by a fault rule"):
                await client.create_database("shop")
        process.terminate()
        await asyncio.to_thread(process.communicate, timeout=20)


async def test_a_file_in_use_is_one_clear_sentence_and_exit_code_two(tmp_path):
    data = str(tmp_path / "cosmos.sqlite")
    async with CosmosEmulator(data=data):
        command = [sys.executable, "-m", "devtools.cosmos_emulator", "--port", "0", "--data", data]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=30, check=False
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cannot start: ")
