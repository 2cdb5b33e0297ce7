"""Who may ask for what."""

import itertools

import pytest

from shared.domain.rights import IMMEDIATE, Right
from shared.domain.standing import RequesterKind, Standing, Verdict, standing

ALL = list(itertools.product(RequesterKind, Right, (True, False)))
OF_CUSTOMER = {
    Right.ACCESS: Verdict.INSTALLATION_ONLY,
    Right.RECTIFICATION: Verdict.INSTALLATION_ONLY,
    Right.ERASURE: Verdict.INSTALLATION_ONLY,
    Right.RESTRICTION: Verdict.INSTALLATION_ONLY,
    Right.PORTABILITY: Verdict.REFUSED,
    Right.OBJECTION: Verdict.HINT,
    Right.MARKETING_OBJECTION: Verdict.INSTALLATION_ONLY,
    Right.WITHDRAWAL: Verdict.REFUSED,
    Right.COMPLAINT: Verdict.REFUSED,
}


def _of_customer(right, *, has_mandate=False):
    return standing(RequesterKind.CUSTOMER, right, has_mandate=has_mandate)


@pytest.mark.parametrize("has_mandate", [True, False])
@pytest.mark.parametrize("right", list(Right))
def test_the_person_may_ask_for_everything(right, has_mandate):
    """Nobody else is told, and no mandate plays a part."""
    copies = right in (Right.ACCESS, Right.PORTABILITY)
    found = standing(RequesterKind.SUBJECT, right, has_mandate=has_mandate)
    assert found == Standing(verdict=Verdict.ALLOWED, gives_copy=copies)


@pytest.mark.parametrize("right", list(Right))
def test_a_customer_without_a_mandate_has_what_the_policy_says(right):
    """Its installation, a refusal or a hint; never everything."""
    assert _of_customer(right).verdict is OF_CUSTOMER[right]


@pytest.mark.clause("4.2.1")
def test_a_customer_is_informed_of_its_installation_and_gets_no_copy():
    """The person later sees that it was told."""
    found = _of_customer(Right.ACCESS)
    assert found == Standing(verdict=Verdict.INSTALLATION_ONLY, disclosure=True)
    assert not found.gives_copy


@pytest.mark.clause("4.6.1")
def test_a_customer_gets_no_portable_copy():
    """The person is the one to ask."""
    found = _of_customer(Right.PORTABILITY)
    assert found.code == "copy_is_the_persons"


@pytest.mark.clause("4.3.1")
def test_a_correction_by_a_customer_never_outvotes_the_person():
    """The person is told, and asked where the two disagree."""
    found = _of_customer(Right.RECTIFICATION)
    assert (found.tells_subject, found.asks_subject) == (True, True)


@pytest.mark.clause("4.4.1")
def test_the_person_is_told_of_an_erasure_a_customer_asked_for():
    """Only the installation's data goes."""
    found = _of_customer(Right.ERASURE)
    assert (found.verdict, found.tells_subject) == (Verdict.INSTALLATION_ONLY, True)


@pytest.mark.clause("4.7.1")
def test_a_customer_cannot_take_back_what_the_person_consented_to():
    """It stops the mail to its installation's addresses that rests on letter f."""
    found = _of_customer(Right.MARKETING_OBJECTION)
    assert (found.verdict, found.keeps_consents) == (Verdict.INSTALLATION_ONLY, True)
    assert _of_customer(Right.WITHDRAWAL).code == "consent_is_the_persons"


@pytest.mark.clause("4.7.2")
def test_an_objection_by_a_customer_is_a_hint():
    """Article 21(1) asks for the person's own situation."""
    assert _of_customer(Right.OBJECTION).code == "objection_is_the_persons"


@pytest.mark.parametrize("right", sorted(set(Right) - {Right.COMPLAINT}))
def test_a_customer_with_a_mandate_has_what_the_person_has(right):
    """As the mandate says, and what it is told is a disclosure."""
    found = _of_customer(right, has_mandate=True)
    copies = right in (Right.ACCESS, Right.PORTABILITY)
    assert found == Standing(verdict=Verdict.ALLOWED, disclosure=True, gives_copy=copies)


@pytest.mark.clause("4.9")
@pytest.mark.parametrize("has_mandate", [True, False])
def test_a_complaint_of_a_customer_is_no_case(has_mandate):
    """To complain to the authority is the person's own right."""
    found = _of_customer(Right.COMPLAINT, has_mandate=has_mandate)
    assert (found.verdict, found.code) == (Verdict.REFUSED, "complaint_is_the_persons")


@pytest.mark.parametrize("right", list(Right))
def test_a_representative_needs_a_mandate(right):
    """With it the right is the person's, without it there is none."""
    without = standing(RequesterKind.REPRESENTATIVE, right, has_mandate=False)
    with_it = standing(RequesterKind.REPRESENTATIVE, right, has_mandate=True)
    assert (without.verdict, without.code) == (Verdict.REFUSED, "mandate_missing")
    assert (with_it.verdict, with_it.disclosure) == (Verdict.ALLOWED, False)


@pytest.mark.parametrize(("kind", "right", "has_mandate"), ALL)
def test_every_no_has_a_code_and_nothing_else_has(kind, right, has_mandate):
    """Whoever is refused learns why."""
    found = standing(kind, right, has_mandate=has_mandate)
    says_no = found.verdict in (Verdict.REFUSED, Verdict.HINT)
    assert (found.code is not None) == says_no


@pytest.mark.parametrize(("kind", "right", "has_mandate"), ALL)
def test_what_a_customer_is_told_is_a_disclosure(kind, right, has_mandate):
    """A refusal tells nothing, and the person is no recipient of their own data."""
    found = standing(kind, right, has_mandate=has_mandate)
    answers = found.verdict in (Verdict.ALLOWED, Verdict.INSTALLATION_ONLY)
    assert found.disclosure is (answers and kind is RequesterKind.CUSTOMER)


@pytest.mark.parametrize(("kind", "right", "has_mandate"), ALL)
def test_only_customers_are_kept_to_an_installation(kind, right, has_mandate):
    """And only while they have no mandate."""
    if standing(kind, right, has_mandate=has_mandate).verdict is Verdict.INSTALLATION_ONLY:
        assert (kind, has_mandate) == (RequesterKind.CUSTOMER, False)


def test_staff_are_no_requesters():
    """They enter what somebody else asked for."""
    assert list(RequesterKind) == ["subject", "customer", "representative"]


@pytest.mark.clause("4.8.1")
def test_what_harms_nobody_needs_no_identity():
    """Withdrawal, objection to marketing and complaint; every other right does."""
    assert {Right.WITHDRAWAL, Right.MARKETING_OBJECTION, Right.COMPLAINT} == IMMEDIATE
