"""The newsletter processor's lists in memory."""

import itertools
from zoneinfo import ZoneInfo

from shared.domain.errors import Permanent, Retryable
from shared.domain.identifiers import EMAIL, normalise
from shared.domain.newsletters import Lists, MailingList
from shared.ports.newsletters import UNREADABLE, EntryPage, ListEntry, Registration
from tests.fakes.turns import Turn, no_turn

NEWS = "a" * 32
AUTHORS = "b" * 32
ZONE = "Europe/Copenhagen"


class MemoryNewsletters:
    """Addresses by list, with the states of the real one.

    Attributes:
        delays: Whether an addition is seen only after `settle`, as there.
    """

    def __init__(self, turn: Turn = no_turn, clock=None):
        self.turn = turn
        self.clock = clock  # None: it does not say when a state changed
        self.known = (
            MailingList(
                list_id=NEWS, purpose_ids=("member_newsletter",), confirmed_opt_in=True, time_zone=ZONE
            ),
            MailingList(list_id=AUTHORS, purpose_ids=("author_newsletter",)),
        )
        self.states: dict[tuple[str, str], ListEntry] = {}
        self.suppressed: set[str] = set()
        self.queued: list[tuple[str, str, str]] = []
        self.delays = False
        self.is_unreachable = False
        self.has_contract = True
        self.hooks: dict[str, list[Registration]] = {}
        self.resubscribed: list[str] = []
        self._numbers = itertools.count()
        self.page_size = 2
        self.asked: list[tuple] = []  # pages
        self.refused: set[tuple[str, str]] = set()  # listings
        self.fails_tests = False
        self.unreadable: set[str] = set()  # addresses

    @property
    def lists(self):
        return Lists(self.known)

    def put(self, list_id, email, state="Active"):
        """Set a state, as somebody there would, now."""
        self._set(list_id, email, state)

    def _set(self, list_id, email, state, name=""):
        local = self.clock and self.clock.now().astimezone(ZoneInfo(ZONE))
        self.states[list_id, normalise(EMAIL, email)] = ListEntry(
            email=email, state=state, name=name, changed=local.strftime("%Y-%m-%d %H:%M:00") if local else ""
        )

    def state(self, list_id, email):
        """Return a state; None: not there."""
        found = self.states.get((list_id, normalise(EMAIL, email)))
        return found and found.state

    def settle(self):
        """Let queued additions take effect."""
        for list_id, email, name in self.queued:
            self._set(list_id, email, "Active", name)
        self.queued.clear()

    async def entry(self, list_id, email):
        await self._call("entry")
        if email in self.unreadable:
            raise Retryable(UNREADABLE, "memory.entry")
        found = self.states.get((list_id, normalise(EMAIL, email)))
        return None if found is None or found.state == "Deleted" else found

    async def add(self, list_id, email, *, name, returns):
        await self._call("add")
        if not self.has_contract:
            raise Permanent("contract_missing", "campaign_monitor")
        if normalise(EMAIL, email) in self.suppressed:
            return "suppressed"
        if self.state(list_id, email) == "Unsubscribed" and not returns:
            return "unsubscribed"
        if self.state(list_id, email) in ("Unsubscribed", "Deleted"):
            self.resubscribed.append(email)
        self.queued.append((list_id, email, name))
        if not self.delays:
            self.settle()
        await self.turn("newsletters.add!")
        return None

    async def stop(self, list_id, email):
        await self._call("stop")
        if self.state(list_id, email) in ("Active", "Unconfirmed"):
            self.put(list_id, email, "Unsubscribed")
        await self.turn("newsletters.stop!")

    async def page(self, list_id, state, *, since, page):
        await self._call("page")
        self.asked.append((list_id, state, since, page))
        if (list_id, state) in self.refused:
            raise Permanent("processor_refused", "memory.page")
        found = [
            entry
            for (held_in, _), entry in sorted(self.states.items())
            if held_in == list_id
            and entry.state.lower() == state
            and (not entry.changed or entry.changed >= since.isoformat())
        ]
        start = (page - 1) * self.page_size
        is_last = start + self.page_size >= len(found)
        return EntryPage(
            entries=tuple(found[start : start + self.page_size]), next_page=None if is_last else page + 1
        )

    async def registrations(self, list_id):
        await self._call("registrations")
        return tuple(self.hooks.get(list_id, ()))

    async def register(self, list_id, url):
        await self._call("register")
        found = self.hooks.setdefault(list_id, [])
        found.append(
            Registration(
                webhook_id=f"hook-{next(self._numbers)}",
                url=url,
                events=("Subscribe", "Deactivate", "Update"),
                is_active=True,
                is_json=True,
            )
        )
        return found[-1].webhook_id

    async def activate(self, list_id, webhook_id):
        await self._call("activate")
        self.hooks[list_id] = [
            one.model_copy(update={"is_active": True}) if one.webhook_id == webhook_id else one
            for one in self.hooks.get(list_id, ())
        ]

    async def remove(self, list_id, webhook_id):
        await self._call("remove")
        self.hooks[list_id] = [one for one in self.hooks[list_id] if one.webhook_id != webhook_id]

    async def test(self, list_id, webhook_id):
        await self._call("test")
        return not self.fails_tests and any(one.webhook_id == webhook_id for one in self.hooks[list_id])

    async def _call(self, name):
        await self.turn(f"newsletters.{name}")
        if self.is_unreachable:
            raise Retryable("processor_unreachable", f"memory.{name}")
