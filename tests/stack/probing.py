"""Try doors with what schemathesis makes of their description, and note what does not fit it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import schemathesis
from schemathesis import BaseSchema, Case, hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

SEED = 20261125
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
REFUSALS = ("negative_data_rejection",)
MOST_ADDRESS = 8_000
# In the order of the paths, so that a request is answered before it is cancelled; and no id of an answer is
# put into what comes after it: ids are random, and may be those of another test's requests.
_EVERY_PHASE = {"operation-ordering": "none", "extra-data-sources": {"responses": False}}
Prepare = Callable[[Case], None]


@dataclass(kw_only=True)
class Probed:
    """What came of it: what does not fit, with the first request that showed it, and the statuses seen."""

    misfits: dict[str, str] = field(default_factory=dict)
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)


def config(
    *, examples: int, is_real: bool = False, has_credentials: bool = False, meant: tuple[int, ...] = ()
) -> SchemathesisConfig:
    """Return how to try: bounded, the same every time, without a deadline and without following redirects.

    Args:
        examples: How many requests are made up for each door, beside those that cover its schema.
        is_real: Whether ids and tokens are put in afterwards; then a wrong one cannot be told from a right
            one, and only what the description allows is sent.
        has_credentials: Whether credentials are put in afterwards, so that none are made up.
        meant: Statuses from 500 on that a door means.
    """
    names = CHECKS if is_real else CHECKS + REFUSALS
    checks: dict[str, object] = {"enabled": False, **{name: {"enabled": True} for name in names}}
    if not is_real:  # a body that is wrong may be too large as well
        refused = ("400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx")
        checks["negative_data_rejection"] = {"enabled": True, "expected-statuses": list(refused)}
    if meant:
        checks["not_a_server_error"] = {
            "enabled": True,
            "expected-statuses": ["2xx", "3xx", "4xx", *map(str, meant)],
        }
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "max-redirects": 0,
            "request-timeout": 30,
            "continue-on-failure": True,
            "checks": checks,
            "generation": {
                "mode": "positive" if is_real else "all",
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
                "with-security-parameters": not has_credentials,
            },
            # Another method than a door's is the host's to answer, which has a test of its own.
            "phases": {
                "coverage": {"unexpected-methods": [], **_EVERY_PHASE},
                "examples": _EVERY_PHASE,
                "fuzzing": _EVERY_PHASE,
                "stateful": {"enabled": False},
            },
        }
    )


def probe(schema: BaseSchema, prepare: Prepare | None = None) -> Probed:
    """Try every operation. `prepare` changes each request just before it is sent."""
    numbers = count()

    def before_call(context, case, kwargs) -> None:
        number = next(numbers)
        # Many clients, as one would be told soon that it asks too much.
        case.headers["X-Forwarded-For"] = f"198.51.{number // 250 % 250}.{number % 250}"
        _own_mailbox(case, number)
        if prepare is not None:
            prepare(case)

    probed = Probed()
    schemathesis.hook(before_call)
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _note(event, probed)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                probed.misfits[f"could not be tried: {event}"] = ""
    finally:
        hooks.unregister(before_call)
    return probed


def _own_mailbox(case: Case, number: int) -> None:
    """Let each request come from a mailbox of its own where it names a right one."""
    body = case.body
    if isinstance(body, Mapping) and str(body.get("email", "")).endswith("@people.example"):
        case.body = {**body, "email": f"made-up-{number}@people.example"}


def _note(event: events.ScenarioFinished, probed: Probed) -> None:
    recorder = event.recorder
    for case_id, exchange in recorder.interactions.items():
        response = exchange.response
        if response is None:
            probed.misfits[f"{recorder.label}: no answer"] = ""
            continue
        label = recorder.cases[case_id].value.operation.label
        probed.seen[label, response.status_code] += 1
        case = recorder.cases[case_id].value
        if _is_the_hosts(case, response):
            continue
        for check in recorder.checks.get(case_id, ()):
            if check.failure_info is not None:
                failure = check.failure_info.failure
                if check.name in REFUSALS and _has_blank_query(case):
                    continue
                said = " ".join(str(failure.message).split())[:300]
                sent = f"{exchange.request.method} {exchange.request.uri} {exchange.request.body or b''!r}"
                probed.misfits.setdefault(
                    f"{label} {response.status_code}: {failure.title}: {said}", sent[:1_000]
                )


def _has_blank_query(case: Case) -> bool:
    """Whether a value of the query is blank: it never reaches the app, as if it had not been sent."""
    return any(value == "" for value in (case.query or {}).values())


def _is_the_hosts(case: Case, response) -> bool:
    """Whether the host answered for lack of a door: to an id of another length, or to too long an address.

    The description says so in words, as OpenAPI cannot say that a body may be missing.
    """
    if response.status_code == 400 and len(response.request.url or "") > MOST_ADDRESS:
        return response.headers["content-type"][0].startswith("text/plain")
    given = (case.path_parameters or {}).get("request_id")
    is_misfit = given is None or len(str(given)) != 32 or bool({"/", "%"} & set(str(given)))
    return response.status_code == 404 and not response.content and is_misfit
