"""What a customer's administrator may ask for about a person of its installation. Source: policy 4.2.1-4.9.1.

Only records of that customer are reached; what the person has elsewhere stays out of sight. Every answer is
a disclosure that the person later sees.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.datamap.models import DocumentStore
from shared.datamap.treatment import found_identifiers, value_at
from shared.domain.customer_names import parse_customer_name
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.identifiers import EMAIL, Identifiers, merged, parse_email
from shared.domain.rights import Right
from shared.domain.standing import RequesterKind, Standing, Verdict, standing
from shared.domain.wishes import Requester, Scope, Wishes
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file
from shared.services.intake import count
from shared.services.resolving import resolve
from shared.services.wishing import checked_wishes

USER = "user_id"


@dataclass(frozen=True, kw_only=True)
class CustomerAsk:
    """A right a customer's administrator asks for. `kind` and `value`: whom it is about.

    `answer_to`: the administrator's address. `entered_by`: the administrator's account, by id.
    """

    customer_id: str
    customer_name: str
    right: Right
    kind: Literal["user_id", "email"]
    value: str
    answer_to: str
    language: Literal["en", "da"]
    entered_by: str
    wishes: Wishes = field(default_factory=Wishes)


async def ask_for_person(context: Context, ask: CustomerAsk) -> str:
    """Put a customer's request on file and return its id; an objection only as a hint for a person.

    Raises:
        NotAllowed: `copy_is_the_persons`, `consent_is_the_persons` or `complaint_is_the_persons`: point to
            the person, who keeps the right.
            `too_many_requests`: of this customer in the last hour.
        Invalid: `value_invalid`, `email_invalid`, `customer_name_unfit`, or what `checked_wishes` refuses.
    """
    allowed = standing(RequesterKind.CUSTOMER, ask.right, has_mandate=False)
    if allowed.verdict is Verdict.REFUSED:
        raise NotAllowed(allowed.code or "not_allowed", "the person has this right; point the person to us")
    value = parse_email(ask.value) if ask.kind == EMAIL else ask.value.strip()
    if not value:
        raise Invalid("value_invalid", "name the person by a user id or an address", field="value")
    name = parse_customer_name(ask.customer_name)
    known: Identifiers = {ask.kind: (value,)}
    request_id = secrets.token_hex(16)
    await count(context, f"customer-{ask.customer_id}", context.limits.requests_per_client_hour)
    await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=(ask.right,),
            language=ask.language,
            channel="customer",
            email=parse_email(ask.answer_to),
            received_at=context.clock.now(),
            identifiers=await _at_customer(context, known, ask.customer_id),
            requester=Requester(kind="customer", customer_id=ask.customer_id, customer_name=name),
            scope=Scope(customer_id=ask.customer_id),
            wishes=await _telling(context, allowed, known, checked_wishes(context, ask.wishes)),
            is_known=True,
            entered_by=ask.entered_by,
        ),
    )
    return request_id


async def _at_customer(context: Context, known: Identifiers, customer_id: str) -> dict[str, tuple[str, ...]]:
    """Return the identifiers of the person that belong to this customer: its installations, no other."""
    found = {kind: tuple(values) for kind, values in known.items()}
    for _, store in context.datamap.stores():
        if not isinstance(store, DocumentStore) or not store.locator or store.customer_path is None:
            continue
        cursor: str | None = None
        while True:
            page = await context.documents.page(
                store, known, cursor=cursor, limit=context.limits.page_documents
            )
            for document in page.documents:
                if value_at(document.body, store.customer_path) == customer_id:
                    found = merged(found, _shared_only(context, document.body, store))
            cursor = page.cursor
            if cursor is None:
                break
    return found


def _shared_only(context: Context, body: Mapping[str, object], store: DocumentStore) -> list[tuple[str, str]]:
    """Return installations a record names; an identifier of the person alone would lead elsewhere."""
    found, _ = found_identifiers(body, store.fields)
    return [(kind, value) for kind, value in found if context.datamap.identifier(kind).shared]


async def _telling(context: Context, allowed: Standing, known: Identifiers, wishes: Wishes) -> Wishes:
    """Return the wishes with the person's own address, where the person has to be told."""
    if not allowed.tells_subject:
        return wishes
    resolved = await resolve(context, known)
    addresses = resolved.identifiers.get(EMAIL, ())
    return wishes.model_copy(update={"tell": addresses[0] if addresses else None})
