"""What a processor is told and what it answers: on the fake, and on the adapter with a stand-in."""

import pytest

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn, Fault
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID
from shared.adapters.campaign_monitor import CampaignMonitor
from shared.adapters.connected_processors import ConnectedProcessors
from shared.adapters.google_analytics import GoogleAnalytics
from shared.adapters.google_tokens import GoogleTokens
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.domain.recipients import Confirmation, Instruction
from tests.contract.conftest import local_settings
from tests.fakes.processors import MemoryProcessors

ME = "campaign_monitor"
ANE = "ane+news@people.example"
BO = "bo@people.example"
NEWS, AUTHORS = "a1" * 16, "b2" * 16
STOPS = [Instruction.UNSUBSCRIBE, Instruction.SUPPRESS]


class MemoryTarget:
    """The fake, and what to look at around it."""

    def __init__(self):
        self.failing = ""
        self.fake = MemoryProcessors(self._turn)
        self.port = self.fake

    async def _turn(self, name):
        if name == self.failing:
            self.failing = ""
            raise Retryable("processor_unreachable", "test")

    def with_contract(self):
        self.fake.contracts.add(ME)

    def disconnect(self):
        self.fake.recipients = ()

    def sign_up(self, email, *, on=NEWS, name="Ane", state="Active"):
        self.fake.sign_up(email, on=on, name=name, state=state)

    def held(self, email):
        """Return list to (state, name)."""
        return {
            on: (self.fake.states[on, address], self.fake.names[on, address])
            for on, address in self.fake.states
            if address == email.lower()
        }

    def suppressed(self):
        return set(self.fake.suppressed)

    def suppress(self, email):
        self.fake.suppressed.add(email)

    def remove_for_good(self, email):
        self.fake.remove_for_good(email)

    def be_unreachable(self):
        self.fake.is_unreachable = True

    def recover(self):
        self.fake.is_unreachable = False

    def fail_once_after_the_effect(self):
        self.failing = "processors.instruct!"


def connected(settings, *, has_contract):
    """Return the app's processors, of which this contract is about the newsletters."""
    analytics = GoogleAnalytics(
        settings, identifiers={}, has_contract=has_contract, tokens=GoogleTokens(settings)
    )
    return ConnectedProcessors(CampaignMonitor(settings, has_contract=has_contract), analytics)


class StandInTarget:
    """The adapter on the stand-in."""

    def __init__(self, stand_in):
        self.stand_in = stand_in
        self.settings = local_settings(
            campaign_monitor_url=stand_in.url,
            campaign_monitor_client_id=CLIENT_ID,
            campaign_monitor_api_key=API_KEY,
        )
        self.port = connected(self.settings, has_contract=False)
        # Lists are there before anybody is on them.
        stand_in.api.account.put(
            [{"ListID": on, "EmailAddress": "somebody@else.example"} for on in (NEWS, AUTHORS)]
        )

    def with_contract(self):
        self.port = connected(self.settings, has_contract=True)

    def disconnect(self):
        self.port = connected(local_settings(), has_contract=True)

    def sign_up(self, email, *, on=NEWS, name="Ane", state="Active"):
        fields = [{"Key": "Company", "Value": "Example"}]
        row = {"ListID": on, "EmailAddress": email, "Name": name, "State": state, "CustomFields": fields}
        self.stand_in.api.account.put([row])

    def held(self, email):
        return {on: (one.state, one.name) for on, _, one in self.stand_in.api.account.of(email)}

    def suppressed(self):
        return set(self.stand_in.api.account.suppressed)

    def suppress(self, email):
        self.stand_in.api.account.suppress(email)

    def remove_for_good(self, email):
        self.stand_in.api.account.remove_for_good(email)

    def be_unreachable(self):
        self.stand_in.faults = [Fault(drop=True, times=None)]

    def recover(self):
        self.stand_in.faults = []

    def fail_once_after_the_effect(self):
        writes = ("POST unsubscribe", "POST suppress", "PUT subscribers", "DELETE subscribers")
        self.stand_in.faults = [Fault(call=call, status=500, after=True) for call in writes]


@pytest.fixture(params=["memory", "deleted ones are hidden", "deleted ones are shown"])
async def target(request):
    """The port and its surroundings."""
    if request.param == "memory":
        yield MemoryTarget()
        return
    async with CampaignMonitorStandIn() as stand_in:
        stand_in.api.hides_deleted = request.param == "deleted ones are hidden"
        made = StandInTarget(stand_in)
        yield made
        await made.port.close()


async def told(target, instruction, *emails, name=None):
    """Give the instruction, and return what came of it."""
    answered = await target.port.instruct(ME, instruction, {"email": emails or (ANE,)}, name=name)
    return answered.confirmation


async def until_it_works(target, instruction, *, name=None):
    """Give the instruction as often as the queue would; return the answer and the failures before it."""
    for failures in range(8):
        try:
            return await told(target, instruction, name=name), failures
        except Retryable:
            continue
    raise AssertionError("never worked")


