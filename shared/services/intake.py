"""Take in a request, confirm the address it came from, tell where it stands, cancel it.

Nothing here looks at anybody's data: whether the address is known makes no difference to any answer.
"""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from shared.domain import tokens
from shared.domain.cases import Channel, SubjectRequest
from shared.domain.errors import NotAllowed
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.messages import PlanRequest
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right
from shared.domain.times import after, copenhagen_day
from shared.domain.wishes import Wishes
from shared.ports.cases import Case, Write
from shared.services import fencing, marking
from shared.services.closing import end, end_unanswered, forget_unpublished
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file
from shared.services.links import CANCEL, VERIFY, answer_ends, verification_ends

_HOUR_SECONDS = 3600
_NETWORK_BITS = 64  # of IPv6: a household or a rented machine has all addresses of such a network
IdentityCheck = Literal["registered_contact", "code_by_post", "question", "document_seen", "mandate_seen"]
_PUBLIC_STATE = {
    RequestState.COMPLETED_WITH_RETENTION: RequestState.COMPLETED,
    RequestState.STANDING: RequestState.COMPLETED,
}


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A request as it came in. `client`: the caller's network address; `repeat_key`: a retry is harmless."""

    email: str
    rights: tuple[Right, ...]
    language: Literal["en", "da"]
    client: str
    repeat_key: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    channel: Channel = "web"


@dataclass(frozen=True, kw_only=True)
class Status:
    """What anybody who knows the request's id may see.

    `state` says of an ended erasure that it is completed, whether or not something had to stay: that there
    are invoices is for the person's letter only.
    `in_words`: beside `rights` there are words that name none, which a person reads.
    """

    request_id: str
    state: RequestState
    rights: tuple[Right, ...]
    in_words: bool
    received_on: date
    due_on: date
    copy_available: bool


async def submit(context: Context, submission: Submission) -> str:
    """Save a request, send the mail that confirms its address, and return its id.

    With the same `repeat_key` and address a second call returns the first one's id and sends nothing new. A
    key is one address's own: anybody may have used it for another, and keeps nobody from asking.

    Raises:
        Conflict: `idempotency_key_reused`: the key was used for this address with another body; nothing of
            this one was filed.
        Invalid: the address is none; ask for another.
        NotAllowed: `too_many_requests`: too many from this client or for this address in the last hour.
    """
    email = parse_email(submission.email)
    email_key = context.keys.subject_key(EMAIL, email)
    request_id, body_digest = secrets.token_hex(16), None
    if submission.repeat_key:
        asked = (",".join(submission.rights), submission.language, submission.wishes.model_dump_json())
        request_id = context.keys.sign("repeat", email_key, submission.repeat_key)[:32]
        body_digest = context.keys.sign("body", request_id, *asked)
    await count_client(context, submission.client)
    await count_address(context, email, submission.rights)
    await put_on_file(
        context,
        Filing(
            request_id=request_id,
            body_digest=body_digest,
            rights=submission.rights,
            language=submission.language,
            channel=submission.channel,
            email=email,
            received_at=context.clock.now(),
            wishes=submission.wishes,
        ),
    )
    return request_id


async def verify(context: Context, request_id: str, token: object) -> RequestState:
    """Confirm the address of a request, and start it or join it to the same person's open one.

    A second confirmation changes nothing and returns where the request stands.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: there is no such request.
    """
    now = context.clock.now()
    tokens.check(context.keys, token, purpose=VERIFY, request_id=request_id, now=now)
    return await settled(lambda: _verify(context, request_id))


async def identify(
    context: Context, request_id: str, *, method: IdentityCheck, decided_by: str
) -> RequestState:
    """Start a request whose requester a member of staff has identified; only how and when is kept.

    Raises:
        NotAllowed: `identity_not_open`: the request does not wait for it.
        Conflict: somebody changed the request meanwhile; read again.
    Source: GDPR article 12(6).
    """
    case = await context.cases.load(request_id)
    if case.request.state is not RequestState.RECEIVED:
        raise NotAllowed("identity_not_open")
    return await _start(context, case, "identified", method=method, decided_by=decided_by)


