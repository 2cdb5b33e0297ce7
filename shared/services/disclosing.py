"""Write into the ledger what a recipient received of a person. Source: policy 2.2.1, 3.1; GDPR 15(1)(c)."""

from collections.abc import Iterable

from shared.domain.cases import SubjectRequest
from shared.domain.times import utc_text
from shared.services.context import Context

CUSTOMER = "customer"


async def disclose(context: Context, request: SubjectRequest, store_ids: Iterable[str]) -> None:
    """Note what an answer tells somebody else about this person. A second call changes nothing.

    Only what goes to another than the person is a disclosure. A customer learns how many records a store of
    its installation holds, or that something was done there. The row stands under each pseudonym of the
    person, so that the person finds it from any address.
    """
    customer_id = request.scope.customer_id
    if customer_id is None or not request.requester.standing(request.right).disclosure:
        return
    for key in request.subject_keys:
        await context.own_records.put(
            "disclosures",
            {
                "id": f"customer-{request.request_id}-{request.right}",
                "subject_key": key,
                "recipient": CUSTOMER,
                "purpose": "request of the customer for its installation",
                "fields": [f"{store_id} (count)" for store_id in sorted(store_ids)],
                "reference": customer_id,
                "disclosed_at": utc_text(context.clock.now()),
                "clause": "4.2.1",
            },
        )