def test_it_says_whom_it_reaches(target):
    """By the id of the map."""
    assert target.port.connected() == (ME,)


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_nobody_is_told_where_none_is_connected(target, instruction):
    """A person has to do it, so it is no silent success."""
    target.disconnect()
    assert target.port.connected() == ()
    with pytest.raises(Permanent, match="processor_not_connected"):
        await told(target, instruction, name="Ane")


async def test_another_recipient_is_not_ours_to_tell(target):
    """Each id is one recipient."""
    with pytest.raises(Permanent, match="processor_not_connected"):
        await target.port.instruct("postnord", Instruction.ERASE, {"email": (ANE,)})


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_an_address_it_does_not_have_is_not_held(target, instruction):
    """And is not written there by asking; others stay as they are."""
    target.with_contract()
    target.sign_up(BO)
    assert await told(target, instruction, name="Ane") is Confirmation.NOT_HELD
    assert target.held(ANE) == {}
    assert target.held(BO) == {NEWS: ("Active", "Ane")}
    assert target.suppressed() == set()


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_no_address_is_no_answer(target, instruction):
    """It was not asked, so nobody knows."""
    target.with_contract()
    with pytest.raises(CannotTell, match="processor_not_asked"):
        await target.port.instruct(ME, instruction, {}, name="Ane")


async def test_withdrawal_unsubscribes_from_every_list(target):
    """One that is active, one that nobody confirmed; the data wait for the erasure."""
    target.sign_up(ANE)
    target.sign_up(ANE, on=AUTHORS, state="Unconfirmed")
    target.sign_up(BO)
    assert await told(target, Instruction.UNSUBSCRIBE) is Confirmation.DONE
    assert target.held(ANE) == {NEWS: ("Unsubscribed", "Ane"), AUTHORS: ("Deleted", "Ane")}
    assert target.held(BO) == {NEWS: ("Active", "Ane")}
    assert target.suppressed() == set()


async def test_objection_suppresses_beyond_the_lists(target):
    """So that no import mails the person again."""
    target.sign_up(ANE)
    assert await told(target, Instruction.SUPPRESS) is Confirmation.DONE
    assert target.held(ANE) == {NEWS: ("Unsubscribed", "Ane")}
    assert target.suppressed() == {ANE}


async def test_only_the_addresses_it_has_are_suppressed(target):
    """The other one would be handed to it."""
    target.sign_up(ANE)
    assert await told(target, Instruction.SUPPRESS, BO, ANE) is Confirmation.DONE
    assert target.suppressed() == {ANE}


async def test_restriction_stops_mail_and_keeps_the_lists(target):
    """A person looks at the rest, and lifts it one day."""
    target.sign_up(ANE)
    assert await told(target, Instruction.RESTRICT) is Confirmation.AWAITING_STAFF
    assert target.held(ANE) == {NEWS: ("Active", "Ane")}
    assert target.suppressed() == {ANE}


@pytest.mark.parametrize("state", ["Active", "Unconfirmed", "Unsubscribed", "Bounced"])
async def test_erasure_empties_and_deletes_and_waits_for_staff(target, state):
    """The vendor keeps deleted ones, so it is not done."""
    target.sign_up(ANE, state=state)
    target.sign_up(BO)
    assert await told(target, Instruction.ERASE) is Confirmation.AWAITING_STAFF
    assert target.held(ANE) == {NEWS: ("Deleted", "erased")}
    assert target.held(BO) == {NEWS: ("Active", "Ane")}


@pytest.mark.parametrize(
    ("instruction", "answer", "suppressed"),
    [
        (Instruction.UNSUBSCRIBE, Confirmation.DONE, set()),
        (Instruction.SUPPRESS, Confirmation.DONE, {ANE}),
        (Instruction.RESTRICT, Confirmation.AWAITING_STAFF, {ANE}),
        (Instruction.ERASE, Confirmation.AWAITING_STAFF, set()),
        (Instruction.CORRECT, Confirmation.AWAITING_STAFF, set()),
    ],
)
async def test_one_who_was_deleted_long_ago_is_held(target, instruction, answer, suppressed):
    """It is kept there, whether its list shows it or not, and an import could mail it again."""
    target.with_contract()
    target.sign_up(ANE, state="Deleted")
    assert await told(target, instruction, name="Right") is answer
    assert target.suppressed() == suppressed
    assert target.held(ANE)[NEWS][0] == "Deleted"


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        (Instruction.UNSUBSCRIBE, Confirmation.DONE),
        (Instruction.SUPPRESS, Confirmation.DONE),
        (Instruction.RESTRICT, Confirmation.AWAITING_STAFF),
        (Instruction.ERASE, Confirmation.AWAITING_STAFF),
        (Instruction.CORRECT, Confirmation.NOT_HELD),  # an entry there has no name
    ],
)
async def test_one_who_is_only_suppressed_is_held(target, instruction, answer):
    """The entry is personal data, and stays until staff remove it."""
    target.with_contract()
    target.suppress(ANE)
    assert await told(target, instruction, name="Right") is answer
    assert target.suppressed() == {ANE}


