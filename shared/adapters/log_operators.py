"""Alarms as log records of one name, which Azure's alert rules read."""

import logging

_LOG = logging.getLogger("shared.operators")


class LogOperators:
    """Writes each alarm as an error."""

    async def alarm(self, code: str, *, request_id: str | None = None, details: str = "") -> None:
        _LOG.error("alarm code=%s request=%s details=%s", code, request_id or "-", details or "-")
