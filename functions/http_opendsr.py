"""Doors for customer-data platforms that speak OpenDSR 2.0, or 1.0 by its old names.

A platform sends its key in a header of its own: the protocol leaves open how it signs in, and App Service
would take an `Authorization` header for a token. What the caller can do about it comes as OpenDSR's error
object, all else as problem details. Source: the specification at https://github.com/opengdpr/OpenDSR.
"""

from functools import wraps

import azure.functions as func

from functions._door import Given, door
from functions._http import MAX_BODY_BYTES, Handler, exact, header, problem
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
_NOT_CONFIGURED = 501
_STATUS: dict[type[ComplianceError], int] = {Invalid: 400, NotAllowed: 409, NotFound: 404}
_STATUS_OF_CODE = {
    "key_invalid": 401,
    "subject_request_id_used": 409,
    "not_pending": 409,
    "body_too_large": 413,
    "media_type": 415,
    "too_many_requests": 429,
}


def speaking(handler: Handler) -> Handler:
    """Answer 501 where no key is configured, and turn a caller's errors into the error object."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        processor = bootstrap.app().context.opendsr
        if processor is None:
            title = "OpenDSR is not configured here."
            return problem("opendsr_not_configured", status=_NOT_CONFIGURED, title=title)
        try:
            return await handler(req)
        except (Invalid, NotAllowed, NotFound) as error:
            return _refusal(processor, error)
        except Conflict as error:
            if error.code in _STATUS_OF_CODE:
                return _refusal(processor, error)
            raise Retryable(error.code, error.detail) from error  # 409 is kept for what the caller did

    return wrapped


def _refusals(*statuses: int) -> dict[int, type[wire.DsrError]]:
    return dict.fromkeys(statuses, wire.DsrError)


@door(
    opendsr,
    "opendsr_discovery",
    "GET",
    f"{_BASE}/discovery",
    Given(answers={200: wire.DsrDiscovery}, problems=(_NOT_CONFIGURED,)),
)
@speaking
async def discovery(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Tell what can be asked for, by which identities, and where the certificate is."""
    context, _ = _processor()
    found = wire.DsrDiscovery(processor_certificate=f"{context.public_url}/{_BASE}/certificate")
    return exact(found.body(), media_type=_JSON)


@door(
    opendsr,
    "opendsr_certificate",
    "GET",
    f"{_BASE}/certificate",
    Given(answers={200: _PEM}, problems=(_NOT_CONFIGURED,)),
)
@speaking
async def certificate(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Return the certificate that our signatures are checked with, as PEM."""
    _, processor = _processor()
    response = exact(processor.signer.certificate_pem, media_type=_PEM)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@door(
    opendsr,
    "opendsr_submit",
    "POST",
    f"{_BASE}/requests",
    Given(
        body=wire.DsrRequest,
        answers={201: wire.DsrAccepted, **_refusals(400, 401, 409, 413, 415, 429)},
        problems=(_NOT_CONFIGURED,),
        guard="opendsr",
    ),
)
@speaking
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """File a person's request; the answer is signed. An id that was used before is refused."""
    context, processor = _processor()
    controller_id = _controller(req, processor)
    accepted = await service.submit(context, processor, controller_id, _body(req))
    return _signed(processor, accepted.body(), accepted.api_version, status=201)


@door(
    opendsr,
    "opendsr_status",
    "GET",
    _ONE,
    Given(answers={200: wire.DsrState, **_refusals(401, 404)}, problems=(_NOT_CONFIGURED,), guard="opendsr"),
)
@speaking
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell where a request of this platform stands, signed."""
    context, processor = _processor()
    controller_id = _controller(req, processor)
    found = await service.status(context, processor, controller_id, req.route_params["subject_request_id"])
    return _signed(processor, found.body(), found.api_version)


@door(
    opendsr,
    "opendsr_cancel",
    "DELETE",
    _ONE,
    Given(
        answers={202: wire.DsrCancelled, **_refusals(401, 404, 409)},
        problems=(_NOT_CONFIGURED,),
        guard="opendsr",
    ),
)
@speaking
async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a request whose work has not begun; the answer is signed."""
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
    return wire.authenticated(processor.platforms, header(req, "x-opendsr-key"))


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
    status = _STATUS_OF_CODE.get(error.code) or _STATUS[type(error)]
    detail = wire.DsrErrorDetail(domain=processor.signer.domain, reason=error.code, message=error.detail)
    found = wire.DsrError(
        error=wire.DsrErrorObject(code=status, message="The request was refused.", errors=(detail,))
    )
    response = exact(found.body(), media_type=_JSON, status=status)
    if isinstance(error, NotAllowed) and error.retry_after_seconds:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response
