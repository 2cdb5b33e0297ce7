"""May a person's data go to this recipient, for this purpose, now? Pure: map and controls in, answer out.

Who receives it is asked first, since no person's choice makes up for a recipient that is not named or has no
contract; then whether it may be used at all.
"""

from datetime import datetime

from shared.datamap.models import NOT_STATED, DataMap, Recipient, Text
from shared.datamap.processing import RETARGETING, Operation, ProcessingDecision, decide, known_purpose
from shared.domain.controls import Controls
from shared.domain.errors import Invalid

_DENIED = {
    "recipient_unnamed": Text(
        en="It is not recorded who would receive the data.",
        da="Det er ikke registreret, hvem der ville modtage oplysningerne.",
    ),
    "contract_missing": Text(
        en="No contract is recorded with the processor that would receive the data.",
        da="Der er ikke registreret nogen aftale med den databehandler, der ville modtage oplysningerne.",
    ),
    "recipient_unfit": Text(
        en="This recipient does not receive data for this purpose.",
        da="Denne modtager får ikke oplysninger til dette formål.",
    ),
    "id_used": Text(
        en="The id was used for another sending about this person.",
        da="Id'et er brugt til en anden videregivelse om denne person.",
    ),
}
CODES = tuple(_DENIED)


def known_recipient(datamap: DataMap, recipient_id: str) -> Recipient:
    """Return a recipient of the map.

    Raises:
        Invalid: `recipient_unknown`: whoever receives data is entered in the map first.
    """
    for recipient in datamap.recipients:
        if recipient.id == recipient_id:
            return recipient
    known = ", ".join(one.id for one in datamap.recipients)
    raise Invalid("recipient_unknown", f"choose from: {known}", field="recipient")


def refused(recipient: Recipient, code: str) -> ProcessingDecision:
    """Return that nothing may go to a recipient, for one of `CODES`."""
    return ProcessingDecision(allowed=False, code=code, reason=_DENIED[code], clause=recipient.clause)


def decide_handing_on(
    datamap: DataMap, controls: Controls, recipient_id: str, purpose_id: str, *, now: datetime
) -> ProcessingDecision:
    """Decide whether one person's data may go to one recipient for one purpose.

    Source: policy 3.1, 3.2; GDPR articles 5(1)(b), 28(3), and those of `decide`.

    Raises:
        Invalid: `recipient_unknown` or `purpose_unknown`.
    """
    recipient = known_recipient(datamap, recipient_id)
    activity, purpose = known_purpose(datamap, purpose_id)
    denied = None
    if recipient.name == NOT_STATED:
        denied = "recipient_unnamed"
    elif recipient.kind == "processor" and recipient.contract_ref == NOT_STATED:
        denied = "contract_missing"
    elif recipient.id not in activity.recipients or (
        recipient.purposes and purpose.id not in recipient.purposes
    ):
        denied = "recipient_unfit"
    if denied is not None:
        return refused(recipient, denied)
    return decide(datamap, controls, purpose_id, operation_of(datamap, recipient_id, purpose_id), now=now)


def operation_of(datamap: DataMap, recipient_id: str, purpose_id: str) -> Operation:
    """Return what handing data to this recipient is, as the rules of processing know it.

    Raises:
        Invalid: `recipient_unknown` or `purpose_unknown`.
    """
    recipient = known_recipient(datamap, recipient_id)
    _, purpose = known_purpose(datamap, purpose_id)
    if recipient.id == RETARGETING:
        return Operation.RETARGET
    if recipient.kind == "controller":
        return Operation.SHIP
    if recipient.kind == "customer":
        return Operation.REPORT
    return Operation.MAIL if purpose.marketing else Operation.USE
