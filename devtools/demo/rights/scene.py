"""What the cases of the scenario share: who acts, by which means, and what became of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from devtools.demo.findings import Findings
from devtools.demo.mailbox import Mail, Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.package_check import PackageJudge
from devtools.demo.rights.letters import OUTCOMES, Letters
from devtools.demo.rights.receiver import Receiver
from devtools.demo.rights.staff import Staff
from devtools.demo.rights.systems import Newsletter, Systems
from devtools.demo.stranger import Stranger
from devtools.sample_data import SamplePerson

_OPEN_NOTICE = ("due", "awaiting_staff")
NEWSLETTER = "campaign_monitor"
ByHand = Callable[[str], Awaitable[None]]


@dataclass(kw_only=True)
class Scene:
    """Everybody and everything on stage.

    Attributes:
        cast: Who plays each case.
        requests: Id of each case's request.
        outcomes: What each case came to, as its letters told it.
        hold_id: The hold that keeps one person's data.
        first_answer: What that person was written while it stood; a second answer follows.
        denied_after_restriction: Uses that other systems were denied once they had been allowed.
    """

    cast: dict[str, SamplePerson]
    narrator: Narrator
    findings: Findings
    stranger: Stranger
    mailbox: Mailbox
    letters: Letters
    packages: PackageJudge
    staff: Staff
    systems: Systems
    newsletter: Newsletter
    receiver: Receiver
    requests: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    hold_id: str = ""
    first_answer: Mail | None = None
    denied_after_restriction: int = 0

    async def ask(
        self, case: str, rights: Sequence[str], *, is_confirmed: bool = True, **wishes: object
    ) -> str:
        """Ask as the case's person, confirm from the mail where that is needed; return the request's id."""
        person = self.cast[case]
        request_id = await self.stranger.ask(person.asks_as, rights, language=person.language, **wishes)
        self.requests[case] = request_id
        what = " and ".join(rights) if rights else "something in words of one's own"
        if is_confirmed:
            await self.confirm(case)
            self.tell(case, f"asked for {what} and confirmed")
        else:
            self.tell(case, f"asked for {what}; no login, nothing to confirm")
        return request_id

    async def confirm(self, case: str) -> None:
        """Press the button behind the link of the first mail."""
        mail = await self.letter(case, "verify")
        await self.stranger.confirm(mail.links["verification"])

    async def letter(self, case: str, *kinds: str, to: str = "", after: Mail | None = None) -> Mail:
        """Return a letter of the case of one of these kinds, another one than `after`, once it is there.

        `to`: whose mailbox; empty: the person's.
        """
        request_id = self.requests[case]
        return await self.mailbox.wait(
            to or self.cast[case].asks_as,
            lambda mail: (
                mail.request_id == request_id
                and self.letters.kind(mail) in kinds
                and (after is None or mail.message_id != after.message_id)
            ),
            what=f"the letter {' or '.join(kinds)} of the case {case}",
        )

    async def answered(self, case: str, *kinds: str, to: str = "", after: Mail | None = None) -> Mail:
        """Return the letter that answers the case, and note what it says the case came to."""
        mail = await self.letter(case, *kinds, to=to, after=after)
        told = OUTCOMES[self.letters.kind(mail)]
        self.outcomes[case] = ", ".join(filter(None, (self.outcomes.get(case), told)))
        self.tell(case, f"got the answer: {mail.subject}")
        return mail

    async def closed(self, case: str, *states: str) -> None:
        """Wait until the person sees the request closed."""
        wanted = states or ("completed",)
        await self.stranger.wait_for_state(self.requests[case], wanted, what=f"the case {case}")

    async def waits_for_staff(self, case: str, kind: str) -> None:
        """Wait until a person has to decide, and for the letter that says so."""
        await self.closed(case, "awaiting_approval")
        await self.letter(case, kind)

    async def tell_recipients(self, case: str, by_hand: ByHand) -> None:
        """Let an operator tell whoever still has to be told, and wait for the letter that says all are."""
        request_id = self.requests[case]
        seen = await self.staff.look(request_id, purpose="see who still has to be told")
        waiting: list[dict[str, Any]] = [
            one for one in seen["request"]["notices"] if one["state"] in _OPEN_NOTICE
        ]
        for one in waiting:
            if one["recipient_id"] == NEWSLETTER:
                await by_hand(self.cast[case].member_email)
            await self.staff.do(
                "operator",
                f"cases/{request_id}/notices",
                recipient_id=one["recipient_id"],
                right=one["right"],
                state="told",
            )
        names = ", ".join(one["recipient_id"] for one in waiting)
        self.tell(case, f"an operator told {names or 'nobody, since nobody had to be told'}")
        if any(one["state"] == "awaiting_staff" for one in waiting):
            await self.letter(case, "recipients_done")

    async def expect_uses(self, case: str, uses: Sequence[tuple[str, str]], wanted: str) -> None:
        """Note uses of a person's data that other systems are not answered as they should be."""
        found = await self.systems.ask(self.cast[case].asks_as, uses)
        self.findings.equal(found, [wanted] * len(uses), f"what other systems may do in the case {case}")

    def tell(self, case: str, what: str) -> None:
        """Tell one step of a case."""
        person = self.cast.get(case)
        self.narrator.step(f"{case}{f' ({person.key})' if person else ''}: {what}")
