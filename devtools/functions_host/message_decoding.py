"""Give a queue function its argument, decoded by the library itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from devtools.functions_host.azure_queue import ReceivedMessage
from devtools.functions_host.functions import QUEUE_TRIGGER, LoadedFunction

_METADATA_KEYS = {
    key.lower(): key
    for key in ("Id", "DequeueCount", "InsertionTime", "ExpirationTime", "NextVisibleTime", "PopReceipt")
}


def decode_message(function: LoadedFunction, message: ReceivedMessage, body: bytes) -> Any:
    """Return what the function's trigger parameter receives.

    Top-level values of a JSON object replace the metadata of the same name, whatever its case; that is how
    the real host behaves and the reason not to call a field `id`.

    Raises:
        ValueError: Such a value does not fit the metadata's type.
    """
    if function.plain_input is bytes:
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        datum, metadata = Datum(body, "bytes"), _metadata(message)
    else:
        if function.plain_input is str:
            return text
        datum, metadata = Datum(text, "string"), {**_metadata(message), **_fields_of(text)}
    converter = func.get_binding_registry().get(QUEUE_TRIGGER)  # type: ignore[no-untyped-call] # library
    return converter.decode(datum, trigger_metadata=metadata)


def _metadata(message: ReceivedMessage) -> dict[str, Datum]:
    return {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(message.dequeue_count, "int"),
        "InsertionTime": _moment(message.inserted_at),
        "ExpirationTime": _moment(message.expires_at),
        "NextVisibleTime": _moment(message.visible_at),
        "PopReceipt": Datum(message.pop_receipt, "string"),
    }


def _moment(value: datetime) -> Datum:
    return Datum(value.isoformat(), "string")


def _fields_of(text: str) -> dict[str, Datum]:
    if not text.lstrip().startswith("{"):
        return {}
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return {
        # Spelling of the built-in key, since the library looks for exactly that one.
        _METADATA_KEYS.get(key.lower(), key): _datum(value)
        for key, value in parsed.items()
        if not isinstance(value, list)
    }


def _datum(value: Any) -> Datum:
    return Datum(value, "string") if isinstance(value, str) else Datum(json.dumps(value), "json")