async def test_after_staff_removed_the_person_nothing_is_held(target):
    """Which is how a case can end."""
    target.sign_up(ANE)
    await told(target, Instruction.SUPPRESS)
    assert await told(target, Instruction.ERASE) is Confirmation.AWAITING_STAFF
    target.remove_for_good(ANE)
    assert await told(target, Instruction.ERASE) is Confirmation.NOT_HELD


async def test_correction_writes_the_name_in_every_list(target):
    """And nobody is subscribed by it."""
    target.with_contract()
    target.sign_up(ANE, name="Anne")
    target.sign_up(ANE, on=AUTHORS, name="Anne", state="Unsubscribed")
    assert await told(target, Instruction.CORRECT, name="Ane Æbelø") is Confirmation.DONE
    assert target.held(ANE) == {NEWS: ("Active", "Ane Æbelø"), AUTHORS: ("Unsubscribed", "Ane Æbelø")}


async def test_a_deleted_entry_keeps_its_wrong_name_until_staff_come(target):
    """The others are right at once."""
    target.with_contract()
    target.sign_up(ANE, name="Anne")
    target.sign_up(ANE, on=AUTHORS, name="Anne", state="Deleted")
    assert await told(target, Instruction.CORRECT, name="Ane") is Confirmation.AWAITING_STAFF
    assert target.held(ANE) == {NEWS: ("Active", "Ane"), AUTHORS: ("Deleted", "Anne")}


async def test_correction_sends_nothing_without_a_contract(target):
    """A new value may not be handed over."""
    target.sign_up(ANE, name="Anne")
    with pytest.raises(Permanent, match="contract_missing"):
        await told(target, Instruction.CORRECT, name="Ane")
    assert target.held(ANE) == {NEWS: ("Active", "Anne")}


@pytest.mark.parametrize("name", [None, ""])
async def test_correction_needs_a_value(target, name):
    """An empty one would be taken for nothing to do."""
    target.with_contract()
    target.sign_up(ANE)
    with pytest.raises(Permanent, match="correction_empty"):
        await told(target, Instruction.CORRECT, name=name)


async def test_the_address_is_the_same_in_capitals(target):
    """As people type it."""
    target.sign_up(ANE)
    assert await told(target, Instruction.UNSUBSCRIBE, ANE.upper()) is Confirmation.DONE
    assert target.held(ANE) == {NEWS: ("Unsubscribed", "Ane")}


async def test_of_several_addresses_the_one_with_most_to_do_answers(target):
    """Held counts over not held."""
    target.sign_up(BO)
    assert await told(target, Instruction.UNSUBSCRIBE, ANE, BO) is Confirmation.DONE
    assert await told(target, Instruction.ERASE, ANE, BO) is Confirmation.AWAITING_STAFF


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_a_second_time_finds_the_first(target, instruction):
    """Same answer, same state."""
    target.with_contract()
    target.sign_up(ANE)
    target.sign_up(ANE, on=AUTHORS)
    first = await told(target, instruction, name="Right")
    after = (target.held(ANE), target.suppressed())
    assert await told(target, instruction, name="Right") is first
    assert (target.held(ANE), target.suppressed()) == after


@pytest.mark.parametrize("instruction", STOPS)
@pytest.mark.parametrize("state", ["Unsubscribed", "Bounced", "Deleted"])
async def test_one_who_gets_no_mail_is_not_subscribed_again(target, instruction, state):
    """Whatever is told."""
    target.sign_up(ANE, state=state)
    await told(target, instruction)
    assert target.held(ANE)[NEWS][0] in {"Unsubscribed", "Bounced", "Deleted"}


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_unreachable_is_told_and_changes_nothing(target, instruction):
    """Nobody may read it as done; it works when it answers again."""
    target.with_contract()
    target.sign_up(ANE)
    target.be_unreachable()
    with pytest.raises(Retryable) as caught:
        await told(target, instruction, name="Right")
    assert caught.value.code == "processor_unreachable"
    assert "people.example" not in str(caught.value)
    assert target.held(ANE) == {NEWS: ("Active", "Ane")}
    target.recover()
    assert await told(target, instruction, name="Right") is not Confirmation.NOT_HELD


@pytest.mark.parametrize("instruction", list(Instruction))
@pytest.mark.parametrize("state", ["Active", "Unconfirmed"])
async def test_a_failure_after_the_effect_ends_as_if_there_were_none(target, instruction, state):
    """The answer was lost, the work was not."""
    target.with_contract()
    target.sign_up(ANE, state=state)
    target.sign_up(ANE, on=AUTHORS, state=state)
    target.fail_once_after_the_effect()
    answer, failures = await until_it_works(target, instruction, name="Right")
    assert failures > 0
    again = await told(target, instruction, name="Right")
    assert answer is again
    assert answer is not Confirmation.NOT_HELD
