"""The parts of a copy that is being made: names and checksums of its entries, gone when it is published."""

from collections.abc import Sequence

from shared.domain.case_documents import Part
from shared.services.context import Context
from shared.services.forgetting import forget


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
    await forget(context, request_id, [part.id for part in parts])
