"""Processors outside who are told what to do with one person's data, and say what came of it.

What may be sent without a recorded contract: an instruction to stop or to erase uses only the address that
the processor already has, and makes it do or hold less, so it is always sent. A correction hands over a new
value, and handing data to a processor needs the contract first. Source: GDPR articles 28(3) and 29.
"""

from typing import Protocol

from shared.domain.identifiers import Identifiers
from shared.domain.recipients import Answered, Instruction

NEEDS_CONTRACT = frozenset({Instruction.CORRECT})
"""Instructions that carry something the processor does not have yet."""


class Processors(Protocol):
    """Tells processors, and reads back what they did."""

    def connected(self) -> tuple[str, ...]:
        """Return the ids, as in the map, of recipients told by machine; empty: a person tells all."""
        ...

    async def instruct(
        self,
        recipient_id: str,
        instruction: Instruction,
        identifiers: Identifiers,
        *,
        name: str | None = None,
    ) -> Answered:
        """Give one instruction about one person, known by `identifiers`, and return what came of it.

        `name` is the right name, for a correction only. Of several identifiers the answer that leaves most
        to do counts: waiting for staff before accepted, accepted before done, done before not held. Not held
        means that the processor has nothing under any of them, or (`why` says so) that we have none it knows
        the person by; what it does not hold is asked about and never written there. A second call finds what
        the first left, does the rest and answers the same.

        Raises:
            Retryable: `processor_unreachable`, `processor_unreadable` (half an answer), or
                `processor_unconfirmed`: told, and it does not show it yet. Tell it again later, and say of
                nothing that it is done there before it is.
            Permanent: `processor_refused`, `contract_missing` (see the module), `processor_not_connected` or
                `correction_empty`: a person has to see to it.
            CannotTell: `processor_unreadable`, or `processor_not_asked`, where it knows people by an address
                and there is none: never read as not held.

        Source: GDPR articles 7(3), 16, 17, 18, 19, 21(3) and 28(3)(e).
        """
        ...
