"""Who delays a deletion: staff with a legal hold, and a person who has the use of everything restricted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from devtools.demo.mailbox import Mail, Mailbox
from devtools.demo.retention.edges import (
    HELD_CONTACT,
    HELD_MEMBER,
    HELD_USER,
    RESTRICTED_MEMBER,
    RESTRICTED_USER,
)
from devtools.demo.retention.journey import NEW_YEAR, START, SUMMER_TIME, WINTER_TIME, Stop
from devtools.demo.retention.rules import Delay
from devtools.demo.rights.staff import Staff
from devtools.demo.stranger import Stranger

_REVIEW_DAYS = 300


class Delayed:
    """Places and ends what delays, through the doors for it, and keeps the checker's own list of it.

    Attributes:
        in_force: What delays now.
    """

    def __init__(self, staff: Staff, stranger: Stranger, mailbox: Mailbox) -> None:
        self._staff = staff
        self._stranger = stranger
        self._mailbox = mailbox
        self._holds: dict[str, tuple[str, Delay]] = {}
        self._restriction = ""
        self.in_force: list[Delay] = []

    async def at(self, stop: Stop) -> list[str]:
        """Do what is to be done at a stop before its run, and return what it was."""
        what: dict[Stop, Callable[[], Awaitable[str]]] = {
            START: self._begin,
            SUMMER_TIME.stops[1]: self._restrict,
            WINTER_TIME.stops[1]: self._announce_lifting,
            NEW_YEAR.stops[0]: self._release,
            NEW_YEAR.stops[1]: self._lifted,
        }
        return [await what[stop]()] if stop in what else []

    async def _begin(self) -> str:
        await self._hold(HELD_CONTACT, ("email:" + HELD_CONTACT,), "policy_5_3", "licences")
        marks = (f"email:{HELD_MEMBER}", "member:mem-kept-held", f"user:{HELD_USER}")
        await self._hold(HELD_MEMBER, marks, "legal_claim", None)
        return "staff hold a licence's contact, and everything of a member"

    async def _hold(self, address: str, marks: tuple[str, ...], ground: str, activity: str | None) -> None:
        held = await self._staff.do(
            "operator",
            "holds",
            kind="email",
            value=address,
            ground=ground,
            reason="A dispute that is not settled",
            review_on=(START.at + timedelta(days=_REVIEW_DAYS)).date().isoformat(),
            **({"activity_id": activity} if activity else {}),
        )
        delay = Delay(marks=frozenset(marks), activity=activity)
        self._holds[address] = held["hold_id"], delay
        self.in_force.append(delay)

    async def _release(self) -> str:
        for hold_id, delay in self._holds.values():
            await self._staff.do("approver", f"holds/{hold_id}/release", reason="It is settled")
            self.in_force.remove(delay)
        return "staff release both holds"

    async def _restrict(self) -> str:
        self._restriction = await self._stranger.ask(
            RESTRICTED_MEMBER, ("restriction",), language="en", ground="accuracy", message="It is not right."
        )
        mail = await self._letter()
        await self._stranger.confirm(mail.links["verification"])
        await self._stranger.wait_until_closed(self._restriction, what="the restriction")
        marks = {f"email:{RESTRICTED_MEMBER}", "member:mem-kept-restricted", f"user:{RESTRICTED_USER}"}
        self.in_force.append(Delay(marks=frozenset(marks)))
        return "a member has the use of everything restricted"

    async def _letter(self) -> Mail:
        return await self._mailbox.wait(
            RESTRICTED_MEMBER,
            lambda mail: mail.request_id == self._restriction and "verification" in mail.links,
            what="the mail to confirm the restriction",
        )

    async def _announce_lifting(self) -> str:
        await self._staff.do("approver", f"cases/{self._restriction}/lifting", reason="It was checked")
        return "staff give notice that the restriction ends"

    async def _lifted(self) -> str:
        return ""

    def lift(self) -> None:
        """Take the restriction off the list: its notice has passed."""
        self.in_force = [one for one in self.in_force if f"email:{RESTRICTED_MEMBER}" not in one.marks]
