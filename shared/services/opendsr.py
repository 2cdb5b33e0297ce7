"""Requests that platforms file by OpenDSR: take them in, tell where they stand, cancel them.

A platform is known by its key; who the person is, it proves only where its entry in the settings says so.
Else the person gets the mail that everybody gets, and nothing happens before it is confirmed.
"""

import base64
import re
from datetime import datetime, timedelta

from shared.domain import opendsr as wire
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict, Invalid, NotFound
from shared.domain.opendsr import DsrStatus, FiledBy
from shared.domain.opendsr_states import extensions_of, status_of
from shared.domain.request_states import RequestState
from shared.domain.times import end_of_day
from shared.ports.opendsr import OpenDsr
from shared.services import intake
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file

_CLOCK_SKEW = timedelta(minutes=5)
_UUID = re.compile(wire.UUID_PATTERN)


async def submit(context: Context, opendsr: OpenDsr, controller_id: str, body: bytes) -> wire.DsrAccepted:
    """Put a platform's request on file, and say what was received and until when it is answered.

    Raises:
        Invalid: something in the body; the code names it.
        NotAllowed: `too_many_requests` of this platform, or for this address, in the last hour.
        Conflict: `subject_request_id_used`: it was filed before; nothing is done.
    """
    asked = wire.parse_request(body)
    email = wire.email_of(asked)
    platform = opendsr.platforms[controller_id]
    callback_urls = tuple(
        dict.fromkeys(_callback(opendsr, platform, url) for url in asked.status_callback_urls)
    )
    received_at = _received_at(asked.submitted_time, context.clock.now())
    await intake.count(context, f"platform-{controller_id}", platform.requests_per_hour)
    await intake.count_address(context, email, (asked.right,))
    request_id = _request_id(context, controller_id, asked.subject_request_id)
    is_new = await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=(asked.right,),
            language=wire.language_of(asked, opendsr.signer.domain),
            channel="opendsr",
            email=email,
            received_at=received_at,
            is_known=platform.identity_verified,
            opendsr=FiledBy(
                subject_request_id=asked.subject_request_id,
                controller_id=controller_id,
                status_callback_urls=callback_urls,
                api_version=asked.api_version,
            ),
        ),
    )
    if not is_new:
        raise Conflict("subject_request_id_used")
    request = (await context.cases.load(request_id)).request
    return wire.DsrAccepted(
        controller_id=controller_id,
        subject_request_id=asked.subject_request_id,
        api_version=asked.api_version,
        received_time=wire.whole_seconds(request.filed_at or request.received_at),
        expected_completion_time=end_of_day(request.due_on),
        encoded_request=base64.b64encode(body).decode(),
    )


async def status(
    context: Context, opendsr: OpenDsr, controller_id: str, subject_request_id: str
) -> wire.DsrState:
    """Tell where a request of this platform stands.

    Raises:
        NotFound: `request_unknown`: this platform filed none of that id.
    """
    request, filed = await _found(context, controller_id, subject_request_id)
    return wire.DsrState(
        controller_id=controller_id,
        subject_request_id=subject_request_id,
        api_version=filed.api_version,
        expected_completion_time=end_of_day(request.due_on),
        request_status=status_of(request),
        extensions=extensions_of(request, opendsr.signer.domain),
    )


async def cancel(context: Context, controller_id: str, subject_request_id: str) -> wire.DsrCancelled:
    """Cancel a request whose work has not begun. A second call changes nothing and answers the same.

    Raises:
        NotFound: `request_unknown`: this platform filed none of that id.
        Conflict: `not_pending`: work has begun, or it is over.
    """
    request, filed = await _found(context, controller_id, subject_request_id)
    if request.state is not RequestState.CANCELLED:
        if status_of(request) is not DsrStatus.PENDING:
            raise Conflict("not_pending")
        await intake.cancel_known(context, request.request_id)
    return wire.DsrCancelled(
        controller_id=controller_id,
        subject_request_id=subject_request_id,
        api_version=filed.api_version,
        received_time=wire.whole_seconds(context.clock.now()),
    )


def _callback(opendsr: OpenDsr, platform: wire.Platform, url: str) -> str:
    try:
        target = opendsr.callbacks.parse(url)
    except Invalid as error:
        code = error.code.replace("transfer_url", "callback_url")
        raise Invalid(code, error.detail, field="status_callback_urls") from None
    if target.host not in platform.callback_domains:
        raise Invalid("callback_not_listed", "the host is not on the list", field="status_callback_urls")
    return target.url


def _received_at(submitted_at: datetime, now: datetime) -> datetime:
    """Return when the clock began to run: when the person asked, which was not after now.

    Raises:
        Invalid: `submitted_time_invalid`: further in the future than two clocks differ.
    """
    if submitted_at > now + _CLOCK_SKEW:
        raise Invalid("submitted_time_invalid", "that is in the future", field="submitted_time")
    return min(submitted_at, now)


def _request_id(context: Context, controller_id: str, subject_request_id: str) -> str:
    """Return our id for a platform's: the same for the same, and nobody else's."""
    return context.keys.sign("opendsr", controller_id, subject_request_id)[:32]


async def _found(
    context: Context, controller_id: str, subject_request_id: str
) -> tuple[SubjectRequest, FiledBy]:
    if _UUID.fullmatch(subject_request_id) is None:
        raise NotFound("request_unknown")
    request_id = _request_id(context, controller_id, subject_request_id)
    request = (await context.cases.load(request_id)).request
    if request.opendsr is None:
        raise NotFound("request_unknown")
    return request, request.opendsr
