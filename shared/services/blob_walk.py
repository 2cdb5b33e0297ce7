"""Going through a store's blobs in a fixed order, stopping anywhere and going on later."""

import json
from collections.abc import Sequence

from shared.datamap.models import FileStore, LineStore
from shared.domain.identifiers import Identifiers
from shared.ports.blobs import BlobRef
from shared.services.context import Context


class BlobWalk:
    """The blobs of a store that may hold a person's data, one after the other, older copies included."""

    def __init__(
        self, context: Context, store: LineStore | FileStore, identifiers: Identifiers, cursor: str | None
    ) -> None:
        self._context = context
        self._container = store.container
        self._prefixes = prefixes(store, identifiers)
        state = json.loads(cursor) if cursor else {}
        self._index: int = state.get("prefix", 0)
        self._listing: str | None = state.get("listing")
        self._done: str | None = state.get("done")
        self._page: list[BlobRef] | None = None
        self._next: str | None = None

    @property
    def cursor(self) -> str:
        """Where to go on; blobs passed with `advance` do not come again."""
        return json.dumps({"prefix": self._index, "listing": self._listing, "done": self._done})

    async def current(self) -> BlobRef | None:
        """Return the blob at hand, or None when all have been passed."""
        while self._index < len(self._prefixes):
            if self._page is None:
                page = await self._context.blobs.page(
                    self._container,
                    self._prefixes[self._index],
                    cursor=self._listing,
                    limit=self._context.limits.blobs_per_page,
                )
                self._page = [
                    blob
                    for blob in sorted(page.blobs, key=_order)
                    if self._done is None or _order(blob) > self._done
                ]
                self._next = page.cursor
            if self._page:
                return self._page[0]
            self._page, self._listing, self._done = None, self._next, None
            if self._next is None:
                self._index += 1
        return None

    def advance(self) -> None:
        """Pass the blob at hand."""
        if self._page:
            self._done = _order(self._page.pop(0))

    def reread(self) -> None:
        """List again before the blob at hand is returned: it was written meanwhile."""
        self._page = None


def prefixes(store: LineStore | FileStore, identifiers: Identifiers) -> Sequence[str]:
    """Return the prefixes under which the person's blobs lie. Empty: the person has none there."""
    start, brace, rest = store.prefix.partition("{")
    if not brace:
        return (store.prefix,)
    kind, _, end = rest.partition("}")
    return tuple(f"{start}{value}{end}" for value in sorted(identifiers.get(kind, ())))


def _order(blob: BlobRef) -> str:
    """Older copies come before the blob they are copies of."""
    return f"{blob.name}\x00{blob.snapshot or blob.version or chr(0x10FFFF)}"
