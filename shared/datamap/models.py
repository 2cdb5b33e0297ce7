"""The data map: what the policy says, as frozen models that every decision is read from.

A store is a Cosmos container of documents, a set of shared NDJSON blobs, or one person's blobs under
a prefix. How a person is found in it (`matches`), what each field is and what each right does to it
(`fields`) is data here, not code elsewhere. What the policy does not say is `not_stated`.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from shared.datamap.activities import (
    Activity,
    LegalBasis,
    Portability,
    Purpose,
    Recipient,
    Retention,
    Transfer,
)
from shared.datamap.entries import (
    NOT_STATED,
    PERIOD,
    UNDECIDED,
    Frozen,
    Letter,
    NotStated,
    Said,
    Text,
)
from shared.datamap.families import Family, families_of
from shared.datamap.retention_rules import (
    ActivityDecision,
    BuiltIn,
    CaseDeletion,
    Countable,
    Decision,
    DocumentDeletion,
    Only,
    OwnData,
    OwnDataDecision,
    RetentionRule,
    RuleVersion,
    SetBy,
    Taken,
    Trigger,
    UntilDone,
)
from shared.datamap.stores import (
    Comparison,
    DocumentStore,
    Elements,
    FieldRule,
    FileStore,
    Identifier,
    Keep,
    KeepUntil,
    LineStore,
    Match,
    OnErasure,
    OwnWhen,
    Store,
)

__all__ = [
    "NOT_STATED",
    "PERIOD",
    "UNDECIDED",
    "Activity",
    "ActivityDecision",
    "Backup",
    "BuiltIn",
    "CaseDeletion",
    "Clause",
    "Comparison",
    "Countable",
    "DataMap",
    "Decision",
    "DocumentDeletion",
    "DocumentStore",
    "Elements",
    "Excused",
    "FieldRule",
    "FileStore",
    "Frozen",
    "Identifier",
    "Keep",
    "KeepUntil",
    "LegalBasis",
    "Letter",
    "LineStore",
    "Match",
    "NotStated",
    "OnErasure",
    "Only",
    "OwnData",
    "OwnDataDecision",
    "OwnWhen",
    "Policy",
    "PolicyVersion",
    "Portability",
    "Purpose",
    "Recipient",
    "Retention",
    "RetentionRule",
    "RuleVersion",
    "Said",
    "SetBy",
    "Store",
    "Taken",
    "Text",
    "Transfer",
    "Trigger",
    "UntilDone",
    "rests_on_interest",
]


class Clause(Frozen):
    """A clause of the policy: what it demands in our words, and where it is made true."""

    number: str
    demands: str
    met_by: tuple[str, ...] = Field(min_length=1)  # activity:, recipient:, rule:, right:, module: or planned:
    weakness: str | None = None


class PolicyVersion(Frozen):
    """One published version of the privacy policy in one language; its text is pinned by a checksum.

    `content` is the text itself, read by the loader; it stands in no dump of the map. Source: policy 9.1.
    """

    number: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$")
    language: str = Field(pattern=r"^[a-z]{2}$")
    valid_from: date
    valid_to: date | None = None  # its last day; None: it is the current one
    text: Annotated[str, Field(pattern=r"^[\w-][\w.-]*\.(md|txt|html)$")] | NotStated = NOT_STATED
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of the text's bytes
    new_purposes: tuple[str, ...] = ()  # purposes that no earlier version names
    flags: tuple[str, ...] = ()
    content: str | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="after")
    def _text_is_pinned(self) -> Self:
        if (self.text == NOT_STATED) is not (self.sha256 is None):
            raise ValueError("a text and its sha256 go together")
        if self.content is not None and hashlib.sha256(self.content.encode()).hexdigest() != self.sha256:
            raise ValueError("the text is not the one with this sha256")
        return self


class Excused(Frozen):
    """A container that holds no personal data of data subjects, and why."""

    container: str
    kind: Literal["cosmos", "blob", "queue"]
    reason: str


class Backup(Frozen):
    """How long erased data can still be restored from a platform's own copies."""

    platform: Text
    horizon_days: int = Field(ge=0)
    source: str
    store: Literal["cosmos", "blobs"] | None = None  # where a deployment says how long it is


