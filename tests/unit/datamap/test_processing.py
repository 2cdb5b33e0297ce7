"""What may be done with a person's data: every rule with every operation, on the shipped map."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datamap.loader import load
from shared.datamap.models import DataMap
from shared.datamap.processing import CODES, RETARGETING, Operation, decide, with_marks_of
from shared.domain.controls import Consent, Controls, Hold, Objection, Restriction
from shared.domain.errors import Invalid

MAP = load()
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
REVIEW = date(2027, 5, 1)
EVERY = tuple(Operation)
PURPOSES = tuple(purpose.id for activity in MAP.activities for purpose in activity.purposes)
NEITHER = (Operation.STORE, Operation.ERASE)


def named_recipient(**changes) -> DataMap:
    """Return the map with somebody behind retargeting, under a contract."""
    known = {"name": "An advertiser", "contract_ref": "contract 1", **changes}
    recipients = tuple(
        one.model_copy(update=known) if one.id == RETARGETING else one for one in MAP.recipients
    )
    return MAP.model_copy(update={"recipients": recipients})


OPEN = named_recipient()  # so that retargeting is denied by the rule under test alone


def controls(*marks) -> Controls:
    """Return controls with these marks; a moment is the latest withdrawal."""
    kinds = {Hold: "holds", Restriction: "restrictions", Objection: "objections", Consent: "consents"}
    found = {name: tuple(one for one in marks if isinstance(one, kind)) for kind, name in kinds.items()}
    moments = [one for one in marks if isinstance(one, datetime)]
    return Controls(subject_key="k1-a", withdrawn_at=max(moments, default=None), **found)


def restriction(**changes) -> Restriction:
    return Restriction(**{"restriction_id": "r", "ground": "accuracy", "placed_at": NOW - DAY, **changes})


def hold(**changes) -> Hold:
    fields = {"hold_id": "h", "activity_id": None, "ground": "legal_claim", "reason": "a dispute"}
    return Hold(**{**fields, "placed_at": NOW - DAY, "review_on": REVIEW, **changes})


def objection(kind="general", **changes) -> Objection:
    return Objection(**{"objection_id": "o", "kind": kind, "placed_at": NOW - DAY, **changes})


def consent(purpose_id="member_newsletter", **changes) -> Consent:
    fields = {"consent_id": "c", "purpose_id": purpose_id, "given_at": NOW - 2 * DAY, "policy_version": "1"}
    return Consent(**{**fields, **changes})


def codes(found: Controls, purpose_id: str, datamap: DataMap = OPEN) -> dict[Operation, str]:
    """Return the code of every operation."""
    return {one: decide(datamap, found, purpose_id, one, now=NOW).code for one in EVERY}


def versioned(*, named_in: str | None) -> DataMap:
    """Return the map with a second version of the policy, which names a purpose where it is told to."""
    first, second = MAP.policy.versions[0].number, "second"
    new = {number: ("member_newsletter",) if named_in == number else () for number in (first, second)}
    versions = [
        MAP.policy.versions[0].model_copy(
            update={"number": number, "valid_from": day, "valid_to": None, "new_purposes": new[number]}
        )
        for number, day in ((first, date(2020, 1, 1)), (second, date(2026, 1, 1)))
    ]
    policy = MAP.policy.model_copy(update={"versions": tuple(versions)})
    return OPEN.model_copy(update={"policy": policy})


def all_but(allowed, code, otherwise="allowed") -> dict[Operation, str]:
    """Return what is expected when only some operations are allowed."""
    return {one: otherwise if one in allowed else code for one in EVERY}


MARKETING = objection("marketing")
GENERAL = objection(activity_ids=("usage",))
ON_PURPOSE = objection(purpose_ids=("customer_analysis",))
TABLE = {
    "nothing": ((), "customer_analysis", all_but(EVERY, "")),
    "nothing, and no basis on record": ((), "licence_administration", all_but(EVERY, "", "basis_not_stated")),
    "restricted": ((restriction(),), "customer_analysis", all_but([Operation.STORE], "restricted")),
    "restricted in this activity": (
        (restriction(activity_ids=("usage",)),),
        "customer_analysis",
        all_but([Operation.STORE], "restricted"),
    ),
    "restricted for this purpose: it may still go when its time is up": (
        (restriction(purpose_ids=("customer_analysis",)),),
        "customer_analysis",
        all_but(NEITHER, "restricted"),
    ),
    "restricted elsewhere": (
        (restriction(activity_ids=("members",), purpose_ids=("streamlining",)),),
        "customer_analysis",
        all_but(EVERY, ""),
    ),
    "restricted until yesterday": (
        (restriction(lifted_at=NOW - DAY),),
        "customer_analysis",
        all_but(EVERY, ""),
    ),
    "held": ((hold(),), "customer_analysis", all_but([Operation.STORE], "held")),
    "held in this activity": (
        (hold(activity_id="licences"),),
        "licence_administration",
        all_but([Operation.STORE], "held", "basis_not_stated"),
    ),
    "held elsewhere": ((hold(activity_id="licences"),), "delivery", all_but(EVERY, "")),
    "held until yesterday": ((hold(released_at=NOW - DAY),), "delivery", all_but(EVERY, "")),
    "restricted and held": (
        (restriction(), hold()),
        "delivery",
        all_but([Operation.STORE], "restricted"),
    ),
    "no marketing, asked for marketing": (
        (MARKETING,),
        "targeted_marketing",
        all_but([Operation.ERASE], "marketing_objection"),
    ),
    "no marketing, asked for a newsletter agreed to before": (
        (MARKETING, consent()),
        "member_newsletter",
        all_but([Operation.ERASE], "marketing_objection"),
    ),
    "no marketing, asked for another purpose": (
        (MARKETING,),
        "membership",
        {one: "marketing_objection" if one is Operation.RETARGET else "allowed" for one in EVERY},
    ),
    "no marketing, ended": (
        (objection("marketing", ended_at=NOW),),
        "membership",
        all_but(EVERY, ""),
    ),
    "no marketing, signed up anew since": (
        (MARKETING, consent(given_at=NOW)),
        "member_newsletter",
        all_but(EVERY, ""),
    ),
    "no marketing, signed up anew for something else": (
        (MARKETING, consent("author_newsletter", given_at=NOW)),
        "targeted_marketing",
        all_but([Operation.ERASE], "marketing_objection"),
    ),
    "objected to the activity": ((GENERAL,), "customer_analysis", all_but([Operation.ERASE], "objected")),
    "objected to the purpose": ((ON_PURPOSE,), "customer_analysis", all_but([Operation.ERASE], "objected")),
    "objected to another purpose": ((ON_PURPOSE,), "user_experience", all_but(EVERY, "")),
    "objected to all of letter f": ((objection(),), "streamlining", all_but([Operation.ERASE], "objected")),
    "objected to all of letter f, asked for the contract": ((objection(),), "membership", all_but(EVERY, "")),
    "objected to all of letter f, asked beside the contract": (
        (objection(),),
        "member_benefits",
        all_but([Operation.ERASE], "objected"),
    ),
    "objected until yesterday": (
        (objection(activity_ids=("usage",), ended_at=NOW - DAY),),
        "customer_analysis",
        all_but(EVERY, ""),
    ),
    "consent to a version of the policy nobody knows": (
        (consent(policy_version="unheard of"),),
        "member_newsletter",
        all_but([Operation.ERASE], "consent_not_covering"),
    ),
    "no consent to a newsletter": ((), "author_newsletter", all_but([Operation.ERASE], "no_consent")),
    "consent to another newsletter": (
        (consent("author_newsletter"),),
        "member_newsletter",
        all_but([Operation.ERASE], "no_consent"),
    ),
    "consent": ((consent(),), "member_newsletter", all_but(EVERY, "")),
    "consent withdrawn": (
        (consent(withdrawn_at=NOW - DAY),),
        "member_newsletter",
        all_but([Operation.ERASE], "no_consent"),
    ),
    "a withdrawal since the consent": (
        (consent(), NOW - DAY),
        "member_newsletter",
        all_but([Operation.ERASE], "no_consent"),
    ),
    "marketing on letter f: no mail of it": (
        (),
        "targeted_marketing",
        {one: "no_consent" if one is Operation.MAIL else "allowed" for one in EVERY},
    ),
    "marketing with consent": ((consent("targeted_marketing"),), "targeted_marketing", all_but(EVERY, "")),
}


@pytest.mark.clause("4.5", "4.7", "4.7.1", "4.7.2", "4.8", "5.3")
@pytest.mark.parametrize("operation", EVERY)
@pytest.mark.parametrize("row", list(TABLE))
def test_each_rule_answers_each_operation(row, operation):
    """Restrictions and holds leave storing, what ends a purpose leaves erasing."""
    marks, purpose_id, expected = TABLE[row]
    found = decide(OPEN, controls(*marks), purpose_id, operation, now=NOW)
    assert found.code == expected[operation]
    assert found.allowed == (found.code in ("allowed", "basis_not_stated"))


def test_every_code_is_given_somewhere():
    """None is dead, and none is missing from the table."""
    given = {code for _, _, expected in TABLE.values() for code in expected.values()}
    assert given | {"recipient_unnamed", "recipient_without_contract"} == set(CODES)


@pytest.mark.clause("3.2")
@pytest.mark.parametrize("purpose_id", PURPOSES)
def test_nobody_is_retargeted_while_the_recipient_is_unnamed(purpose_id):
    """As the policy ships."""
    agreed = controls(consent(purpose_id))
    assert codes(agreed, purpose_id, MAP)[Operation.RETARGET] == "recipient_unnamed"
    assert codes(agreed, purpose_id, OPEN)[Operation.RETARGET] in ("allowed", "basis_not_stated")


@pytest.mark.clause("3.2")
def test_a_named_recipient_needs_a_contract_too():
    """And one that is not in the map at all has no name."""
    unbound = named_recipient(contract_ref="not_stated")
    nobody = MAP.model_copy(update={"recipients": ()})
    assert codes(controls(), "membership", unbound)[Operation.RETARGET] == "recipient_without_contract"
    assert codes(controls(), "membership", nobody)[Operation.RETARGET] == "recipient_unnamed"


@pytest.mark.parametrize(
    ("given_at", "counts"),
    [(NOW - 2 * DAY, False), (NOW - DAY, False), (NOW - DAY + timedelta(microseconds=1), True)],
)
@pytest.mark.parametrize("mark", [NOW - DAY, MARKETING])
def test_a_consent_counts_when_it_is_later_than_the_no(mark, given_at, counts):
    """At the same moment the no counts."""
    found = controls(mark, consent(given_at=given_at))
    assert decide(MAP, found, "member_newsletter", Operation.MAIL, now=NOW).allowed is counts


@pytest.mark.parametrize(("microseconds", "counts"), [(-1, True), (0, True), (1, False)])
def test_a_consent_counts_from_its_moment_on(microseconds, counts):
    """None that lies ahead."""
    found = controls(consent(given_at=NOW + timedelta(microseconds=microseconds)))
    assert decide(MAP, found, "member_newsletter", Operation.MAIL, now=NOW).allowed is counts


def test_a_withdrawn_opt_in_leaves_the_older_objection_standing():
    """Back to no marketing at all."""
    found = controls(MARKETING, consent("targeted_marketing", given_at=NOW, withdrawn_at=NOW))
    assert decide(OPEN, found, "targeted_marketing", Operation.PROFILE, now=NOW).code == "marketing_objection"


def test_an_answer_names_the_clause_and_says_why_in_both_languages():
    """Every clause is one of the policy."""
    known = {clause.number for clause in MAP.policy.clauses}
    for marks, purpose_id, _ in TABLE.values():
        for operation in EVERY:
            found = decide(MAP, controls(*marks), purpose_id, operation, now=NOW)
            assert found.clause in known
            assert found.reason.en != found.reason.da
    assert decide(MAP, controls(restriction()), "delivery", Operation.SHIP, now=NOW).clause == "4.5"
    assert decide(MAP, controls(), "delivery", Operation.SHIP, now=NOW).clause == "3.1"


def test_a_hold_says_when_to_ask_anew():
    """The last review of those that stand here."""
    later = hold(hold_id="other", review_on=REVIEW + DAY)
    elsewhere = hold(hold_id="third", activity_id="members", review_on=REVIEW + 2 * DAY)
    found = decide(MAP, controls(hold(), later, elsewhere), "delivery", Operation.ERASE, now=NOW)
    assert (found.code, found.until) == ("held", REVIEW + DAY)
    assert decide(MAP, controls(restriction()), "delivery", Operation.USE, now=NOW).until is None


def test_a_purpose_the_map_does_not_have_is_no_answer():
    """Neither allowed nor denied."""
    with pytest.raises(Invalid) as caught:
        decide(MAP, controls(), "anything", Operation.USE, now=NOW)
    assert (caught.value.code, caught.value.field) == ("purpose_unknown", "purpose")


ACTIVITIES = st.sampled_from([one.id for one in MAP.activities])
SOME = st.lists(ACTIVITIES, max_size=2).map(tuple)
SOME_PURPOSES = st.lists(st.sampled_from(PURPOSES), max_size=2).map(tuple)
MOMENTS = st.integers(-5, 0).map(lambda days: NOW + days * DAY)
ENDS = st.none() | MOMENTS
NOES = st.one_of(
    st.builds(restriction, activity_ids=SOME, purpose_ids=SOME_PURPOSES, lifted_at=ENDS),
    st.builds(hold, activity_id=st.none() | ACTIVITIES, released_at=ENDS),
    st.builds(
        objection,
        st.sampled_from(["marketing", "general"]),
        activity_ids=SOME,
        purpose_ids=SOME_PURPOSES,
        placed_at=MOMENTS,
        ended_at=ENDS,
    ),
    MOMENTS,
)
CONSENTS = st.builds(consent, st.sampled_from(PURPOSES), given_at=MOMENTS, withdrawn_at=ENDS)
ASKED = st.tuples(st.sampled_from(PURPOSES), st.sampled_from(EVERY))


@given(marks=st.lists(NOES | CONSENTS, max_size=5), more=NOES, asked=ASKED)
def test_a_further_mark_never_turns_a_no_into_a_yes(marks, more, asked):
    """Only a consent can."""
    purpose_id, operation = asked
    if not decide(OPEN, controls(*marks), purpose_id, operation, now=NOW).allowed:
        assert not decide(OPEN, controls(*marks, more), purpose_id, operation, now=NOW).allowed


@given(marks=st.lists(NOES | CONSENTS, max_size=4), more=CONSENTS, asked=ASKED)
def test_a_consent_opens_its_own_purpose_alone_and_no_restriction_or_hold(marks, more, asked):
    """It takes nothing away from anybody either."""
    purpose_id, operation = asked
    before = decide(OPEN, controls(*marks), purpose_id, operation, now=NOW)
    after = decide(OPEN, controls(*marks, more), purpose_id, operation, now=NOW)
    if before != after:
        assert before.code in ("no_consent", "marketing_objection")
        assert more.purpose_id == purpose_id


@given(own=st.lists(NOES | CONSENTS, max_size=3), others=st.lists(NOES | CONSENTS, max_size=3), asked=ASKED)
def test_marks_of_other_pseudonyms_only_forbid(own, others, asked):
    """What is allowed with them is allowed without, and each of them alone allows it but for its consents."""
    purpose_id, operation = asked
    mine, theirs = controls(*own), controls(*others)
    together = decide(OPEN, with_marks_of(mine, (mine, theirs)), purpose_id, operation, now=NOW)
    if together.allowed:
        assert decide(OPEN, mine, purpose_id, operation, now=NOW).allowed
        bare = decide(OPEN, theirs, purpose_id, operation, now=NOW)
        assert bare.allowed or bare.code in ("no_consent", "marketing_objection")


COVERED = all_but(EVERY, "")
NOT_COVERED = all_but([Operation.ERASE], "consent_not_covering")
FIRST = MAP.policy.versions[0].number


@pytest.mark.clause("8.1", "4.8")
@pytest.mark.parametrize(
    ("given_to", "named_in", "expected"),
    [
        ((FIRST,), None, COVERED),
        ((FIRST,), FIRST, COVERED),
        ((FIRST,), "second", NOT_COVERED),
        (("second",), "second", COVERED),
        (("second",), FIRST, COVERED),
        (("unheard of",), None, NOT_COVERED),
        (("",), "second", COVERED),
        (("second", FIRST), "second", COVERED),
        ((), "second", all_but([Operation.ERASE], "no_consent")),
    ],
)
def test_a_consent_covers_what_the_policy_named_when_it_was_given(given_to, named_in, expected):
    """One to an unknown version covers nothing, one that names no version what it always did."""
    given = [
        consent(consent_id=f"c-{index}", policy_version=number, given_at=NOW - (9 - index) * DAY)
        for index, number in enumerate(given_to)
    ]
    assert codes(controls(*given), "member_newsletter", versioned(named_in=named_in)) == expected


@pytest.mark.clause("8.1", "4.7.1")
def test_a_consent_that_does_not_cover_a_purpose_does_not_undo_an_objection_to_marketing():
    """It says nothing about what was not named."""
    marks = controls(MARKETING, consent(policy_version=FIRST, given_at=NOW))
    found = codes(marks, "member_newsletter", versioned(named_in="second"))
    assert found == all_but([Operation.ERASE], "marketing_objection")


@pytest.mark.clause("8.1", "4.8")
def test_a_withdrawn_consent_to_an_older_version_is_no_consent():
    """That it did not cover the purpose is beside the point."""
    marks = controls(consent(policy_version=FIRST), NOW)
    found = codes(marks, "member_newsletter", versioned(named_in="second"))
    assert found == all_but([Operation.ERASE], "no_consent")
