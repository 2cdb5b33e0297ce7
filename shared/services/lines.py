"""Reading shared NDJSON blobs: which lines are one person's, and which cannot be told.

Lines are taken apart only where one of the person's values may stand in them, so that going through other
people's lines stays cheap. A line that is no JSON object but holds one of the values is unreadable: it is
reported, never passed over and never destroyed.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.datamap.models import DataMap, LineStore
from shared.datamap.treatment import belongs
from shared.domain.errors import CannotTell, Conflict, NotFound, Retryable
from shared.domain.identifiers import Identifiers
from shared.ports.blobs import BlobRef
from shared.services.blob_walk import BlobWalk
from shared.services.context import Context

_ESCAPE = b"\\"  # any of JSON's escapes may hide a letter of a value
_ESCAPED = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')
_MOST_REREADS = 20


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line with its end. `record` None: it is not this person's, or not readable."""

    raw: bytes
    record: dict[str, Any] | None = None
    unreadable: bool = False


class LineMatcher:
    """Tells one person's lines from other people's."""

    def __init__(self, store: LineStore, datamap: DataMap, identifiers: Identifiers) -> None:
        self._store = store
        self._datamap = datamap
        self._identifiers = identifiers
        values = {  # without the blanks that a record had around one: a line may have none
            value.strip().lower()
            for match in store.matches
            for value in identifiers.get(match.identifier, ())
            if value.strip()
        }
        self._values: Sequence[str] = tuple(sorted(values))
        self._needles: Sequence[bytes] = tuple(value.encode() for value in self._values)
        self._ascii = all(value.isascii() for value in values)  # bytes.lower() folds nothing else

    @property
    def can_match(self) -> bool:
        """Whether the person has any identifier this store is searched by."""
        return bool(self._needles)

    def may_hold(self, data: bytes) -> bool:
        """Tell quickly whether any of the values may stand in the bytes, plain or escaped."""
        folded = data.lower()
        if _ESCAPE in folded or any(needle in folded for needle in self._needles):
            return True
        return not self._ascii and not folded.isascii()

    def read(self, data: bytes) -> Iterator[Line]:
        """Yield every line of `data` in order."""
        start = 0
        while start < len(data):
            end = data.find(b"\n", start) + 1 or len(data)
            yield self._line(data[start:end])
            start = end

    def _line(self, raw: bytes) -> Line:
        if not raw.strip() or not self.may_hold(raw):
            return Line(raw=raw)
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            return Line(raw=raw, unreadable=self._holds(raw))
        if not isinstance(record, dict):
            return Line(raw=raw, unreadable=self._holds(raw))
        mine = belongs(record, self._store.matches, self._datamap, self._identifiers)
        return Line(raw=raw, record=record if mine else None)

    def _holds(self, raw: bytes) -> bool:
        """Tell whether a value stands in a line that is no JSON object, plain or escaped, in any case."""
        plain = raw.decode("utf-8", "replace")
        decoded = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], plain)
        texts = (plain.lower(), decoded.lower())
        return any(value in text for value in self._values for text in texts)


async def read_range(context: Context, blob: BlobRef, offset: int) -> tuple[bytes, int | None]:
    """Return whole lines from `offset`, and where the next ones start (None: the blob ends here).

    Raises:
        CannotTell: `line_too_long`: a line that does not fit into memory's share.
    """
    length = context.limits.read_bytes
    data = await context.blobs.read(blob, offset=offset, length=length)
    if len(data) < length or offset + len(data) >= blob.size_bytes:
        return data, None
    end = data.rfind(b"\n") + 1
    if end == 0:
        raise CannotTell("line_too_long")
    return data[:end], offset + end


@dataclass(frozen=True, kw_only=True)
class LineRange:
    """Whole lines of one blob. `problem`: they could not be read as lines, and `data` is empty."""

    blob: BlobRef
    offset: int
    data: bytes
    problem: str | None = None


class LineRanges:
    """All lines of a store that may hold the person's, range by range, stopping anywhere."""

    def __init__(
        self,
        context: Context,
        store: LineStore,
        identifiers: Identifiers,
        cursor: str | None,
        *,
        copies: bool,
    ) -> None:
        state = json.loads(cursor) if cursor else {}
        self._context = context
        self._walk = BlobWalk(context, store, identifiers, state.get("walk"))
        self._offset: int = state.get("offset", 0)
        self._copies = copies
        self._rereads = 0

    @property
    def cursor(self) -> str:
        """Where to go on after the last range returned."""
        return json.dumps({"walk": self._walk.cursor, "offset": self._offset})

    async def next(self) -> LineRange | None:
        """Return the next range, or None after the last. A blob written meanwhile is read anew."""
        while (blob := await self._walk.current()) is not None:
            if not (blob.is_current or self._copies):
                self._pass()
                continue
            start = self._offset
            try:
                data, following = await read_range(self._context, blob, start)
            except NotFound:
                self._pass()
                continue
            except Conflict:
                self._rereads += 1
                if self._rereads > _MOST_REREADS:
                    raise Retryable("blob_busy", "lines") from None
                self._walk.reread()
                self._offset = 0
                continue
            except CannotTell as error:
                self._pass()
                return LineRange(blob=blob, offset=start, data=b"", problem=error.code)
            if following is None:
                self._pass()
            else:
                self._offset = following
            return LineRange(blob=blob, offset=start, data=data)
        return None

    def _pass(self) -> None:
        self._walk.advance()
        self._offset = 0
