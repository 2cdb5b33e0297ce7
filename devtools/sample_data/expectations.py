"""What a request by e-mail should find and erase, counted from who the people are.

This is the other opinion that the demo and the tests hold the app against, so nothing here reads the map.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from devtools.sample_data.everything import blobs, disclosures, documents
from devtools.sample_data.person import AS_OF, SamplePerson
from devtools.sample_data.records import LineBlob

BY_USER_ID = frozenset(
    {"usage_events", "installations", "usage_archive", "cloud_activity", "customer_reports"}
)
_SHARED_DOCUMENTS = frozenset({"customer_reports", "licences"})
_BOOK_YEARS = 5


@dataclass(frozen=True, kw_only=True)
class StoreExpectation:
    """Counts for one store.

    Attributes:
        found: Documents, lines or blobs that are about the person, each shared document counted once.
        erased: Those that go as a whole: documents, lines, blobs.
        rewritten: Documents or blobs that stay without the person's part.
        kept: Those of which something about the person stays, with a reason.
    """

    found: int
    erased: int = 0
    rewritten: int = 0
    kept: int = 0


class Expectations:
    """The counts of everybody, made in one pass.

    Somebody whose user id no address leads to has nothing that hangs on it: a request by e-mail cannot
    find it.
    """

    def __init__(self, everyone: Sequence[SamplePerson]) -> None:
        self._people = {person.key: person for person in everyone}
        self._found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._line_blobs: Counter[tuple[str, str]] = Counter()
        self._invoice_years: defaultdict[str, list[int]] = defaultdict(list)
        for record in documents(everyone):
            self._count(record.container, record.owners)
            if record.container == "orders":
                for owner in record.owners:
                    self._invoice_years[owner].append(int(record.body["invoice_on"][:4]))
        for record in disclosures(everyone, lambda kind, _value: kind):
            self._count(record.container, record.owners, by_user_id=record.body["subject_key"] == "user_id")
        for blob in blobs(everyone):
            store = blob.container.replace("-", "_")
            if not isinstance(blob, LineBlob):
                self._count(store, (blob.owner,))
                continue
            self._count(store, (owner for owner, _ in blob.lines))
            self._line_blobs.update((owner, store) for owner in {owner for owner, _ in blob.lines})

    def of(self, person: SamplePerson, *, on: date | None = None) -> dict[str, StoreExpectation]:
        """Return the counts by store id, if erased on the day `on`; a store that is missing has nothing."""
        return {
            store: self._expect(person, store, found, on or AS_OF.date())
            for store, found in sorted(self._found[person.key].items())
        }

    def kept_values(self, person: SamplePerson, *, on: date | None = None) -> dict[str, tuple[str, ...]]:
        """Return by container which markers an erasure rightly leaves: the name on invoices still kept."""
        orders = self.of(person, on=on).get("orders")
        return {"orders": (person.name,)} if orders is not None and orders.kept else {}

    def _count(self, store: str, owners: Iterable[str], *, by_user_id: bool = False) -> None:
        for owner in owners:
            if self._people[owner].is_known_by_user_id or not (by_user_id or store in BY_USER_ID):
                self._found[owner][store] += 1

    def _expect(self, person: SamplePerson, store: str, found: int, day: date) -> StoreExpectation:
        if store == "disclosures":
            return StoreExpectation(found=found, kept=found)
        if store in _SHARED_DOCUMENTS:
            return StoreExpectation(found=found, rewritten=found)
        if store == "orders":
            years = self._invoice_years[person.key]
            kept = sum(1 for year in years if day.year <= year + _BOOK_YEARS)
            return StoreExpectation(found=found, erased=found - kept, rewritten=kept, kept=kept)
        blobs_changed = self._line_blobs[person.key, store]
        return StoreExpectation(found=found, erased=found, rewritten=blobs_changed)


def expected(
    person: SamplePerson, everyone: Sequence[SamplePerson], *, on: date | None = None
) -> dict[str, StoreExpectation]:
    """Return one person's counts by store id; for many people, make `Expectations` once instead."""
    return Expectations(everyone).of(person, on=on)
