"""The change feed: latest versions in the order of writes, or all versions and deletes."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from . import charges
from .container import Container
from .errors import bad_request
from .item_store import ItemStore
from .queries import page_size
from .query_pages import LARGEST_PAGE_BYTES
from .reply import Reply, feed
from .scope import EVERYTHING, Scope, range_scope
from .store import Store

_INCREMENTAL: Final = {"incremental feed", "incrementalfeed"}
_FULL_FIDELITY: Final = {"full-fidelity feed", "fullfidelity feed"}
_WIRE_FORMAT: Final = "2021-09-15"


class ChangeFeed:
    """Answer change feed pages.

    Args:
        store: holds kept versions.
        item_store: holds the items.
    """

    def __init__(self, store: Store, item_store: ItemStore) -> None:
        self._execute = store.execute
        self._items = item_store

    def page(self, container: Container, headers: Mapping[str, str]) -> Reply:
        """Answer one page: 200 with changes, or 304 when there are none.

        Raises:
            ServiceError: 400 for a header that is not understood, 410 for an unknown range.
        """
        kind = headers.get("A-IM", "").strip().lower()
        if kind not in _INCREMENTAL | _FULL_FIDELITY:
            raise bad_request(f"The A-IM value '{headers.get('A-IM')}' is not supported.")
        after, since = _start(container, headers)
        scope = _scope(container, headers)
        limit = page_size(headers)
        if kind in _FULL_FIDELITY:
            found = self._versions(container, headers, scope, after, limit)
        else:
            found = self._changes(container, scope, after, since, limit)
        rows = [row for _, row in found]
        size_bytes = sum(map(len, rows))
        charge = charges.feed_page(items=len(rows), returned_bytes=size_bytes)
        if not rows:
            return Reply(304, b"", charge, {"etag": f'"{container.lsn}"'}, container)
        reply = Reply(200, feed(container.rid, "Documents", rows), charge, container=container)
        reply.headers["etag"] = f'"{found[-1][0]}"'
        reply.headers["x-ms-item-count"] = str(len(rows))
        return reply

    def _changes(
        self, container: Container, scope: Scope, after: int, since: float, limit: int
    ) -> list[tuple[int, bytes]]:
        condition, parameters = scope.condition()
        found: list[tuple[int, bytes]] = []
        size_bytes, last = 0, after
        while True:
            items = self._items.select(
                container,
                f"lsn > ? AND ts >= ? AND {condition} ORDER BY lsn, sequence LIMIT ?",
                (last, since, *parameters, limit + 1),
            )
            for item in items:
                full = len(found) >= limit or size_bytes >= LARGEST_PAGE_BYTES
                # One batch is one LSN, and a page that ended within it could not be continued.
                if full and item.lsn != found[-1][0]:
                    return found
                found.append((item.lsn, item.body[:-1] + b',"_lsn":%d}' % item.lsn))
                size_bytes += len(item.body)
            if not items:
                return found
            rest = self._items.select(
                container,
                f"lsn = ? AND ts >= ? AND {condition} AND sequence > ? ORDER BY sequence",
                (items[-1].lsn, since, *parameters, items[-1].sequence),
            )
            found.extend((item.lsn, item.body[:-1] + b',"_lsn":%d}' % item.lsn) for item in rest)
            last = items[-1].lsn

    def _versions(
        self, container: Container, headers: Mapping[str, str], scope: Scope, after: int, limit: int
    ) -> list[tuple[int, bytes]]:
        if headers.get("x-ms-cosmos-changefeed-wire-format-version") != _WIRE_FORMAT:
            raise bad_request(f"The change feed wire format must be {_WIRE_FORMAT}.")
        if not container.keeps_versions:
            raise bad_request("All versions and deletes need a changeFeedPolicy on the container.")
        condition, parameters = scope.condition()
        rows = self._execute(
            f"SELECT lsn, entry FROM {container.versions} WHERE lsn > ? AND {condition} ORDER BY lsn, rowid",  # noqa: S608 - only table names and conditions of the store itself
            (after, *parameters),
        )
        found: list[tuple[int, bytes]] = []
        for lsn, entry in rows:
            if len(found) >= limit and lsn != found[-1][0]:
                break
            found.append((lsn, bytes(entry)))
        return found


def _start(container: Container, headers: Mapping[str, str]) -> tuple[int, float]:
    """Return the LSN and the second of time behind which to begin."""
    after, since = 0, 0.0
    etag = headers.get("If-None-Match")
    if etag is not None:
        text = etag.strip().strip('"')
        if text == "*":
            after = container.lsn
        elif text.isascii() and text.isdigit() and len(text) < 19:  # noqa: PLR2004 - digits of the largest LSN
            after = int(text)
        else:
            raise bad_request(f"The change feed continuation {etag!r} is not valid.")
    modified = headers.get("If-Modified-Since")
    if modified is not None:
        try:
            since = parsedate_to_datetime(modified).timestamp()
        except ValueError:
            raise bad_request(f"The date {modified!r} is not valid.") from None
    return after, since


def _scope(container: Container, headers: Mapping[str, str]) -> Scope:
    range_id = headers.get("x-ms-documentdb-partitionkeyrangeid")
    if range_id is not None:
        return range_scope(range_id, headers.get("x-ms-start-epk"), headers.get("x-ms-end-epk"))
    key = headers.get("x-ms-documentdb-partitionkey")
    return EVERYTHING if key is None else Scope(epk=container.epk_of_header(key))
