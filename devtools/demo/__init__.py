"""Run a scenario on an empty local platform, as a stranger would, and say whether all of it came true."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError

from devtools.demo import newsletter, requests, retention, rights
from devtools.demo.findings import Findings, StoryEndedError
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.sample_data import DEFAULT_SEED

ROOT = Path(__file__).resolve().parent.parent.parent
LOG_LINES_SHOWN = 25
QUICK_POLLS = {
    # A demo spends its time waiting for idle queues otherwise; ten seconds is right for an idle deployment.
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500"
}

Play = Callable[[Platform, Narrator, Findings, argparse.Namespace], Coroutine[Any, Any, dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A story: how it is played, what its last line tells, and whether anybody but the app takes part."""

    play: Play
    result_keys: tuple[str, ...]
    with_others: bool = False


SCENARIOS = {
    "requests": Scenario(play=requests.play, result_keys=requests.RESULT_KEYS),
    "newsletter": Scenario(play=newsletter.play, result_keys=newsletter.RESULT_KEYS, with_others=True),
    "retention": Scenario(play=retention.play, result_keys=retention.RESULT_KEYS, with_others=True),
    "rights": Scenario(play=rights.play, result_keys=rights.RESULT_KEYS, with_others=True),
}


def main(arguments: Sequence[str]) -> int:
    """Play a scenario and return 0 when everything is as it should be, else 1.

    The last line of standard output is one JSON object; a value that was never reached is null.

    Raises:
        CannotStartError: a program of the platform does not start.
    """
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    narrator = Narrator()
    findings = Findings(narrator)
    result: dict[str, Any] = {}
    scenario = SCENARIOS[options.scenario]
    others = scenario.with_others
    with Platform(ROOT, overrides=QUICK_POLLS, with_processors=others, with_staff=others) as platform:
        try:
            result = asyncio.run(scenario.play(platform, narrator, findings, options))
        except StoryEndedError as error:
            findings.add(str(error))
        except AzureError as error:
            findings.add(f"the stores could not be read: {str(error).partition(chr(10))[0]}")
        finally:
            if findings.all or not result:
                _show_log(platform.logs / "functions.log", narrator)
    for finding in findings.all:
        narrator.fault(finding)
    last = {
        "scenario": options.scenario,
        "ok": bool(result) and not findings.all,
        **{key: result.get(key) for key in scenario.result_keys},
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(last, separators=(",", ":")), flush=True)
    return 0 if last["ok"] else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m devtools demo", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="requests")
    parser.add_argument("--people", type=int, default=200, help="made-up people to load")
    parser.add_argument("--seed", default=DEFAULT_SEED, help="other seed, other people")
    return parser


def _show_log(path: Path, narrator: Narrator) -> None:
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        narrator.plain("The host's last words:", *lines[-LOG_LINES_SHOWN:])
