"""Tell the platform that filed a request by OpenDSR when its state changes.

What it was told last is saved with the case, so the state itself says whether something is owed. A notice
may arrive twice; the last one to arrive is always the present state.
"""

from datetime import datetime

from shared.domain.cases import SubjectRequest
from shared.domain.errors import Invalid, NotAllowed, Permanent, Retryable
from shared.domain.messages import SendCallback
from shared.domain.opendsr import HEADERS, DsrCallback, DsrStatus, FiledBy
from shared.domain.opendsr_states import extensions_of, is_owed, status_of
from shared.domain.times import after, end_of_day
from shared.ports.cases import Case, Write
from shared.ports.opendsr import OpenDsr
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.reminding import next_look

_MOST_TRIES = 6
_MOST_NOTICES = len(DsrStatus)  # of one message: the state can change while it is told


def due(request: SubjectRequest) -> list[SendCallback]:
    """Return the message that tells the platform, if it has not been told of the present state."""
    return [SendCallback(request_id=request.request_id)] if is_owed(request) else []


async def announce(context: Context, request: SubjectRequest) -> None:
    """Send that message; the state that makes it due is saved."""
    await context.queue.send(due(request))


def owed_again_at(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when the sweep looks whether a closed request's platform was told; None: nothing is owed."""
    return after(context.clock.now(), seconds=context.limits.wake_seconds) if is_owed(request) else None


async def announced_again(context: Context, case: Case) -> bool:
    """Send the message of a closed request again, if it is owed still; False: it is not."""
    request = case.request
    if not is_owed(request):
        return False
    waiting = request.with_(wake_at=owed_again_at(context, request))
    await context.cases.commit(request.request_id, [Write(document=waiting, etag=case.etags[waiting.id])])
    await announce(context, request)
    return True


async def call_back(context: Context, request_id: str) -> None:
    """Post where a request stands to each address its platform named, until that is where it stands.

    What fails is tried again, later each time; an operator is told when it is given up. A second call posts
    nothing that was told already.

    Raises:
        Permanent: `opendsr_not_configured`: the key was taken away while platforms wait.
    """
    for _ in range(_MOST_NOTICES):
        if await _is_told(context, request_id):
            return


async def _is_told(context: Context, request_id: str) -> bool:
    """Post once what is owed; False: it stands elsewhere by now, and that is owed."""
    request = (await context.cases.load(request_id)).request
    filed = request.opendsr
    if filed is None or not is_owed(request):
        return True
    try:
        failure = await _post(context, request, filed)
    except Retryable:
        await settled(lambda: _again_later(context, request_id))
        return True
    if failure is not None:
        await context.operators.alarm(failure, request_id=request_id)
    return await settled(lambda: _note(context, request_id, status_of(request), failure))


async def give_up(context: Context, request_id: str, code: str) -> None:
    """Tell an operator that a platform was not reached, and leave it at that until the state changes."""
    request = (await context.cases.load(request_id)).request
    if not is_owed(request):
        return
    await context.operators.alarm(code, request_id=request_id)
    await settled(lambda: _note(context, request_id, status_of(request), code))


async def _post(context: Context, request: SubjectRequest, filed: FiledBy) -> str | None:
    """Post to every address; return the code of one that failed for good, None: all took it."""
    opendsr = context.opendsr
    if opendsr is None:
        raise Permanent("opendsr_not_configured")
    failure, passing = None, None
    for url in filed.status_callback_urls:
        body = DsrCallback(
            controller_id=filed.controller_id,
            subject_request_id=filed.subject_request_id,
            expected_completion_time=end_of_day(request.due_on),
            request_status=status_of(request),
            extensions=extensions_of(request, opendsr.signer.domain),
            status_callback_url=url,
        ).body()
        try:
            _require_listed(opendsr, filed, url)
            await opendsr.callbacks.post(url, body, signed_headers(opendsr, body, filed.api_version))
        except Retryable as error:
            passing = error
        except (Invalid, NotAllowed, Permanent) as error:
            failure = error.code
    if passing is not None:
        raise passing
    return failure


def signed_headers(opendsr: OpenDsr, body: bytes, version: str) -> dict[str, str]:
    """Return the two headers that tie a body to us, under the names of the platform's version."""
    domain, signature = HEADERS[version]
    return {domain: opendsr.signer.domain, signature: opendsr.signer.sign(body)}


def _require_listed(opendsr: OpenDsr, filed: FiledBy, url: str) -> None:
    """Ask again at the moment of calling: a domain may have been taken off the list since."""
    platform = opendsr.platforms.get(filed.controller_id)
    if platform is None or opendsr.callbacks.parse(url).host not in platform.callback_domains:
        raise NotAllowed("callback_not_listed")


async def _again_later(context: Context, request_id: str) -> None:
    case = await context.cases.load(request_id)
    filed = case.request.opendsr
    if filed is None or not is_owed(case.request):
        return
    if filed.tries + 1 >= _MOST_TRIES:
        await give_up(context, request_id, "callback_unreachable")
        return
    delay = min(context.limits.fence_retry_seconds * 4**filed.tries, context.limits.wake_seconds)
    tried = case.request.with_(opendsr=filed.model_copy(update={"tries": filed.tries + 1}))
    await context.cases.commit(request_id, [Write(document=tried, etag=case.etags[tried.id])])
    await context.queue.send(due(tried), delay_seconds=delay)


async def _note(context: Context, request_id: str, told: DsrStatus, failure: str | None) -> bool:
    """Save what the platform was told; False: it stands elsewhere by now, and that is owed."""
    case = await context.cases.load(request_id)
    request, filed = case.request, case.request.opendsr
    if filed is None:
        return True
    is_present = status_of(request) == told
    if filed.last_status_sent == told and not filed.tries and is_present:
        return True
    wake_at = request.wake_at
    if request.is_final and is_present and wake_at is not None:
        cleans_at = after(request.closed_at or wake_at, seconds=context.limits.cleanup_seconds)
        wake_at = next_look(context, request) or cleans_at
    what, details = ("platform_not_told", {"code": failure}) if failure else ("platform_told", {})
    noted, event = request.with_(
        opendsr=filed.model_copy(update={"last_status_sent": told, "tries": 0}), wake_at=wake_at
    ).noted(context.clock.now(), what, status=told, **details)
    await context.cases.commit(
        request_id, [Write(document=noted, etag=case.etags[noted.id]), Write(document=event, etag=None)]
    )
    return is_present
