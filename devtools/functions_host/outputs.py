"""Turn what a function set or returned into queue messages and send them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import azure.functions as func
from azure.functions.meta import Datum

from devtools.functions_host.errors import OutputFailedError
from devtools.functions_host.functions import Binding, OutputSpec


class MessageSink(Protocol):
    """Takes messages for one queue."""

    async def put(self, body: bytes) -> None:
        """Add one message with exactly these bytes, creating the queue if it is missing."""
        ...


class OutputWriter:
    """Writes all outputs of an invocation at the same time; there is no transaction between them.

    Args:
        sinks: The queue behind each output binding, by `sink_key`.
    """

    def __init__(self, sinks: Mapping[tuple[str, str], MessageSink]) -> None:
        """Keep the queues."""
        self._sinks = sinks

    async def write(self, outputs: Sequence[tuple[Binding, Datum]]) -> None:
        """Write every message of every output.

        Raises:
            OutputFailedError: At least one was not taken; others may have been.
        """
        sends = [
            self._sinks[sink_key(binding)].put(body)
            for binding, datum in outputs
            for body in message_bodies(datum)
        ]
        for outcome in await asyncio.gather(*sends, return_exceptions=True):
            if isinstance(outcome, asyncio.CancelledError):
                raise outcome
            if isinstance(outcome, BaseException):
                raise OutputFailedError(f"an output was not written: {outcome}") from outcome


def sink_key(binding: Binding) -> tuple[str, str]:
    """Return what tells two queue outputs apart: connection and queue name as written in the app."""
    return str(binding.get("connection") or ""), str(binding.get("queueName") or "")


def encode_output(spec: OutputSpec, value: Any) -> Datum:
    """Encode one value with the library's own converter for the binding.

    Raises:
        NotImplementedError: The binding does not take such a value.
    """
    if spec.is_plain_text:
        if isinstance(value, str):
            return Datum(value, "string")
        if isinstance(value, bytes | bytearray):
            return Datum(bytes(value), "bytes")
        raise NotImplementedError(f"{spec.argument} takes str or bytes, not {type(value).__name__}")
    converter = func.get_binding_registry().get(spec.binding["type"])  # type: ignore[no-untyped-call] # library
    encoded = converter.encode(value, expected_type=None)
    if not isinstance(encoded, Datum):
        raise NotImplementedError(f"{spec.argument} does not take {type(value).__name__}")
    return encoded


def message_bodies(datum: Datum) -> list[bytes]:
    """Return the messages that the real host makes of one encoded value.

    Text that looks like a JSON array becomes one message per element; text that looks like a JSON object is
    written anew with indentation; bytes stay exactly as they are.
    """
    if datum.type == "bytes":
        return [bytes(datum.value)]
    text = str(datum.value)
    if datum.type != "json" and not text.lstrip().startswith(("{", "[")):
        return [text.encode()]
    try:
        parsed = json.loads(text)
    except ValueError:
        return [text.encode()]
    items = parsed if isinstance(parsed, list) else [parsed]
    return [_as_text(item).encode() for item in items]


def _as_text(item: Any) -> str:
    if isinstance(item, str):
        return item
    return json.dumps(item, indent=2, ensure_ascii=False)
