"""The verdict of the newsletter scenario: a fault that is planted is found, and each figure counts it."""

import copy
from email.message import EmailMessage

import pytest

from devtools.demo import ROOT
from devtools.demo.findings import Findings
from devtools.demo.mailbox import read_mail
from devtools.demo.narration import Narrator
from devtools.demo.newsletter.evidence import Evidence, Seat, Told, of_account, of_journal
from devtools.demo.newsletter.outcome import LEAST_EVENTS, outcome
from devtools.demo.newsletter.recorded import copy_with_facts
from devtools.demo.newsletter.verdict import Judge, accepted, duplicates
from shared.datamap.loader import load

LIST, OTHER = "d1" * 16, "d2" * 16
NEWS = "member_newsletter"
JUDGE = Judge(key_of=lambda address: f"k-{address}", purposes={LIST: NEWS, OTHER: "author_newsletter"})
ANE, BO, CAI = "ane@people.example", "bo@people.example", "cai@people.example"


def seat(address, list_id=LIST):
    """Return an address in a list."""
    return Seat(list_id=list_id, address=address)


def said(kind, day, purpose_id=NEWS, *, noted_at=None):
    """Return a row of the ledger."""
    at = f"2026-03-{day:02}T10:00:00+00:00"
    told = {"noted_at": noted_at or at, "channel": "form"}
    return {"kind": kind, "purpose_id": purpose_id, "at": at, **told}


def consenting(day=1, *, until=None, purpose_id=NEWS):
    """Return controls with a consent, ended or not."""
    consent = {
        "purpose_id": purpose_id,
        "given_at": f"2026-03-{day:02}T10:00:00+00:00",
        "withdrawn_at": None if until is None else f"2026-03-{until:02}T10:00:00+00:00",
    }
    return {"consents": [consent], "withdrawals": [], "objections": [], "withdrawn_at": None}


def told(address, *, old=None, accepted=1):
    """Return an event."""
    return Told(list_id=LIST, address=address, old_address=old or address, accepted=accepted)


@pytest.fixture
def evidence():
    """Both sides, in agreement: Ane gets mail, Bo left, Cai's mail does not arrive."""
    return Evidence(
        states={seat(ANE): "Active", seat(BO): "Unsubscribed", seat(CAI): "Bounced"},
        told=[told(ANE), told(BO), told(BO, accepted=3), told(CAI)],
        ledger={
            f"k-{ANE}": [said("given", 1)],
            f"k-{BO}": [said("given", 1), said("withdrawn", 2)],
            f"k-{CAI}": [said("given", 1), said("unreachable", 3)],
        },
        controls={
            f"k-{ANE}": consenting(),
            f"k-{BO}": consenting(until=2),
            f"k-{CAI}": consenting(),
        },
    )


def test_in_agreement_nothing_is_found(evidence):
    """And duplicates are counted for what they are."""
    assert JUDGE.diverging(evidence) == JUDGE.lost(evidence) == JUDGE.gates_that_differ(evidence) == []
    assert JUDGE.re_added(evidence, {BO}) == []
    assert JUDGE.said_again(evidence) == 0
    assert (accepted(evidence), duplicates(evidence)) == (6, 2)


def test_mail_without_a_consent_diverges(evidence):
    """Bo is active there again."""
    evidence.states[seat(BO)] = "Active"
    assert JUDGE.diverging(evidence) == [seat(BO)]


def test_who_is_active_and_suppressed_gets_no_mail(evidence):
    """So a consent of theirs is one without mail."""
    evidence.suppressed = frozenset({ANE})
    assert JUDGE.diverging(evidence) == [seat(ANE)]


@pytest.mark.parametrize("state", ["Unsubscribed", "Deleted", "Something new"])
def test_a_consent_without_mail_diverges(evidence, state):
    """The ledger never heard of it."""
    evidence.states[seat(ANE)] = state
    assert JUDGE.diverging(evidence) == [seat(ANE)]


@pytest.mark.parametrize("state", ["Bounced", "Unconfirmed"])
def test_a_state_that_says_nothing_of_the_wish_agrees_with_either(evidence, state):
    """Nothing is sent."""
    evidence.states[seat(ANE)] = evidence.states[seat(BO)] = state
    assert JUDGE.diverging(evidence) == []


def test_a_consent_of_nobody_diverges(evidence):
    """Its address is in no list."""
    del evidence.states[seat(ANE)]
    assert JUDGE.diverging(evidence) == [seat(f"k-{ANE}")]


