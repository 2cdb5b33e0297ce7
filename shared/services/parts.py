"""The parts of a copy that is being made: names and checksums of its entries, gone when it is published."""

from collections.abc import Sequence

from shared.domain.cases import Part
from shared.domain.errors import Conflict
from shared.services.context import Context

_IN_BATCH = 90  # a batch takes 100


async def all_parts(context: Context, request_id: str) -> list[Part]:
    """Return every part of a request's copy, in the order of the archive."""
    parts: list[Part] = []
    cursor: str | None = None
    while True:
        page, cursor = await context.cases.parts(request_id, cursor=cursor)
        parts.extend(page)
        if cursor is None:
            return sorted(parts, key=lambda part: part.id)


async def forget_parts(context: Context, request_id: str, parts: Sequence[Part]) -> None:
    """Delete parts; those a twin has deleted are gone."""
    for start in range(0, len(parts), _IN_BATCH):
        names = [part.id for part in parts[start : start + _IN_BATCH]]
        try:
            await context.cases.commit(request_id, [], deletes=names)
        except Conflict:
            continue  # a twin was here; what it left is found by the next look at the request
