"""Settings of the app and of the host, read as the real host reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from devtools.functions_host.errors import Fault, HostRefusedError

OVERRIDE_PREFIX = "AzureFunctionsJobHost__"
DEVELOPMENT_POLL_SECONDS = 2.0
DEFAULT_POLL_SECONDS = 60.0
SHORTEST_POLL_SECONDS = 0.1
LARGEST_BATCH = 32

_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)")
_PLACEHOLDER = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Hold the queue part of host.json.

    Attributes:
        batch_size: Messages taken at once, 1 to 32.
        new_batch_threshold: Running messages at or below which the next batch is taken.
        max_dequeue_count: Deliveries after which a message goes to the poison queue.
        retry_delay_seconds: How long a failed message stays invisible.
        longest_poll_seconds: Longest pause between two looks at an empty queue.
        base64: Whether message texts are Base64.
    """

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    retry_delay_seconds: float
    longest_poll_seconds: float
    base64: bool


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """Hold everything the host reads about one app.

    Attributes:
        environment: The app's environment variables, local.settings.json merged in.
        route_prefix: First part of every route without slashes; empty for none.
        queues: See `QueueSettings`.
        cors_origins: Allowed origins; empty switches CORS off.
        cors_credentials: Whether browsers may send credentials.
        function_timeout_seconds: After how long a running function is reported; None for never.
        bundle: Id and version of the extension bundle, as host.json states it.
    """

    environment: Mapping[str, str]
    route_prefix: str
    queues: QueueSettings
    cors_origins: tuple[str, ...]
    cors_credentials: bool
    function_timeout_seconds: float | None
    bundle: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, text: str) -> str:
        """Replace each `%NAME%` by the setting of that name.

        Raises:
            KeyError: No such setting.
        """
        return _PLACEHOLDER.sub(lambda match: self.environment[match[1]], text)

    def connection_string(self, connection: str) -> str:
        """Return the storage connection string behind a binding's `connection`; empty means the host's own.

        Raises:
            KeyError: No setting of that name; the argument is the name looked for.
        """
        names = [f"AzureWebJobs{connection}", connection] if connection else ["AzureWebJobsStorage"]
        for name in names:
            if self.environment.get(name):
                return self.environment[name]
        raise KeyError(names[-1])

    def whole_number(self, name: str, *, default: int) -> int:
        """Return an app setting that has to be a positive whole number.

        Raises:
            HostRefusedError: It is none.
        """
        text = self.environment.get(name) or str(default)
        if not text.isdecimal() or int(text) < 1:
            raise HostRefusedError([Fault(subject=name, reason=f"{text!r} is not a positive whole number")])
        return int(text)

    def is_disabled(self, function_name: str) -> bool:
        """Tell whether a setting switches a function off."""
        for name in (f"AzureWebJobs.{function_name}.Disabled", f"AzureWebJobs_{function_name}_Disabled"):
            if self.environment.get(name, "").lower() in {"1", "true"}:
                return True
        return False


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """Hold what local.settings.json may say; all of it empty when there is no such file."""

    values: Mapping[str, str] = field(default_factory=dict)
    cors: str = ""
    cors_credentials: bool = False


def parse_time_span(text: str) -> float:
    """Return the seconds of a .NET time span such as `00:01:30` or `1.00:00:00`.

    Raises:
        ValueError: It is none.
    """
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span like 00:00:30")
    return timedelta(
        days=int(match["days"] or 0),
        hours=int(match["hours"]),
        minutes=int(match["minutes"]),
        seconds=float(match["seconds"]),
    ).total_seconds()


def read_local_settings(path: Path) -> LocalSettings:
    """Read local.settings.json; a missing file is empty settings.

    Raises:
        HostRefusedError: The file is not a JSON object.
    """
    document = _read_json_object(path)
    host = document.get("Host") or {}
    values = {name: str(value) for name, value in (document.get("Values") or {}).items()}
    for name, value in (document.get("ConnectionStrings") or {}).items():
        values[f"ConnectionStrings:{name}"] = value if isinstance(value, str) else value["ConnectionString"]
    return LocalSettings(
        values=values,
        cors=str(host.get("CORS", "")),
        cors_credentials=bool(host.get("CORSCredentials", False)),
    )