def test_a_consent_to_something_else_is_none(evidence):
    """Each list has its own purpose."""
    evidence.states[seat(ANE, OTHER)] = "Active"
    assert JUDGE.diverging(evidence) == [seat(ANE, OTHER)]


def test_other_lists_are_none_of_our_business(evidence):
    """The account may have more."""
    evidence.states[seat(BO, "ee" * 16)] = "Active"
    assert JUDGE.diverging(evidence) == []


def test_an_accepted_event_without_effect_is_lost(evidence):
    """One that the processor lost is not: reconciliation has to find it."""
    evidence.states[seat(BO)] = "Active"
    assert JUDGE.lost(evidence) == [seat(BO)]
    evidence.told = [*evidence.told, told(BO, accepted=0)]
    assert JUDGE.lost(evidence) == []
    assert JUDGE.diverging(evidence) == [seat(BO)]


def test_an_address_and_the_one_before_are_one_matter(evidence):
    """What was not told of the old one excuses the new one, through each change of address."""
    new, newer = "ane.new@people.example", "ane.newer@people.example"
    evidence.states[seat(newer)] = evidence.states.pop(seat(ANE))
    evidence.told = [*evidence.told, told(new, old=ANE), told(newer, old=new)]
    assert seat(newer) in JUDGE.lost(evidence)
    evidence.told = [*evidence.told, told(ANE, accepted=0)]
    assert seat(newer) not in JUDGE.lost(evidence)


def test_a_gate_that_says_something_else_than_the_ledger_is_found(evidence):
    """Either way."""
    evidence.controls[f"k-{BO}"] = consenting()
    del evidence.controls[f"k-{ANE}"]
    assert JUDGE.gates_that_differ(evidence) == [f"k-{ANE} {NEWS}", f"k-{BO} {NEWS}"]


@pytest.mark.parametrize(
    "end",
    [
        {"withdrawn_at": "2026-03-02T10:00:00+00:00"},
        {"withdrawals": [{"purpose_id": NEWS, "at": "2026-03-02T10:00:00+00:00"}]},
        {"objections": [{"kind": "marketing", "placed_at": "2026-03-02T10:00:00+00:00"}]},
    ],
)
def test_every_kind_of_end_closes_the_gate(evidence, end):
    """Also where the consent itself is not marked as ended; a later one opens it again."""
    evidence.controls[f"k-{BO}"] = {**consenting(), **end}
    assert JUDGE.gates_that_differ(evidence) == []
    evidence.controls[f"k-{BO}"] = {**consenting(day=3), **end}
    assert JUDGE.gates_that_differ(evidence) == [f"k-{BO} {NEWS}"]


def test_a_withdrawal_of_all_ends_each(evidence):
    """It names no purpose."""
    evidence.ledger[f"k-{ANE}"].append(said("withdrawn", 2, purpose_id=""))
    assert JUDGE.diverging(evidence) == [seat(ANE)]


@pytest.mark.parametrize("how", ["there", "ledger", "gate"])
def test_who_comes_back_by_an_import_is_found(evidence, how):
    """On whichever side."""
    if how == "there":
        evidence.states[seat(BO)] = "Active"
    elif how == "ledger":
        evidence.ledger[f"k-{BO}"].append(said("given", 5))
    else:
        evidence.controls[f"k-{BO}"] = consenting(day=5)
    assert JUDGE.re_added(evidence, {BO}) == [seat(BO)]


@pytest.mark.parametrize("kind", ["given", "withdrawn"])
def test_the_same_said_twice_is_found(evidence, kind):
    """With nothing in between; another purpose is another matter."""
    rows = evidence.ledger[f"k-{BO}"]
    rows.append(said("given", 5, purpose_id="author_newsletter"))
    assert JUDGE.said_again(evidence) == 0
    rows.append(said(kind, 1 if kind == "given" else 9))
    assert JUDGE.said_again(evidence) == 1


class Planted:
    """A run of the scenario in which something may be wrong."""

    def __init__(self, evidence):
        many = [told(f"p{number}@people.example") for number in range(LEAST_EVENTS)]
        evidence.told = [*evidence.told, *many, told(CAI, accepted=0)]
        self.before, self.after = copy.deepcopy(evidence), evidence

    def judged(self):
        """Return the figures and how many faults were noted."""
        findings = Findings(Narrator())
        figures = outcome(JUDGE, findings, before=self.before, after=self.after, said_no={BO})
        return figures, len(findings.all)


@pytest.fixture
def run(evidence):
    """One in which all is well."""
    return Planted(evidence)


