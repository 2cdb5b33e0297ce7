"""Who may ask for what: the person, a customer for its installations, a representative with a mandate.

Staff are no requesters: what they enter is the request of the person, customer or representative they name.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.domain.rights import Right


class RequesterKind(StrEnum):
    """Who asks. A customer is an administrator of an installation, proven by the role of the account."""

    SUBJECT = "subject"
    CUSTOMER = "customer"
    REPRESENTATIVE = "representative"


class Verdict(StrEnum):
    """What becomes of a right that is asked for."""

    ALLOWED = "allowed"
    INSTALLATION_ONLY = "installation_only"  # usage, cloud, licence and order data of that customer only
    REFUSED = "refused"  # to the one who asks; the person keeps the right
    HINT = "hint"  # no request: recorded for the controller, who may act on it


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one kind of requester may have of one right.

    `code` is there when the verdict is REFUSED or HINT, and None otherwise. INSTALLATION_ONLY never reaches
    author, community, newsletter, consent, complaint or request data, nor what the person has at another
    customer.

    - `gives_copy`: the answer may come with a copy of the data, not only with information on it.
    - `tells_subject`: the person is told what was done at the customer's wish.
    - `asks_subject`: where it contradicts what the person said, the data is restricted and the person asked.
    - `keeps_consents`: what the person consented to goes on.
    - `disclosure`: the answer tells the customer about the person, who later sees it in the ledger. An answer
      that goes to the person alone needs no entry.
    """

    verdict: Verdict
    code: str | None = None
    gives_copy: bool = False
    tells_subject: bool = False
    asks_subject: bool = False
    keeps_consents: bool = False
    disclosure: bool = False


def _no(code: str, verdict: Verdict = Verdict.REFUSED) -> Standing:
    return Standing(verdict=verdict, code=code)


_YES = Standing(verdict=Verdict.ALLOWED)
_COPY = Standing(verdict=Verdict.ALLOWED, gives_copy=True)
_INSTALLATION = Standing(verdict=Verdict.INSTALLATION_ONLY, disclosure=True)
_NO_MANDATE = _no("mandate_missing")
_NO_CASE = _no("complaint_is_the_persons")

# The person, then a customer without a mandate of the person. Source: policy 4.2.1-4.9.1, GDPR 4(1), 15(4).
_TABLE: dict[Right, tuple[Standing, Standing]] = {
    Right.ACCESS: (_COPY, _INSTALLATION),
    Right.PORTABILITY: (_COPY, _no("copy_is_the_persons")),
    Right.RECTIFICATION: (_YES, replace(_INSTALLATION, tells_subject=True, asks_subject=True)),
    Right.ERASURE: (_YES, replace(_INSTALLATION, tells_subject=True)),
    Right.RESTRICTION: (_YES, _INSTALLATION),
    Right.OBJECTION: (_YES, _no("objection_is_the_persons", Verdict.HINT)),
    Right.MARKETING_OBJECTION: (_YES, replace(_INSTALLATION, keeps_consents=True)),
    Right.WITHDRAWAL: (_YES, _no("consent_is_the_persons")),
    Right.COMPLAINT: (_YES, _NO_CASE),
}


def standing(kind: RequesterKind, right: Right, *, has_mandate: bool) -> Standing:
    """Return what this requester may have of this right.

    `has_mandate`: the person's written mandate was checked; it means nothing for the person. With it a
    customer or a representative has what the person has, but a customer's complaint is no case. Without it a
    representative has nothing: ask for the mandate before a person decides to refuse.

    Source: policy 4.2.1-4.9.1; GDPR chapter III.
    """
    person, customer = _TABLE[right]
    if kind is RequesterKind.SUBJECT:
        return person
    if kind is RequesterKind.REPRESENTATIVE:
        return person if has_mandate else _NO_MANDATE
    if not has_mandate or right is Right.COMPLAINT:
        return customer
    return replace(person, disclosure=True)