async def _verify(context: Context, request_id: str) -> RequestState:
    case = await context.cases.load(request_id)
    if case.request.state is not RequestState.RECEIVED:
        return await _note_confirmation(context, case)
    return await _start(context, case, "verified")


async def _start(context: Context, case: Case, what: str, **details: str) -> RequestState:
    now = context.clock.now()
    request = case.request
    # A platform's case has an answer and a cancellation of its own: it joins none, and none joins it.
    joined_to = None if request.opendsr else await fencing.register_open(context, request)
    if joined_to is not None:
        joined = request.with_(joined_to=joined_to, verified_at=now)
        await end(context, replace(case, request=joined), RequestState.JOINED)
        return RequestState.JOINED
    verified, event = request.moved_to(
        RequestState.VERIFIED,
        verified_at=now,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, what, **details)
    await context.cases.commit(
        request.request_id,
        [Write(document=verified, etag=case.etags[verified.id]), Write(document=event, etag=None)],
    )
    await context.queue.send([PlanRequest(request_id=request.request_id)])
    return RequestState.VERIFIED


async def _note_confirmation(context: Context, case: Case) -> RequestState:
    """Note that the address is confirmed while a right that needed no confirmation is at work."""
    request = case.request
    if request.verified_at is not None or request.is_final:
        return request.state
    confirmed, event = request.with_(verified_at=context.clock.now()).noted(context.clock.now(), "verified")
    await context.cases.commit(
        request.request_id,
        [Write(document=confirmed, etag=case.etags[confirmed.id]), Write(document=event, etag=None)],
    )
    return RequestState.VERIFIED


async def status(context: Context, request_id: str) -> Status:
    """Return where a request stands; a joined one stands where the one it joined does.

    Raises:
        NotFound: there is no such request.
    """
    request = (await context.cases.load(request_id)).request
    state = _told_to_anybody(request)
    if request.joined_to is not None:
        state = (await context.cases.load(request.joined_to)).request.state
    return Status(
        request_id=request_id,
        state=_PUBLIC_STATE.get(state, state),
        rights=tuple(one for one in request.rights if not (request.in_words and one is Right.RESTRICTION)),
        in_words=request.in_words,
        received_on=copenhagen_day(request.received_at),
        due_on=request.due_on,
        copy_available=request.copy_ends_at is not None,
    )


def _told_to_anybody(request: SubjectRequest) -> RequestState:
    """Return a state that tells nobody who only typed an address whether it is known.

    Only the records of somebody we know can stop a request: so one that nobody confirmed and that stopped
    looks as it would for an unknown address.
    """
    if request.verified_at is not None or request.state is not RequestState.NEEDS_ATTENTION:
        return request.state
    return RequestState.COMPLETED if IMMEDIATE.issuperset(request.rights) else RequestState.RECEIVED


async def cancel(context: Context, request_id: str, token: object) -> RequestState:
    """Cancel a request that has not begun to erase, and all that joined it. A second call changes nothing.

    Only what is not answered yet is cancelled. A restriction that was confirmed, or what a hold put off,
    stands; the state returned then says so.

    A joined request that asked for all that the first still owes cancels the first: whoever wants an
    erasure stopped must not have to look for the right one of two mails.

    Raises:
        NotAllowed: `token_invalid`, `token_expired`, `too_late` once erasing began or an answer is out, or
            `joined_to_wider`: it joined one that asks for more; cancel that one by its own link.
        NotFound: there is no such request.
    """
    now = context.clock.now()
    tokens.check(context.keys, token, purpose=CANCEL, request_id=request_id, now=now)
    return await cancel_known(context, request_id)


async def cancel_known(context: Context, request_id: str) -> RequestState:
    """Cancel as `cancel` does, for a caller who has proven otherwise to have filed the request.

    Raises:
        NotAllowed: `too_late` or `joined_to_wider`.
        NotFound: there is no such request.
    """
    return await settled(lambda: _cancel(context, request_id))


