"""Doors for customer-data platforms that speak OpenDSR 2.0, or 1.0 by its old names.

A platform sends its key as `X-API-Key`: the protocol leaves open how it signs in, and App Service would take
an `Authorization` header for a token of its own. Errors are OpenDSR's error object. Source: the
specification at https://github.com/opengdpr/OpenDSR.
"""

import logging
from functools import wraps

import azure.functions as func

from functions._http import MAX_BODY_BYTES, Handler, answering, exact, header, problem
from shared import bootstrap
from shared.domain import opendsr as wire
from shared.domain.errors import ComplianceError, Conflict, Invalid, NotAllowed, NotFound, Retryable
from shared.ports.opendsr import OpenDsr
from shared.services import opendsr as service
from shared.services.calling_back import signed_headers
from shared.services.context import Context

opendsr = func.Blueprint()

_BASE = "opendsr/v2"
_ONE = f"{_BASE}/requests/{{subject_request_id}}"
_JSON = "application/json"
_PEM = "application/x-pem-file"
_LOG = logging.getLogger("functions.opendsr")
_STATUS: dict[type[ComplianceError], int] = {Invalid: 400, NotAllowed: 403, NotFound: 404, Retryable: 503}
_STATUS_OF_CODE = {
    "key_invalid": 401,
    "subject_request_id_used": 409,
    "not_pending": 409,
    "too_late": 409,
    "body_too_large": 413,
    "media_type": 415,
    "too_many_requests": 429,
}


def speaking(handler: Handler) -> Handler:
    """Answer 501 where no key is configured, and turn our errors into the protocol's error object."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        processor = bootstrap.app().context.opendsr
        if processor is None:
            return problem("opendsr_not_configured", status=501, title="OpenDSR is not configured here.")
        try:
            return await handler(req)
        except ComplianceError as error:
            return _refusal(processor, error)

    return answering(wrapped)


@opendsr.function_name("opendsr_discovery")
@opendsr.route(f"{_BASE}/discovery", methods=["GET"])
@speaking
async def discovery(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Tell what can be asked for, by which identities, and where the certificate is."""
    context, _ = _processor()
    found = wire.Discovery(processor_certificate=f"{context.public_url}/{_BASE}/certificate")
    return exact(found.body(), media_type=_JSON)


@opendsr.function_name("opendsr_certificate")
@opendsr.route(f"{_BASE}/certificate", methods=["GET"])
@speaking
async def certificate(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Return the certificate that our signatures are checked with, as PEM."""
    _, processor = _processor()
    response = exact(processor.signer.certificate_pem, media_type=_PEM)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@opendsr.function_name("opendsr_submit")
@opendsr.route(f"{_BASE}/requests", methods=["POST"])
@speaking
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """File a person's request: 201, signed. An id that was used before is 409."""
    context, processor = _processor()
    controller_id = _controller(req, processor)
    accepted = await service.submit(context, processor, controller_id, _body(req))
    return _signed(processor, accepted.body(), accepted.api_version, status=201)


@opendsr.function_name("opendsr_status")
@opendsr.route(_ONE, methods=["GET"])
@speaking
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell where a request stands, signed; 404 for one that this platform did not file."""
    context, processor = _processor()
    controller_id = _controller(req, processor)
    found = await service.status(context, processor, controller_id, req.route_params["subject_request_id"])
    return _signed(processor, found.body(), found.api_version)


@opendsr.function_name("opendsr_cancel")
@opendsr.route(_ONE, methods=["DELETE"])
@speaking
async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a request whose work has not begun: 202, signed; else 409."""
    context, processor = _processor()
    controller_id = _controller(req, processor)
    cancelled = await service.cancel(context, controller_id, req.route_params["subject_request_id"])
    return _signed(processor, cancelled.body(), cancelled.api_version, status=202)


def _processor() -> tuple[Context, OpenDsr]:
    context = bootstrap.app().context
    if context.opendsr is None:
        raise NotFound("opendsr_not_configured")
    return context, context.opendsr


def _controller(req: func.HttpRequest, processor: OpenDsr) -> str:
    return wire.authenticated(processor.platforms, header(req, "x-api-key"))


def _body(req: func.HttpRequest) -> bytes:
    body = req.get_body()
    if not body:
        raise Invalid("body_missing", "send a body with a Content-Length")
    if len(body) > MAX_BODY_BYTES:
        raise Invalid("body_too_large", f"at most {MAX_BODY_BYTES} bytes")
    if header(req, "content-type").partition(";")[0].strip().lower() != _JSON:
        raise Invalid("media_type", f"send {_JSON}")
    return body


def _signed(
    processor: OpenDsr, body: bytes, version: wire.Version | None, *, status: int = 200
) -> func.HttpResponse:
    response = exact(body, media_type=_JSON, status=status)
    response.headers.update(signed_headers(processor, body, version or "2.0"))
    return response


def _refusal(processor: OpenDsr, error: ComplianceError) -> func.HttpResponse:
    status = _STATUS_OF_CODE.get(error.code) or _STATUS.get(type(error), 500)
    if isinstance(error, Conflict) and error.code not in _STATUS_OF_CODE:
        status = 503  # a write of ours lost a race, which is no fault of the request
    is_ours = status >= 500  # noqa: PLR2004
    if is_ours:
        _LOG.warning("answered %s: %s", status, error)
    found = wire.ErrorBody(
        error=wire.ErrorObject(
            code=status,
            message="That cannot be done just now." if is_ours else "The request was refused.",
            errors=(
                wire.ErrorDetail(
                    domain=processor.signer.domain,
                    reason=error.code,
                    message="" if is_ours else error.detail,
                ),
            ),
        )
    )
    response = exact(found.body(), media_type=_JSON, status=status)
    if isinstance(error, NotAllowed) and error.retry_after_seconds:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response
