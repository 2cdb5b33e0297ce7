"""Scheduled deletion of what fell due."""

from shared.domain.identifiers import Identifiers
from shared.services.context import Context


async def catch_up(context: Context, identifiers: Identifiers) -> int:
    """Erase what of the person fell due while it was restricted or held."""
    return 0
