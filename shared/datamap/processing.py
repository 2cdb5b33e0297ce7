"""May a person's data be used for this purpose, in this way, now? Pure: map and controls in, answer out.

The rules are asked from the most protective on; the first that denies gives the reason.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from shared.datamap.models import NOT_STATED, Activity, DataMap, Frozen, Purpose, Text
from shared.domain.consent import consent_in_force
from shared.domain.controls import Controls, Objection
from shared.domain.errors import Invalid
from shared.domain.policy_versions import consent_covers

RETARGETING = "retargeting_unnamed"
"""The recipient of audiences. Its entry of the map gets a name once there is somebody."""


class Operation(StrEnum):
    """What a system is about to do with a person's data."""

    STORE = "store"  # keep it, or take more in
    USE = "use"  # anything that has no name of its own here
    MAIL = "mail"
    PROFILE = "profile"
    REPORT = "report"  # statistics, and reports to a customer
    RETARGET = "retarget"  # put into an audience for marketing elsewhere
    SHIP = "ship"  # hand to a carrier
    SUPPORT = "support"  # look somebody up
    ERASE = "erase"  # deletion by schedule


_UNDER_THE_EXCEPTION = frozenset({Operation.MAIL, Operation.STORE})
"""What a purchase allows without a consent: mail about similar goods, and the address for it, no profile.

Source: Danish Marketing Practices Act § 10(2).
"""


class ProcessingDecision(Frozen):
    """The answer. `clause` is the policy's; `until` is the day to ask anew, None where none is known."""

    allowed: bool
    code: str
    reason: Text
    clause: str
    until: date | None = None


_ALLOWED = Text(
    en="Nothing stands against this use.",
    da="Intet er til hinder for denne brug.",
)
_BASIS_NOT_STATED = Text(
    en="Nothing stands against this use, but no legal basis is recorded for it.",
    da="Intet er til hinder for denne brug, men der er ikke registreret noget retsgrundlag for den.",
)
_DENIED = {
    "restricted": (
        "4.5",
        Text(
            en="Processing is restricted: the data is stored, neither used nor erased.",
            da="Behandlingen er begrænset: oplysningerne opbevares og må hverken bruges eller slettes.",
        ),
    ),
    "held": (
        "5.3",
        Text(
            en="A hold stands: the data is kept for its ground alone, neither used nor erased.",
            da="Sletningen er sat i bero: oplysningerne bevares kun af den grund og må hverken bruges eller "
            "slettes.",
        ),
    ),
    "marketing_objection": (
        "4.7.1",
        Text(
            en="The person objected to direct marketing.",
            da="Personen har gjort indsigelse mod direkte markedsføring.",
        ),
    ),
    "objected": (
        "4.7.2",
        Text(
            en="The person objected to this use, and the objection was upheld.",
            da="Personen har gjort indsigelse mod denne brug, og indsigelsen er taget til følge.",
        ),
    ),
    "no_consent": (
        "4.8",
        Text(
            en="There is no consent to this purpose that counts.",
            da="Der er intet gældende samtykke til dette formål.",
        ),
    ),
    "consent_not_covering": (
        "8.1",
        Text(
            en="The consent was given to a version of the policy that did not name this purpose.",
            da="Samtykket blev givet til en version af politikken, der ikke nævnte dette formål.",
        ),
    ),
    "recipient_unnamed": (
        "3.2",
        Text(
            en="It is not recorded who would receive the data.",
            da="Det er ikke registreret, hvem der ville modtage oplysningerne.",
        ),
    ),
    "recipient_without_contract": (
        "3.2",
        Text(
            en="No contract is recorded with the processor that would receive the data.",
            da="Der er ikke registreret nogen aftale med den databehandler, der ville modtage oplysningerne.",
        ),
    ),
}
CODES = ("allowed", "basis_not_stated", *_DENIED)


def decide(
    datamap: DataMap, controls: Controls, purpose_id: str, operation: Operation, *, now: datetime
) -> ProcessingDecision:
    """Decide about one person's data for one purpose.

    Restrictions and holds forbid all but storing. What ends a purpose (an objection, a consent that is
    missing) forbids all but erasing: the data goes, also where it was only for that.
    Source: GDPR articles 6, 7, 18, 21; policy 3.2, 4.5, 4.7, 4.8, 5.3.

    Raises:
        Invalid: `purpose_unknown`: the map has no such purpose.
    """
    activity, purpose = known_purpose(datamap, purpose_id)
    denied = _kept_apart(controls, activity, purpose, operation)
    if denied is None and operation is not Operation.ERASE:
        denied = _ended(datamap, controls, activity, purpose, operation, now) or _nobody(datamap, operation)
    if denied is not None:
        clause, reason = _DENIED[denied]
        until = _review_on(controls, activity) if denied == "held" else None
        return ProcessingDecision(allowed=False, code=denied, reason=reason, clause=clause, until=until)
    if not activity.legal_basis.supported:
        return ProcessingDecision(
            allowed=True, code="basis_not_stated", reason=_BASIS_NOT_STATED, clause=purpose.clause
        )
    return ProcessingDecision(allowed=True, code="allowed", reason=_ALLOWED, clause=purpose.clause)


