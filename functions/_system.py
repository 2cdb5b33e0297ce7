"""Lets our other systems in, and nobody else."""

import hashlib
import hmac

import azure.functions as func

from functions._http import header
from shared import bootstrap
from shared.domain.errors import NotAllowed

HEADER = "x-system-key"


def require_system(request: func.HttpRequest) -> None:
    """Check the key that a system sends; the settings hold its SHA-256 alone.

    Raises:
        NotAllowed: `system_key_not_configured` (501): an operator sets SYSTEM_KEY_SHA256 first;
            `system_key_wrong` (401): none was sent, or another one.
    """
    wanted = bootstrap.app().settings.system_key_sha256
    if not wanted:
        raise NotAllowed("system_key_not_configured", "this door is not open yet")
    given = hashlib.sha256(header(request, HEADER).encode()).hexdigest()
    if not hmac.compare_digest(given, wanted):
        raise NotAllowed("system_key_wrong", f"send the key of your system as {HEADER}")
