"""Children end with their parent, however it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from devtools import processes as module
from devtools.failures import CannotStartError, PortBusyError
from devtools.file_lock import exclusive
from devtools.free_ports import free_port, require_free
from devtools.processes import ChildProcess

ROOT = Path(__file__).resolve().parents[2]
OBEDIENT = "import sys; print('ready 42', flush=True); sys.stdin.read()"
STUBBORN = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready 42', flush=True); time.sleep(600)"
)


DEAF = "import time; print('ready 42', flush=True); time.sleep(600)"


def child(code: str, tmp_path: Path) -> ChildProcess:
    return ChildProcess("The child", [sys.executable, "-c", code], log=tmp_path / "logs" / "child.log")


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_child_says_when_it_is_ready_and_stops_when_asked(tmp_path):
    process = child(OBEDIENT, tmp_path)
    assert process.wait_for_lines(r"ready (\d+)")[0][1] == "42"
    assert process.is_running()
    process.stop()
    assert not process.is_running()
    process.stop()


def test_child_that_does_not_listen_is_ended_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    process = child(STUBBORN, tmp_path)
    process.wait_for_lines("ready")
    process.stop()
    assert not process.is_running()


def test_child_that_ends_while_starting_is_quoted(tmp_path):
    process = child("print('first'); print('the reason')", tmp_path)
    with pytest.raises(CannotStartError, match=r"The child ended while starting: the reason"):
        process.wait_for_lines("never")
    process.stop()


def test_child_that_is_never_ready_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "READY_SECONDS", 0.1)
    process = child(OBEDIENT, tmp_path)
    with pytest.raises(CannotStartError, match=r"not ready"):
        process.wait_for_lines("never")
    process.stop()


def test_killed_parent_leaves_nothing_running(tmp_path):
    code = f"""
import sys, time
from pathlib import Path
from devtools.azurite import await_azurite, launch_azurite
from devtools.azurite_install import ensure_azurite
from devtools.processes import ChildProcess
azurite = launch_azurite(ensure_azurite(Path('.').resolve()), log=Path({str(tmp_path)!r}) / 'azurite.log')
guard = ChildProcess(
    'guard', [sys.executable, '-m', 'devtools.guard', sys.executable, '-c', {DEAF!r}],
    log=Path({str(tmp_path)!r}) / 'guard.log',
)
guard.wait_for_lines('ready')
await_azurite(azurite)
print(azurite.pid, guard.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        pids += [process.pid for pid in pids for process in psutil.Process(pid).children(recursive=True)]
        assert len(pids) == 3
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    wait_until_gone(pids)


def test_guard_passes_on_the_exit_code():
    command = [sys.executable, "-m", "devtools.guard", sys.executable, "-c", "raise SystemExit(7)"]
    # An open standard input that nobody writes to, as a parent holds it.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:  # noqa: S603 - our own program
        assert process.wait(30) == 7


def test_lock_is_free_again_when_its_holder_is_killed(tmp_path):
    path = tmp_path / "deep" / "lock"
    code = f"""
import time
from pathlib import Path
from devtools.file_lock import exclusive
with exclusive(Path({str(path)!r}), on_wait=lambda: None):
    print('held', flush=True)
    time.sleep(600)
"""
    holder = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    waited = []

    def on_wait() -> None:
        waited.append(True)
        holder.kill()

    with holder:
        assert holder.stdout.readline() == "held\n"
        with exclusive(path, on_wait=on_wait, poll_seconds=0.01):
            assert waited == [True]


def test_busy_port_is_named_with_its_purpose():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusyError, match=rf"Port {port} \(queues\)"):
            require_free({free_port(): "other", port: "queues"})