async def _cancel(context: Context, request_id: str) -> RequestState:
    case = await context.cases.load(request_id)
    request = case.request
    if request.joined_to is not None:
        asked = set(request.rights)
        case = await context.cases.load(request.joined_to)
        request = case.request
        if not request.is_final and set(request.rights) - request.outcomes.keys() - asked:
            raise NotAllowed("joined_to_wider")
    if request.state is RequestState.CANCELLED or request.dropped:
        return request.state
    answered = request.state in (RequestState.ANSWERING, RequestState.STANDING) or request.revivals > 0
    if request.is_final or answered or request.is_irreversible:
        raise NotAllowed("too_late")
    state = await end_unanswered(context, case, RequestState.CANCELLED)
    if state is RequestState.CANCELLED:
        await marking.take_back(context, request)
        await forget_unpublished(context, request)
    return state


def unconfirmed_ends(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when a request that nobody confirmed is forgotten. None: never, a person decides about it.

    One that waits for the answer to a question has the time of that answer; one that was answered has None.
    """
    ends = verification_ends(context, request)
    if not request.questions:
        return ends
    if all(one.answered_at for one in request.questions):
        return None
    return max(ends, answer_ends(context, request))


async def expire(context: Context, case: Case) -> bool:
    """Forget a request nobody confirmed in time; False while there is still time."""
    ends = unconfirmed_ends(context, case.request)
    if ends is None or context.clock.now() <= ends:
        return False
    await end_unanswered(context, case, RequestState.EXPIRED)
    return True


async def count_address(context: Context, email: str, rights: Iterable[Right]) -> None:
    """Count one more request for an address, whoever files it: each may send a mail there.

    Each right that is honoured at once has a bucket of its own, so that nobody can keep a person from it by
    filing others; it is full only of requests that each took effect. All other rights share one bucket. A
    request of several passes while one of its buckets has room.

    Raises:
        NotAllowed: `too_many_requests`, as of `count`.
    Source: GDPR articles 7(3), 21(3).
    """
    mailbox = _mailbox_key(context, email)
    own = {f"-{right}" if right in IMMEDIATE else "" for right in rights} or {""}
    counts = [await _hit(context, f"address-{mailbox}{suffix}") for suffix in sorted(own)]
    if min(counts) > context.limits.requests_per_address_hour:
        raise too_many()


async def count_client(context: Context, client: str, what: str = "") -> None:
    """Count one more call of a client, by what it is about. Raises as `count`."""
    await count(context, f"{what}client-{_client_key(context, client)}", _per_client(context))


async def hits_of_client(context: Context, client: str, what: str) -> int:
    """Count one more call of a client, by what it is about; return how many there were in this hour."""
    return await _hit(context, f"{what}client-{_client_key(context, client)}")


async def count_mailbox(context: Context, email: str, what: str) -> None:
    """Count one more call about a mailbox, by what it is about. Raises as `count`."""
    bucket = f"{what}address-{_mailbox_key(context, email)}"
    await count(context, bucket, context.limits.requests_per_address_hour)


async def count(context: Context, bucket: str, most: int) -> None:
    """Count one more request in a bucket of the last hour.

    Raises:
        NotAllowed: `too_many_requests`: there were `most` already; come again later.
    """
    if await _hit(context, bucket) > most:
        raise too_many()


async def _hit(context: Context, bucket: str) -> int:
    return await context.rate_limits.hit(bucket, window_seconds=_HOUR_SECONDS)


def too_many() -> NotAllowed:
    """Return the refusal of one more call, to be raised."""
    return NotAllowed("too_many_requests", retry_after_seconds=_HOUR_SECONDS)


def _per_client(context: Context) -> int:
    return context.limits.requests_per_client_hour


def _client_key(context: Context, client: str) -> str:
    return context.keys.subject_key("client_address", _client_network(client))


def _client_network(client: str) -> str:
    """Return what one client cannot change at will: an IPv4 address, or the network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client  # the host's own word for a caller without an address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address), _NETWORK_BITS), strict=False))
    return str(address)


def _mailbox_key(context: Context, email: str) -> str:
    """Return the pseudonym of where the mail arrives: with many providers a `+tag` changes nothing."""
    local, _, domain = email.partition("@")
    return context.keys.subject_key(EMAIL, f"{local.partition('+')[0] or local}@{domain}")
