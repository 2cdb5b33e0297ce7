"""Put a request on file: the one way in which every case begins, whoever asks and however it came.

A right that waits for nobody takes effect here, before the caller is answered; the others wait for the
confirmation of the address, unless the caller is known already.
"""

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import AnyDocument, Channel, SubjectRequest
from shared.domain.deadlines import due_on, require_receivable
from shared.domain.errors import Conflict, Invalid, NotAllowed
from shared.domain.identifiers import EMAIL, Identifiers
from shared.domain.messages import Message, PlanRequest, SendLetter
from shared.domain.opendsr import FiledBy
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right, in_order
from shared.domain.times import after
from shared.domain.wishes import Requester, Scope, Wishes
from shared.ports.cases import Write
from shared.rendering.letters import LetterKind
from shared.services import marking
from shared.services.context import Context


@dataclass(frozen=True, kw_only=True)
class Filing:
    """A request as it is put on file.

    `received_at`: when it reached any official channel. `is_known`: the requester needs no confirmation, as
    one who is signed in, or whom staff has checked. `identifiers`: what finds the person where it is not the
    address that is answered to.
    """

    request_id: str
    rights: tuple[Right, ...]
    language: str
    channel: Channel
    email: str | None
    received_at: datetime
    identifiers: Identifiers = field(default_factory=dict)
    subjects: tuple[Identifiers, ...] = ()  # each one's own, where scheduled deletion takes several at a time
    requester: Requester = field(default_factory=Requester)
    scope: Scope = field(default_factory=Scope)
    wishes: Wishes = field(default_factory=Wishes)
    is_known: bool = False
    identity: str = ""  # how staff knew the person
    entered_by: str | None = None
    opendsr: FiledBy | None = None
    body_digest: str | None = None  # keyed; of what came with a key against repeats


async def put_on_file(context: Context, filing: Filing) -> bool:
    """Save a new case and start it; False: a case of this id is there already.

    When it returns, what waits for nobody has taken effect, whichever call filed the case.

    Raises:
        Conflict: `idempotency_key_reused`: the case of this id was filed with another body.
        Invalid: `received_in_future` or `received_impossible`: enter the true day; `identifiers_missing`: a
            customer says whom it means.
        NotAllowed: `scope_not_theirs`: a customer reaches its own installations, or needs a mandate.
    """
    now = context.clock.now()
    require_receivable(filing.received_at, now)
    _require_within_reach(filing)
    request = _request(context, filing, now)
    details = {"rights": ",".join(request.rights), "channel": request.channel, "by": filing.requester.kind}
    if filing.identity:
        details["identity"] = filing.identity
    request, event = request.noted(now, "received", **details)
    letters = _letters(request, now)
    documents: tuple[AnyDocument, ...] = (request, event, *letters)
    try:
        await context.cases.commit(
            request.request_id, [Write(document=document, etag=None) for document in documents]
        )
    except Conflict:
        known = (await context.cases.load(request.request_id)).request
        if request.body_digest != known.body_digest:
            raise Conflict("idempotency_key_reused") from None
        if not known.is_final:  # whoever filed it may have died before it took effect
            await _apply_at_once(context, known)
        return False
    await _apply_at_once(context, request)
    messages: list[Message] = [
        SendLetter(request_id=request.request_id, letter_id=letter.id) for letter in letters
    ]
    if request.state is RequestState.VERIFIED:
        messages.append(PlanRequest(request_id=request.request_id))
    await context.queue.send(messages)
    return True


async def _apply_at_once(context: Context, request: SubjectRequest) -> None:
    """Let it take effect; a customer's waits until the plan has seen that the person is one of its own."""
    if request.scope.customer_id is None:
        await marking.apply_at_once(context, request, request.subject_keys)


def _require_within_reach(filing: Filing) -> None:
    """Hold who asks for another to the person they name, and a customer to its own installations.

    Without a person named, the data of whoever asks would be taken for it. Source: policy 4.2.1.
    """
    requester = filing.requester
    if requester.kind in ("customer", "representative") and not filing.identifiers:
        raise Invalid("identifiers_missing", "say whom the request is about", field="identifiers")
    if requester.kind != "customer":
        return
    own = requester.customer_id is not None and filing.scope.customer_id == requester.customer_id
    if not own and not requester.mandate:
        raise NotAllowed("scope_not_theirs")


def _request(context: Context, filing: Filing, now: datetime) -> SubjectRequest:
    rights = in_order(filing.rights)
    identifiers = {kind: tuple(values) for kind, values in filing.identifiers.items()}
    found_by: Identifiers = identifiers or ({EMAIL: (filing.email,)} if filing.email else {})
    starts = filing.is_known or rights[0] in IMMEDIATE
    return SubjectRequest.model_validate(
        {
            "request_id": filing.request_id,
            "rights": rights,
            "state": RequestState.VERIFIED if starts else RequestState.RECEIVED,
            "language": filing.language,
            "channel": filing.channel,
            "requester": filing.requester,
            "scope": filing.scope,
            "wishes": filing.wishes,
            "received_at": filing.received_at,
            "filed_at": now,
            "opendsr": filing.opendsr,
            "body_digest": filing.body_digest,
            "entered_by": filing.entered_by,
            "target_on": due_on(filing.received_at),
            "due_on": due_on(filing.received_at),
            "email": filing.email,
            "identifiers": identifiers,
            "subjects": filing.subjects,
            "subject_count": len(filing.subjects) or 1,
            "subject_keys": context.subject_keys(found_by),
            "verified_at": now if filing.is_known else None,
            "wake_at": after(now, seconds=context.limits.wake_seconds),
        }
    )


def _letters(request: SubjectRequest, now: datetime) -> list[LetterDocument]:
    """Return the letter that asks to confirm the address, where one of the rights needs it."""
    if request.verified_at is not None or IMMEDIATE.issuperset(request.rights):
        return []
    return [
        LetterDocument(
            id=f"letter-{LetterKind.VERIFY}-0",
            request_id=request.request_id,
            kind=LetterKind.VERIFY,
            created_at=now,
        )
    ]
