"""Look for what was erased in everything there is: other systems, our own records, queues, logs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from devtools.demo.holdings import Holdings
from devtools.demo.mailbox import OUTBOX
from devtools.demo.retention.estate import Item

_OWN_KEYS = frozenset({"members", "usage_events", "usage_links", "newsletter_signups"})
"""Stores whose records have a key of their own, which is nowhere else once they are gone."""


def left_of(gone: Collection[Item], holdings: Holdings) -> list[str]:
    """Return where a key of something erased is still written, each place once.

    What came back under the same key, such as somebody's installation, is no trace: only keys that are made
    once are searched for.
    """
    keys = {_key(item) for item in gone if item.store in _OWN_KEYS}
    lines = {str(json.loads(item.part).get("event_id")) for item in gone if item.store == "usage_archive"}
    wanted = sorted((keys | lines) - {""})
    found = []
    for where, text in _texts(holdings):
        found += [f"{key} in {where}" for key in wanted if key in text]
    return found


def _key(item: Item) -> str:
    return item.name.rpartition('"')[2]


def _texts(holdings: Holdings) -> Iterator[tuple[str, str]]:
    for place, body in holdings.documents.items():
        yield str(place), json.dumps(body, ensure_ascii=False)
    for blob in holdings.blobs.values():
        if blob.container != OUTBOX:
            yield str(blob), blob.name + (blob.data or b"").decode(errors="replace")
    for queue, text in holdings.messages:
        yield f"queue {queue}", text
    for name, text in holdings.logs.items():
        yield f"log {name}", text
