"""What must be true of scheduled deletion: watched whenever something goes, and when all is quiet."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from devtools.demo.retention.civil import local_day
from devtools.demo.retention.estate import Estate, Item
from devtools.demo.retention.rules import Fate, Verdict, verdicts
from shared.domain.times import copenhagen_day
from tests.factories import World
from tests.simulation.watching import Violation
from tests.unit.services.retention_histories import ARCHIVE, SYSTEMS, estate_of
from tests.unit.services.retention_stories import Delays

_READS = ("documents.page", "documents.get", "documents.search", "controls.read")


class RetentionWatcher:
    """Asks the slow checker what may go, of what is there and of what would be had nothing gone yet.

    A handler asks and then destroys; what people do between the two it cannot know. So an item may go that
    was due at any moment since the handler last began to ask, or in the minutes for which single events, of
    which a directory was not told, need not be asked again.
    """

    def __init__(self, world: World, delays: Delays) -> None:
        self.world = world
        self.delays = delays
        self.step = 0
        self.run: Any = None  # the one that is at work; None: a product or a member of staff
        self._whole: dict[tuple[str, str, str], Any] = {}  # as if nothing had gone
        self._lines: defaultdict[str, list[bytes]] = defaultdict(list)
        self._last: dict[tuple[str, str, str], Any] = {}
        self._versions: list[tuple[int, datetime, frozenset[Item]]] = []
        self._reading_from: dict[int, int] = {}
        self._asked_from: dict[int, int] = {}
        self._wrap()
        self.look(0)

    def look(self, step: int) -> None:
        """Take in what products and staff just did."""
        estate = estate_of(self.world)
        for key, body in estate.documents.items():
            if self._last.get(key) != body:
                self._whole[key] = body
        for name, lines in estate.lines.items():
            self._lines[name] += [line for line in lines if line not in self._lines[name]]
        self._last = dict(estate.documents)
        self._versions.append((step, self.world.clock.now(), self._due()))

    def gave_way(self, place: str) -> None:
        """Note when the one at work began to ask, and when it asked."""
        who = id(self.run)
        if place in _READS:
            self._reading_from.setdefault(who, self.step)
        if place == "controls.read":
            self._asked_from[who] = self._reading_from.pop(who)

    def took_effect(self, place: str) -> None:
        """Look at what a port just changed."""
        if place.startswith("cases."):
            self._one_case_at_a_time()

    def at_rest(self) -> None:
        """Nothing that is due is there any more, no case is at work, and the run of the day is done."""
        today = local_day(self.world.clock.now())
        found = self._verdicts(estate_of(self.world))
        left = [f"{item}: {one.why}" for item, one in found.items() if one.fate is Fate.GOES]
        if left:
            raise Violation(f"left on {today}: {'; '.join(left)}")
        open_cases = [one.state for one in self._open()]
        if open_cases:
            raise Violation(f"still at work: {open_cases}")
        last = max(self.world.retention_runs.rows)
        if last != copenhagen_day(self.world.clock.now()).isoformat():
            raise Violation(f"the last run was on {last}")
        doubted = {one.document_id for one in self.world.retention_runs.watched() if one.doubt is not None}
        undated = {
            item.name.rpartition('"')[2]
            for item, one in found.items()
            if one.fate is Fate.DOUBT and item.store == "licences" and one.person
        }
        if not undated <= doubted:
            raise Violation(f"nobody is told of {sorted(undated - doubted)}")
        if not doubted <= {name for _, _, name in estate_of(self.world).documents}:
            raise Violation("what is gone is still in doubt")

    def _wrap(self) -> None:
        documents, blobs = self.world.documents, self.world.blobs
        change, commit, erase = documents._change, blobs.commit, blobs.erase

        def watched_change(store: Any, one: Any) -> Any:
            if store.container not in SYSTEMS:
                return change(store, one)
            before = estate_of(self.world)
            result = change(store, one)
            self._went(before)
            return result

        async def watched_commit(blob: Any, block_ids: Any) -> None:
            before = estate_of(self.world)
            await commit(blob, block_ids)
            if blob.container == ARCHIVE:
                self._went(before)

        async def watched_erase(blob: Any) -> Any:
            before = estate_of(self.world)
            result = await erase(blob)
            if blob.container == ARCHIVE:
                self._went(before)
            return result

        documents._change = watched_change
        blobs.commit, blobs.erase = watched_commit, watched_erase

    def _went(self, before: Estate) -> None:
        estate = estate_of(self.world)
        old, new = before.items(), estate.items()
        self._last = dict(estate.documents)
        altered = [item for item in old.keys() & new.keys() if old[item] != new[item]]
        if altered:
            raise Violation(f"altered: {altered}")
        gone = old.keys() - new.keys()
        if not gone:
            return
        since = self._asked_from.get(id(self.run))
        if since is None:
            raise Violation("destroyed without asking")
        may: set[Item] = set(self._due())
        known_for = timedelta(seconds=self.world.limits.events_asked_seconds)
        for step, at, due in reversed(self._versions):
            may |= due
            if step <= since and at <= self.world.clock.now() - known_for:
                break
        if not gone <= may:
            raise Violation(f"too early: {sorted(gone - may)}")
        self._versions.append((self.step, self.world.clock.now(), self._due()))

    def _due(self) -> frozenset[Item]:
        whole = Estate(documents=self._whole, lines=self._lines)
        return frozenset(
            item
            for estate in (whole, estate_of(self.world))
            for item, one in self._verdicts(estate).items()
            if one.fate is Fate.GOES
        )

    def _verdicts(self, estate: Estate) -> dict[Item, Verdict]:
        return verdicts(estate, today=local_day(self.world.clock.now()), delays=tuple(self.delays))

    def _open(self) -> list[Any]:
        found = [self.world.cases.request(request_id) for request_id in self.world.cases.partitions]
        return [one for one in found if not one.is_final]

    def _one_case_at_a_time(self) -> None:
        for one, other in combinations(self._open(), 2):
            is_part = one.is_of_several != other.is_of_several and one.scope == other.scope
            same = one.scope.rule_ids == other.scope.rule_ids
            if same and not is_part and set(one.subject_keys) & set(other.subject_keys):
                raise Violation(f"two cases about one person: {one.request_id} {other.request_id}")