def load_settings(
    root: Path,
    environment: Mapping[str, str],
    *,
    local: LocalSettings | None = None,
    cors: str | None = None,
    processors: int = 1,
) -> HostSettings:
    """Read host.json and apply the environment's overrides.

    Args:
        root: The app's directory.
        environment: Variables that are already set; they win over local.settings.json.
        local: Content of local.settings.json.
        cors: Comma-separated origins that replace those of the file; None keeps them.
        processors: Processor count, which the default of `newBatchThreshold` is built on.

    Raises:
        HostRefusedError: host.json is missing or holds a value out of range; all of them are listed.
    """
    local = local or LocalSettings()
    merged = {**local.values, **environment, "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    path = root / "host.json"
    if not path.exists():
        raise HostRefusedError([Fault(subject="host.json", reason="the file is missing from the app's root")])
    document = _read_json_object(path)
    _apply_overrides(document, merged)
    faults: list[Fault] = []
    if document.get("version") != "2.0":
        faults.append(Fault(subject="host.json", reason='"version" must be "2.0"'))
    reader = _Reader(document, faults)
    queues = _queue_settings(reader, processors=processors)
    timeout = reader.value("functionTimeout", default="00:30:00")
    seconds = None if str(timeout) == "-1" else reader.span_of("functionTimeout", timeout)
    prefix = str(reader.value("extensions.http.routePrefix", default="api"))
    if faults:
        raise HostRefusedError(faults)
    origins = local.cors if cors is None else cors
    return HostSettings(
        environment=merged,
        route_prefix=prefix.strip("/"),
        queues=queues,
        cors_origins=tuple(part.strip() for part in origins.split(",") if part.strip()),
        cors_credentials=local.cors_credentials,
        function_timeout_seconds=seconds,
        bundle=dict(document.get("extensionBundle") or {}),
    )


class _Reader:
    """Reads values by dotted path and collects what is wrong with them."""

    def __init__(self, document: dict[str, Any], faults: list[Fault]) -> None:
        self._document = document
        self._faults = faults

    def value(self, path: str, *, default: Any) -> Any:
        node: Any = self._document
        for key in path.split("."):
            found = _key_like(node, key) if isinstance(node, dict) else None
            if found is None:
                return default
            node = node[found]
        return node

    def integer(self, path: str, *, default: int, lowest: int, highest: int | None = None) -> int:
        value = self.value(path, default=default)
        try:
            number = int(value)
        except (TypeError, ValueError):
            self._fault(path, f"{value!r} is not a whole number")
            return default
        if number < lowest or (highest is not None and number > highest):
            limit = f"at least {lowest}" if highest is None else f"{lowest} to {highest}"
            self._fault(path, f"{number} is out of range ({limit})")
        return number

    def span_of(self, path: str, value: Any) -> float:
        try:
            return parse_time_span(str(value))
        except ValueError as error:
            self._fault(path, str(error))
            return 0.0

    def _fault(self, path: str, reason: str) -> None:
        self._faults.append(Fault(subject="host.json", reason=f"{path}: {reason}"))

    def encoding_is_base64(self) -> bool:
        path = "extensions.queues.messageEncoding"
        value = str(self.value(path, default="base64")).lower()
        if value not in {"base64", "none"}:
            self._fault(path, f"{value!r} is neither base64 nor none")
        return value == "base64"


def _queue_settings(reader: _Reader, *, processors: int) -> QueueSettings:
    base = "extensions.queues."
    batch_size = reader.integer(base + "batchSize", default=16, lowest=1, highest=LARGEST_BATCH)
    interval = reader.value(base + "maxPollingInterval", default="00:01:00")
    longest = reader.span_of(base + "maxPollingInterval", interval)
    if longest == DEFAULT_POLL_SECONDS:
        # A laptop is always the development environment, where the untouched default becomes two seconds.
        longest = DEVELOPMENT_POLL_SECONDS
    delay = reader.value(base + "visibilityTimeout", default="00:00:00")
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=reader.integer(
            base + "newBatchThreshold", default=batch_size // 2 * processors, lowest=0
        ),
        max_dequeue_count=reader.integer(base + "maxDequeueCount", default=5, lowest=1),
        retry_delay_seconds=reader.span_of(base + "visibilityTimeout", delay),
        longest_poll_seconds=max(longest, SHORTEST_POLL_SECONDS),
        base64=reader.encoding_is_base64(),
    )


def _read_json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise HostRefusedError([Fault(subject=path.name, reason=f"not valid JSON: {error}")]) from error
    if not isinstance(document, dict):
        raise HostRefusedError([Fault(subject=path.name, reason="not a JSON object")])
    return document


def _apply_overrides(document: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if not name.lower().startswith(OVERRIDE_PREFIX.lower()):
            continue
        *parents, last = re.split(r"__|:", name[len(OVERRIDE_PREFIX) :])
        node = document
        for parent in parents:
            key = _key_like(node, parent) or parent
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        node[_key_like(node, last) or last] = value


def _key_like(node: Mapping[str, Any], wanted: str) -> str | None:
    return next((key for key in node if key.lower() == wanted.lower()), None)
