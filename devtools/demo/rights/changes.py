"""What each case may change of its person's data, and whether exactly that happened. The app has no say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings
from devtools.demo.owners import SHARED_DOCUMENTS, Gone, Owners, content_of, gone, is_of, store_of
from devtools.sample_data import BLOB_CONTAINERS, CONTAINERS, Expectations, SamplePerson
from devtools.sample_data.records import own_documents

EVERYWHERE = frozenset({*(one.name for one in CONTAINERS), *BLOB_CONTAINERS})
ON_INTEREST = frozenset(
    {
        *("usage_events", "installations", "usage-archive", "cloud_activity", "customer_reports"),
        *("cloud-access-log", "authors", "author_behaviour", "author-files", "usage_links"),
    }
)
_USED_AT = {"installations": "last_used_at", "usage_events": "at"}
_KEPT_AFTER_USE = timedelta(days=365)
_MEMBERSHIP = frozenset({"members", "usage_links"})
_USAGE = frozenset({"usage_events", "installations", "usage-archive", "usage_links"})
_LINE_STORES = frozenset({"usage_archive", "cloud_access_log"})
_OFF = "newsletter"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one person's data, by container; everything else stays as it was.

    `erased`: all of the person goes, but what the law keeps. `renamed`: the name is corrected and nothing
    else. `switched_off`: the choice of the newsletter is taken back and nothing else.
    """

    erased: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    switched_off: frozenset[str] = frozenset()

    @property
    def containers(self) -> frozenset[str]:
        """Where anything changes."""
        return self.erased | self.renamed | self.switched_off


CHANGES = {
    "erasure": Change(erased=EVERYWHERE),
    "several": Change(erased=EVERYWHERE),
    "objection": Change(erased=ON_INTEREST),
    "extension": Change(erased=ON_INTEREST),  # an objection too, upheld after the first date
    "restriction": Change(erased=_MEMBERSHIP),  # it had ended, so that it goes when nothing stands before it
    "marketing_objection": Change(
        erased=frozenset({"newsletter_signups", "usage_links"}), switched_off=frozenset({"members"})
    ),
    "withdrawal": Change(erased=frozenset({"newsletter_signups"}), switched_off=frozenset({"members"})),
    "rectification": Change(
        # not the invoices, which stay as they were written, and not the author's own files
        renamed=frozenset({"members", "authors", "newsletter_signups", "licences", "customer_reports"})
    ),
}
"""By case. Who plays another one keeps everything."""


def changes_of(cast: Mapping[str, SamplePerson], *, lifted_on: date) -> dict[str, Change]:
    """Return every case's change, with all that was due on the day the restriction was lifted."""
    uses = [
        datetime.fromisoformat(record.body[_USED_AT[record.container]]).date()
        for record in own_documents(cast["restriction"])
        if record.container in _USED_AT
    ]
    # The made-up data describes one day; a year after it the use of the product is long ago.
    is_due = bool(uses) and lifted_on > max(uses) + _KEPT_AFTER_USE
    due = Change(erased=_MEMBERSHIP | _USAGE if is_due else _MEMBERSHIP)
    return {**CHANGES, "restriction": due}


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Compares two moments. `owners`: whose everything was at the first."""

    owners: Owners
    expectations: Expectations
    before: Holdings
    after: Holdings
    findings: Findings

    def judge(self, case: str, person: SamplePerson, change: Change, *, new_name: str = "") -> int:
        """Note where a person's data did not change as it should, and return how many records did."""
        counted = gone(person, self.owners, self.before, self.after)
        changed = change.renamed | change.switched_off  # looked at record by record below
        left = {store: one for store, one in counted.items() if store not in changed}
        self.findings.equal(left, self._wanted(person, change), f"gone by store in the case {case}")
        for container in sorted(change.renamed):
            self._check(case, person, container, lambda body: _renamed(body, person.name, new_name))
        for container in sorted(change.switched_off):
            self._check(case, person, container, lambda body: {**body, _OFF: False})
        return sum(one.erased + one.rewritten for one in counted.values())

    def _wanted(self, person: SamplePerson, change: Change) -> dict[str, Gone]:
        stores = {store_of(container) for container in change.erased}
        return {
            store: Gone(erased=one.erased, rewritten=0 if store in _LINE_STORES else one.rewritten)
            for store, one in self.expectations.of(person).items()
            if store in stores and (one.erased or one.rewritten)
        }

    def _check(self, case: str, person: SamplePerson, container: str, changed: Any) -> None:
        """Note each record of a container that is not what it was before but for the change."""
        elements = SHARED_DOCUMENTS.get(container)
        for place, keys in self.owners.documents.items():
            if place.container != container or person.key not in keys:
                continue
            was, now = (one.documents.get(place, {}) for one in (self.before, self.after))
            if elements is None:
                right = content_of(now) == changed(content_of(was))
            else:  # what others have in it is theirs to change
                mine = [
                    [one for one in body.get(elements, ()) if is_of(one, [person])] for body in (was, now)
                ]
                right = mine[1] == [changed(one) for one in mine[0]]
            self.findings.expect(right, f"{place} is not as it should be in the case {case}")


def _renamed(body: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return a record with a name in place of another, wherever it stands."""
    text = json.dumps(body, ensure_ascii=False)
    return dict(
        json.loads(text.replace(json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False)))
    )
