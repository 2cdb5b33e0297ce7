"""Rules that look at whole functions: names, routes, queues, schedules, connections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devtools.functions_host.errors import Fault
from devtools.functions_host.functions import (
    HTTP_TRIGGER,
    QUEUE_TRIGGER,
    TIMER_TRIGGER,
    Binding,
    LoadedFunction,
)
from devtools.functions_host.ncrontab import parse_schedule
from devtools.functions_host.retries import RetryPolicy
from devtools.functions_host.routes import RouteTemplate
from devtools.functions_host.settings import HostSettings

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
_QUEUE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")
_AUTH_LEVELS = frozenset({"anonymous", "function", "admin"})
_RESERVED_ROUTES = ("admin", "runtime")


def app_faults(functions: Sequence[LoadedFunction], settings: HostSettings) -> list[Fault]:
    """Return every fault of every function; empty when the real host would load them all."""
    ordered = sorted(functions, key=lambda function: function.name.lower())
    faults = [
        Fault(subject=function.name, reason=reason)
        for function in ordered
        for reason in _function_faults(function, settings)
    ]
    return faults + list(_name_conflicts(ordered)) + list(_route_conflicts(ordered))


def _function_faults(function: LoadedFunction, settings: HostSettings) -> Iterator[str]:
    if _NAME.fullmatch(function.name) is None or function.name.lower() == "host":
        yield "the name must begin with a letter, hold letters, digits, - and _ only, and not be host"
    if function.trigger_type == HTTP_TRIGGER:
        yield from _http_faults(function)
    if function.trigger_type == TIMER_TRIGGER:
        yield from _timer_faults(function, settings)
    if function.trigger_type in {QUEUE_TRIGGER, TIMER_TRIGGER}:
        yield from _connection_faults("", settings)
    for binding in function.bindings:
        if binding["type"] in {QUEUE_TRIGGER, "queue"}:
            yield from _queue_faults(binding, settings)


def _http_faults(function: LoadedFunction) -> Iterator[str]:
    route = function.route.lower()
    if route.startswith(_RESERVED_ROUTES):
        yield f"the route {function.route!r} begins with a reserved word ({' or '.join(_RESERVED_ROUTES)})"
    if function.auth_level not in _AUTH_LEVELS:
        yield f"the authorisation level {function.auth_level!r} is unknown"
    try:
        RouteTemplate(function.route)
    except (ValueError, re.error, TypeError) as error:
        yield f"the route {function.route!r} is not valid: {error}"


def _timer_faults(function: LoadedFunction, settings: HostSettings) -> Iterator[str]:
    schedule = str(function.trigger.get("schedule") or "")
    try:
        parse_schedule(settings.resolve(schedule))
    except KeyError as error:
        yield f"the schedule names the setting {error.args[0]}, which is missing"
    except ValueError as error:
        yield f"the schedule {schedule!r} is not valid: {error}"
    try:
        RetryPolicy.of(function.retry)
    except (KeyError, ValueError, TypeError) as error:
        yield f"the retry policy is not valid: {error}"


def _queue_faults(binding: Binding, settings: HostSettings) -> Iterator[str]:
    try:
        name = queue_name(binding, settings)
    except KeyError as error:
        yield f"the queue's name needs the setting {error.args[0]}, which is missing"
    else:
        if _QUEUE_NAME.fullmatch(name) is None:
            yield f"{name!r} is not a valid queue name"
    yield from _connection_faults(str(binding.get("connection") or ""), settings)


def _connection_faults(connection: str, settings: HostSettings) -> Iterator[str]:
    try:
        settings.connection_string(connection)
    except KeyError as error:
        yield f"the setting {error.args[0]} with a connection string is missing"


def queue_name(binding: Binding, settings: HostSettings) -> str:
    """Return the queue a binding names, settings filled in, in small letters.

    Raises:
        KeyError: A setting it names is missing.
    """
    return settings.resolve(str(binding.get("queueName") or "")).lower()


def _name_conflicts(ordered: Sequence[LoadedFunction]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for function in ordered:
        key = function.name.lower()
        if key in seen:
            yield Fault(subject=function.name, reason=f"the name differs from {seen[key]} in case only")
        seen.setdefault(key, function.name)


def _route_conflicts(ordered: Sequence[LoadedFunction]) -> Iterator[Fault]:
    earlier: list[LoadedFunction] = []
    for function in ordered:
        if function.trigger_type != HTTP_TRIGGER:
            continue
        for other in earlier:
            if other.route.lower() != function.route.lower():
                continue
            if other.methods is None or function.methods is None or other.methods & function.methods:
                reason = f"the route conflicts with the route defined by function {other.name}"
                yield Fault(subject=function.name, reason=reason)
                break
        earlier.append(function)