def test_a_run_without_faults_is_well(run):
    """And its figures are those of the evidence."""
    assert run.judged() == (
        {
            "webhook_events": LEAST_EVENTS + 6,
            "lost": 0,
            "duplicates_without_effect": 2,
            "diverging_after_reconciliation": 0,
            "re_added_by_import": 0,
        },
        0,
    )


def test_a_lost_event_turns_the_verdict(run):
    """Though it was repaired later."""
    run.before.states[seat(BO)] = "Active"
    figures, faults = run.judged()
    assert (figures["lost"], figures["diverging_after_reconciliation"], faults) == (1, 0, 1)


def test_a_difference_that_stays_turns_the_verdict(run):
    """Though it was none before. All that is known of the address stands beside it."""
    run.after.states[seat(ANE)] = "Unsubscribed"
    figures, faults = run.judged()
    assert (figures["lost"], figures["diverging_after_reconciliation"], faults) == (0, 1, 2)


def test_a_person_who_is_added_again_turns_the_verdict(run):
    """On both sides, so that they agree."""
    run.after.states[seat(BO)] = "Active"
    run.after.ledger[f"k-{BO}"].append(said("given", 5))
    run.after.controls[f"k-{BO}"] = consenting(day=5)
    figures, faults = run.judged()
    assert (figures["diverging_after_reconciliation"], figures["re_added_by_import"], faults) == (0, 1, 1)


def test_a_duplicate_with_an_effect_turns_the_verdict(run):
    """It is counted off."""
    run.after.ledger[f"k-{ANE}"].append(said("given", 2))
    figures, faults = run.judged()
    assert (figures["duplicates_without_effect"], faults) == (1, 1)


@pytest.mark.parametrize("missing", ["events", "duplicates", "losses"])
def test_a_run_that_tried_too_little_is_not_well(run, missing):
    """Nothing is shown by it."""
    kept = {
        "events": [one for one in run.after.told if not one.address.startswith("p1")],
        "duplicates": [one for one in run.after.told if one.accepted < 2] + [told(BO)] * 9,
        "losses": [one for one in run.after.told if one.accepted],
    }
    run.after.told = kept[missing]
    assert run.judged()[1] == 1


def test_what_the_account_and_its_journal_say_is_read_without_case():
    """Suppressed ones and changed addresses too."""
    subscribers = {ANE: {"state": "Active", "email": ANE.upper()}}
    account = {"lists": {LIST: {"subscribers": subscribers}}, "suppressed": {BO: {}}}
    assert of_account(account) == ({seat(ANE): "Active"}, frozenset({BO}))
    event = {"Type": "Update", "EmailAddress": BO.upper(), "OldEmailAddress": ANE}
    (one,) = of_journal([{"list_id": LIST, "event": event, "accepted": 2}])
    assert (one.address, one.old_address, one.accepted) == (BO, ANE, 2)


def test_the_served_copy_differs_from_the_app_in_recorded_facts_alone(tmp_path):
    """Nothing else, and the app still reads it."""
    copy_with_facts(ROOT, tmp_path)
    ours = {one.id: one for one in load().recipients}
    copied = {one.id: one for one in load(tmp_path / "shared" / "datamap" / "maps").recipients}
    changed = {name for name in ours if ours[name] != copied[name]}
    assert changed == {"campaign_monitor", "google_analytics", "postnord"}
    assert copied["campaign_monitor"].contract_ref == "made up for the demonstration"
    assert copied["google_analytics"].contract_ref == "not_stated"
    assert copied["postnord"].contact.endswith("@carrier.example")
    differing = [
        path.relative_to(tmp_path)
        for path in tmp_path.rglob("*")
        if path.is_file() and path.read_bytes() != (ROOT / path.relative_to(tmp_path)).read_bytes()
    ]
    assert [str(path) for path in differing] == ["shared/datamap/maps/recipients.yaml"]


def test_a_mail_that_asks_to_confirm_a_sign_up_is_read():
    """It is about no request; a mail to a recipient leads nowhere."""
    link = f"http://127.0.0.1:1/api/newsletter/subscriptions/{'a' * 32}/confirmation?token=t"
    mail = read_mail(message(f"Please confirm:\n{link}\n"))
    assert (mail.to, mail.links, mail.request_id) == (ANE, {"sign_up": link}, "")
    assert read_mail(message("Nothing to confirm.")).links == {}


def message(text):
    """Return a mail's file."""
    made = EmailMessage()
    made["To"], made["Subject"] = ANE, "Newsletter"
    made.set_content(text)
    return made.as_bytes()