class Policy(Frozen):
    """What holds for every activity: versions, clauses, periods, copies, identifiers."""

    versions: tuple[PolicyVersion, ...] = Field(min_length=1)
    clauses: tuple[Clause, ...] = Field(min_length=1)
    retention_rules: tuple[RetentionRule, ...]
    # How long what proves a consent stays after its end. Nobody decided: it goes with the sign-up (R2). A
    # period is refused until there is something that keeps it. Source: GDPR article 7(1).
    consent_proof_after_end: NotStated = NOT_STATED
    backups: tuple[Backup, ...]
    excused: tuple[Excused, ...]
    categories: dict[str, Text]
    facts: dict[str, Text] = Field(default_factory=dict)  # what a person can have corrected
    identifiers: tuple[Identifier, ...]
    flag_meanings: dict[str, str] = Field(
        default_factory=dict
    )  # every flag of the map in a sentence an officer reads


def rests_on_interest(activity: Activity, store: Store) -> bool:
    """Whether a store's data is there because of a legitimate interest and nothing else."""
    own = isinstance(store, DocumentStore) and store.database == "compliance"
    return not own and (store.rests_on or activity.legal_basis.supported) == ("f",)


class DataMap(Frozen):
    """The whole map, checked. `digest` is the SHA-256 of its canonical JSON, part of every plan's hash."""

    policy: Policy
    activities: tuple[Activity, ...]
    recipients: tuple[Recipient, ...]
    own_data: tuple[OwnData, ...] = ()
    digest: str

    @cached_property
    def by_store(self) -> Mapping[str, tuple[Activity, Store]]:
        """Every store with its activity, by the store's id."""
        return {store.id: (activity, store) for activity, store in self.stores()}

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The rules with a stored trigger, those that take the same records together."""
        return families_of(self.policy.retention_rules, self.activities)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, changed; what was worked out from the old one is worked out anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            copy.__dict__.pop(name)
        return copy

    def stores(self) -> tuple[tuple[Activity, Store], ...]:
        """Return every store with its activity, in the map's order."""
        return tuple((activity, store) for activity in self.activities for store in activity.stores)

    def as_deployed(self, restorable_days: Mapping[str, int]) -> "DataMap":
        """Return the map with the windows of copies as they are deployed, in days by store; same digest."""
        backups = tuple(
            one.model_copy(update={"horizon_days": restorable_days.get(one.store or "", one.horizon_days)})
            for one in self.policy.backups
        )
        return self.model_copy(update={"policy": self.policy.model_copy(update={"backups": backups})})

    def activity(self, activity_id: str) -> Activity:
        """Return one activity; `KeyError` when the map has no such one."""
        for activity in self.activities:
            if activity.id == activity_id:
                return activity
        raise KeyError(activity_id)

    def purpose(self, purpose_id: str) -> tuple[Activity, Purpose]:
        """Return one purpose with its activity; `KeyError` when the map has no such one."""
        for activity in self.activities:
            for purpose in activity.purposes:
                if purpose.id == purpose_id:
                    return activity, purpose
        raise KeyError(purpose_id)

    def on_interest(self) -> tuple[str, ...]:
        """Return the activities of which something rests on letter f: those an objection can be about.

        Our own register is none of them: it serves the objection. Source: GDPR article 21(1).
        """
        return tuple(
            activity.id
            for activity in self.activities
            if any(rests_on_interest(activity, store) for store in activity.stores)
        )

    def decisions_of(self, activity_id: str) -> tuple[ActivityDecision, ...]:
        """Return what was decided about an activity the policy states no period for, oldest first."""
        return tuple(
            one
            for rule in self.policy.retention_rules
            for one in rule.decisions
            if one.activity == activity_id
        )

    def store(self, store_id: str) -> tuple[Activity, Store]:
        """Return one store with its activity; `KeyError` when the map has no such store."""
        return self.by_store[store_id]

    def rule(self, rule_id: str) -> RetentionRule:
        """Return one retention rule; `KeyError` when the policy has no such one."""
        for rule in self.policy.retention_rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def identifier(self, identifier_id: str) -> Identifier:
        """Return one kind of identifier; `KeyError` when the map has no such kind."""
        for identifier in self.policy.identifiers:
            if identifier.id == identifier_id:
                return identifier
        raise KeyError(identifier_id)