def known_purpose(datamap: DataMap, purpose_id: str) -> tuple[Activity, Purpose]:
    """Return a purpose with its activity.

    Raises:
        Invalid: `purpose_unknown`.
    """
    try:
        return datamap.purpose(purpose_id)
    except KeyError:
        known = ", ".join(one.id for activity in datamap.activities for one in activity.purposes)
        raise Invalid("purpose_unknown", f"choose from: {known}", field="purpose") from None


def with_marks_of(controls: Controls, everything: Iterable[Controls]) -> Controls:
    """Return controls with what stands under any pseudonym of the person against a use.

    Consents are not gathered: one that was given for an address is for that address.
    """
    found = tuple(everything)
    withdrawn = [one.withdrawn_at for one in (controls, *found) if one.withdrawn_at is not None]
    return controls.model_copy(
        update={
            "holds": tuple(hold for one in found for hold in one.holds),
            "restrictions": tuple(mark for one in found for mark in one.restrictions),
            "objections": tuple(mark for one in found for mark in one.objections),
            "withdrawn_at": max(withdrawn, default=None),
            "withdrawals": tuple(end for one in found for end in one.withdrawals),
        }
    )


def _kept_apart(controls: Controls, activity: Activity, purpose: Purpose, operation: Operation) -> str | None:
    """Return why the data may only be stored, if so."""
    if operation is Operation.STORE:
        return None
    erases = operation is Operation.ERASE
    if any(
        one.covers(activity.id) if erases else one.forbids(activity.id, purpose.id)
        for one in controls.restrictions
    ):
        return "restricted"
    return "held" if any(hold.covers(activity.id) for hold in controls.holds) else None


def _ended(
    datamap: DataMap,
    controls: Controls,
    activity: Activity,
    purpose: Purpose,
    operation: Operation,
    now: datetime,
) -> str | None:
    """Return why the purpose has ended for this person, or never began."""
    counting = controls if operation in _UNDER_THE_EXCEPTION else _without_exceptions(controls)
    consent = consent_in_force(_covering(datamap, counting, purpose), purpose.id, now=now)
    markets = purpose.marketing or operation is Operation.RETARGET
    if markets and controls.stops_marketing and consent is None:
        return "marketing_objection"
    if any(_reaches(datamap, one, activity, purpose) for one in controls.objections):
        return "objected"
    # A letter of article 6 never opens the gate for marketing by mail: Danish Marketing Practices Act § 10.
    needed = purpose.needs_consent or (purpose.marketing and operation is Operation.MAIL)
    if not needed or consent is not None:
        return None
    given = consent_in_force(counting, purpose.id, now=now) is not None
    return "consent_not_covering" if given else "no_consent"


def _covering(datamap: DataMap, controls: Controls, purpose: Purpose) -> Controls:
    """Return controls without consents to versions of the policy that did not name the purpose yet.

    One whose version was never recorded stays. Source: GDPR articles 6(1)(a), 7(1); policy 8.1.
    """
    versions = datamap.policy.versions
    covering = tuple(
        one
        for one in controls.consents
        if not one.policy_version or consent_covers(purpose.id, one.policy_version, versions)
    )
    return controls.model_copy(update={"consents": covering})


def _without_exceptions(controls: Controls) -> Controls:
    consents = tuple(one for one in controls.consents if one.basis == "consent")
    return controls.model_copy(update={"consents": consents})


def _reaches(datamap: DataMap, objection: Objection, activity: Activity, purpose: Purpose) -> bool:
    """Whether an upheld objection is about this purpose; one that names nothing is about all of letter f."""
    if objection.kind != "general" or not objection.in_force:
        return False
    if purpose.id in objection.purpose_ids:
        return True
    activity_ids = objection.activity_ids
    if not (activity_ids or objection.purpose_ids):
        activity_ids = datamap.on_interest()
    return activity.id in activity_ids and (not purpose.rests_on or "f" in purpose.rests_on)


def _nobody(datamap: DataMap, operation: Operation) -> str | None:
    """Return why there is nobody to give the data to, if so."""
    if operation is not Operation.RETARGET:
        return None
    for recipient in datamap.recipients:
        if recipient.id == RETARGETING and recipient.name != NOT_STATED:
            return "recipient_without_contract" if recipient.contract_ref == NOT_STATED else None
    return "recipient_unnamed"


def _review_on(controls: Controls, activity: Activity) -> date:
    """Return when the last of the holds is reviewed."""
    return max(hold.review_on for hold in controls.holds if hold.covers(activity.id))
