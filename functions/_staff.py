"""Between a caller of the operations API and a member of staff who may do what is asked."""

from http import HTTPMethod

import azure.functions as func

from functions._http import header
from shared import bootstrap
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.staff import Permission, StaffMember, require_permission

_BEARER = "bearer"
_PRINCIPAL = "x-ms-client-principal"
_JSON = "application/json"


async def staff(req: func.HttpRequest, permission: Permission) -> StaffMember:
    """Return who calls, when that is somebody who may do this. Call it before anything is read or said.

    A token counts before the platform's header. What changes something is sent as JSON only: a page of
    another site can make a signed-in browser post a form, but no JSON.

    Raises:
        NotAllowed: `staff_token_missing`, `staff_token_invalid`, `staff_token_expired` (401); `role_missing`,
            `staff_not_configured` (403).
        Invalid: `media_type` (415).
        Retryable: `staff_keys_unavailable` (503).
    """
    member = await _caller(req)
    require_permission(member, permission)
    media_type = header(req, "content-type").partition(";")[0].strip().lower()
    if req.method.upper() != HTTPMethod.GET and media_type != _JSON:
        raise Invalid("media_type", f"send {_JSON}")
    return member


async def _caller(req: func.HttpRequest) -> StaffMember:
    tokens = bootstrap.app().staff_tokens
    authorization = header(req, "authorization")
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != _BEARER:
            raise NotAllowed("staff_token_missing", "send a bearer token")
        return await tokens.member(token.strip())
    principal = header(req, _PRINCIPAL)
    if principal:
        return tokens.principal(principal)
    raise NotAllowed("staff_token_missing", "sign in and send the token")
