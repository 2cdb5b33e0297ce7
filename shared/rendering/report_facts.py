"""The facts an access answer is made from."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.contacts import Contacts


@dataclass(frozen=True, kw_only=True)
class StoreFinding:
    """What was collected from one store. `redactions` are reasons with their counts."""

    store_id: str
    records: int
    files: int
    pages: int
    redactions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """A row of the ledger of what was handed to whom. `recipient_id` may be unknown to the map."""

    recipient_id: str
    disclosed_at: datetime
    fields: tuple[str, ...]
    purpose: str
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class HeldFact:
    """A legal hold. `activity_id` `all` covers every activity."""

    activity_id: str
    reason: str
    review_on: date | None


@dataclass(frozen=True, kw_only=True)
class AccessReport:
    """The facts of one person's access answer.

    `restrictions` are grounds; `suppressions` reasons with the day since when; `policy_versions_shown`
    version numbers. Findings without records and files, or no findings, say that nothing is held.
    `done_before` are stores with how many records the same message already erased or changed: they are not
    in this copy, or not as they were.
    """

    request_id: str
    language: str
    received_at: datetime
    prepared_at: datetime
    contacts: Contacts
    findings: tuple[StoreFinding, ...]
    disclosures: tuple[Disclosure, ...]
    holds: tuple[HeldFact, ...]
    restrictions: tuple[str, ...]
    suppressions: tuple[tuple[str, date], ...]
    policy_versions_shown: tuple[str, ...]
    package_expires_at: datetime
    done_before: tuple[tuple[str, int], ...] = ()
