"""The oracle that knows the people and the map that knows the stores come to the same counts."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pytest

from devtools.sample_data import (
    AS_OF,
    Expectations,
    LineBlob,
    Role,
    SamplePerson,
    StoreExpectation,
    blobs,
    by_role,
    disclosures,
    documents,
    expected,
)
from shared.datamap.models import DataMap, DocumentStore, FileStore, Store
from shared.datamap.treatment import Verdict, belongs, erase_elements, erase_record, found_identifiers
from shared.domain.identifiers import Identifiers, Pseudonymiser, merged
from tests.unit.sample_data.conftest import WRITTEN_BY_THE_APP

KEYS = Pseudonymiser(b"a key of a test, thirty-two bytes or more")


class MapView:
    """Finds and judges a person's records by the map alone, all in memory."""

    def __init__(self, datamap: DataMap, everyone: Sequence[SamplePerson]) -> None:
        self._datamap = datamap
        self._documents: dict[str, list[dict[str, object]]] = {}
        for record in (*documents(everyone), *disclosures(everyone, KEYS.subject_key)):
            self._documents.setdefault(record.container, []).append(record.body)
        self._blobs = list(blobs(everyone))

    def resolve(self, email: str) -> Identifiers:
        identifiers: Identifiers = {"email": (email,)}
        while True:
            found = [
                pair
                for _, store in self._datamap.stores()
                if isinstance(store, DocumentStore) and store.locator
                for body in self._documents.get(store.container, ())
                if belongs(body, store.matches, self._datamap, identifiers)
                for pair in found_identifiers(body, store.fields)[0]
            ]
            following = merged(identifiers, found)
            if following == identifiers:
                break
            identifiers = following
        keys = tuple(
            KEYS.subject_key(kind, value)
            for kind, values in identifiers.items()
            if not self._datamap.identifier(kind).shared
            for value in values
        )
        return {**identifiers, "subject_key": keys}

    def counts(self, email: str, *, on: date) -> dict[str, StoreExpectation]:
        identifiers = self.resolve(email)
        counted = {
            store.id: self._count(store, identifiers, on)
            for _, store in self._datamap.stores()
            if store.id not in WRITTEN_BY_THE_APP
        }
        return {store_id: count for store_id, count in counted.items() if count.found}

    def _count(self, store: Store, identifiers: Identifiers, on: date) -> StoreExpectation:
        if isinstance(store, DocumentStore):
            return self._count_documents(store, identifiers, on)
        prefixes = [
            store.prefix.format(**{kind: value})
            for kind, values in identifiers.items()
            if f"{{{kind}}}" in store.prefix
            for value in values
        ]
        if store.prefix == "":
            prefixes = [""]
        below = [
            blob
            for blob in self._blobs
            if blob.container == store.container and blob.name.startswith(tuple(prefixes))
        ]
        if isinstance(store, FileStore):
            return StoreExpectation(found=len(below), erased=len(below))
        lines = Counter(
            blob.name
            for blob in below
            if isinstance(blob, LineBlob)
            for _, line in blob.lines
            if belongs(line, store.matches, self._datamap, identifiers)
        )
        return StoreExpectation(found=lines.total(), erased=lines.total(), rewritten=len(lines))

    def _count_documents(self, store: DocumentStore, identifiers: Identifiers, on: date) -> StoreExpectation:
        found, verdicts, kept = 0, Counter[Verdict](), 0
        for body in self._documents.get(store.container, ()):
            if store.elements is not None:
                mine = any(
                    belongs(element, store.elements.matches, self._datamap, identifiers)
                    for element in body[store.elements.path.removeprefix("/")]  # type: ignore[attr-defined]
                )
            else:
                mine = belongs(body, store.matches, self._datamap, identifiers)
            if not mine:
                continue
            found += 1
            if store.elements is not None:
                treated = erase_elements(
                    body, store.elements, store.fields, self._datamap, identifiers, today=on
                )
            else:
                treated = erase_record(body, store.fields, today=on)
            verdicts[treated.verdict] += 1
            kept += bool(treated.kept)
        assert not verdicts[Verdict.UNDECIDABLE], store.id
        return StoreExpectation(
            found=found, erased=verdicts[Verdict.ERASE], rewritten=verdicts[Verdict.REWRITE], kept=kept
        )


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("on", [AS_OF.date(), date(2031, 6, 1), date(2032, 1, 1)])
def test_map_and_oracle_agree(
    datamap: DataMap, everyone: Sequence[SamplePerson], expectations: Expectations, role: Role, on: date
) -> None:
    person = by_role(everyone, role)

    assert MapView(datamap, everyone).counts(person.asks_as, on=on) == expectations.of(person, on=on)


def test_map_and_oracle_agree_on_everybody(
    datamap: DataMap, everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    view = MapView(datamap, everyone)
    for person in everyone[::10]:
        assert view.counts(person.asks_as, on=AS_OF.date()) == expectations.of(person), person.key


def test_both_addresses_of_a_person_find_the_same(datamap: DataMap, everyone: Sequence[SamplePerson]) -> None:
    person = by_role(everyone, Role.TWO_ADDRESSES)
    view = MapView(datamap, everyone)

    one, other = (view.counts(email, on=AS_OF.date()) for email in person.emails)

    assert one == other
    assert {"authors", "members", "orders", "newsletter_signups"} <= set(one)


def test_nobody_exceeds_what_one_person_may_have(datamap: DataMap, everyone: Sequence[SamplePerson]) -> None:
    view = MapView(datamap, everyone)
    for person in everyone[:20]:
        for kind, found in view.resolve(person.asks_as).items():
            assert len(found) <= datamap.identifier(kind).at_most, (person.key, kind)


def test_invoice_that_need_not_be_kept_goes_whole(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    person = by_role(everyone, Role.OLD_INVOICE)

    assert expectations.of(person)["orders"] == StoreExpectation(found=1, erased=1)
    assert expectations.kept_values(person) == {}


def test_name_stays_on_invoices_until_their_last_day(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    person = by_role(everyone, Role.EVERYTHING)

    assert expectations.of(person)["orders"] == StoreExpectation(found=4, rewritten=4, kept=4)
    assert expectations.kept_values(person) == {"orders": (person.name,)}
    assert expectations.kept_values(person, on=date(2032, 1, 1)) == {}


def test_single_person_is_expected_like_in_the_whole(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    person = by_role(everyone, Role.CONSULTANT)

    assert expected(person, everyone) == expectations.of(person)
