"""A newsletter processor in memory, with what its API leaves behind."""

from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.domain.identifiers import EMAIL, normalise
from shared.domain.recipients import Answered, Confirmation, Instruction
from shared.ports.processors import NEEDS_CONTRACT
from tests.fakes.turns import Turn, no_turn

_RANK = (Confirmation.NOT_HELD, Confirmation.DONE, Confirmation.AWAITING_STAFF)


class MemoryProcessors:
    """`names` and `states` hold every entry by (list, address in lower case); `told` is what was asked.

    `is_unreachable` fails every instruction before it has an effect; the turn `processors.instruct!` lies
    after the effect.
    """

    def __init__(self, turn: Turn = no_turn, *, connected=("campaign_monitor",), contracts=()):
        self.turn = turn
        self.recipients = tuple(connected)
        self.contracts = set(contracts)
        self.is_unreachable = False
        self.names: dict[tuple[str, str], str] = {}
        self.states: dict[tuple[str, str], str] = {}
        self.suppressed: set[str] = set()
        self.told: list[tuple[str, Instruction, tuple[str, ...] | dict]] = []
        self.answers: dict[str, Answered | Exception] = {}

    def sign_up(self, email, *, on="news", name="", state="Active"):
        """Put an address on a list."""
        self.names[on, normalise(EMAIL, email)] = name
        self.states[on, normalise(EMAIL, email)] = state

    def mails(self, email):
        """Tell whether an address would get a newsletter."""
        address = normalise(EMAIL, email)
        active = any(state == "Active" for (_, held), state in self.states.items() if held == address)
        return active and address not in self.suppressed

    def remove_for_good(self, email):
        """Do what staff do there by hand."""
        address = normalise(EMAIL, email)
        for key in [key for key in self.states if key[1] == address]:
            del self.states[key], self.names[key]
        self.suppressed.discard(address)

    def connected(self):
        return self.recipients

    async def instruct(self, recipient_id, instruction, identifiers, *, name=None):
        emails = identifiers.get(EMAIL, ())
        if recipient_id in self.answers:  # another kind of processor, that answers what the test says
            self.told.append((recipient_id, instruction, dict(identifiers)))
            await self.turn("processors.instruct!")
            answer = self.answers[recipient_id]
            if isinstance(answer, Exception):
                raise answer
            return answer
        await self.turn("processors.instruct")
        if recipient_id not in self.recipients:
            raise Permanent("processor_not_connected", recipient_id)
        if instruction in NEEDS_CONTRACT and recipient_id not in self.contracts:
            raise Permanent("contract_missing", recipient_id)
        if not emails:
            raise CannotTell("processor_not_asked", recipient_id)
        if instruction is Instruction.CORRECT and not name:
            raise Permanent("correction_empty", recipient_id)
        if self.is_unreachable:
            raise Retryable("processor_unreachable", "memory")
        self.told.append((recipient_id, instruction, tuple(emails)))
        results = [self._obey(instruction, normalise(EMAIL, email), name) for email in emails]
        await self.turn("processors.instruct!")
        return Answered(confirmation=max(results, key=_RANK.index))

    def _obey(self, instruction, address, name):
        held = [key for key in self.states if key[1] == address]
        if not held and (address not in self.suppressed or instruction is Instruction.CORRECT):
            return Confirmation.NOT_HELD
        match instruction:
            case Instruction.UNSUBSCRIBE:
                self._stop(held)
            case Instruction.SUPPRESS:
                self._stop(held)
                self.suppressed.add(address)
            case Instruction.RESTRICT:
                self.suppressed.add(address)
                return Confirmation.AWAITING_STAFF
            case Instruction.ERASE:
                for key in held:
                    self.names[key], self.states[key] = "erased", "Deleted"
                return Confirmation.AWAITING_STAFF
            case Instruction.CORRECT:
                deleted = {key for key in held if self.states[key] == "Deleted"}
                self.names.update({key: name for key in held if key not in deleted})
                return Confirmation.AWAITING_STAFF if deleted else Confirmation.DONE
        return Confirmation.DONE

    def _stop(self, held):
        for key in held:
            if self.states[key] == "Unconfirmed":
                self.states[key] = "Deleted"
            elif self.states[key] != "Deleted":
                self.states[key] = "Unsubscribed"
