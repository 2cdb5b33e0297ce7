"""The data map: what the policy says, as frozen models that every decision is read from.

A store is a Cosmos container of documents, a set of shared NDJSON blobs, or one person's blobs under
a prefix. How a person is found in it (`matches`), what each field is and what each right does to it
(`fields`) is data here, not code elsewhere. What the policy does not say is `not_stated`.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.domain.retention import Term, UseScope
from shared.domain.rights import Right

NOT_STATED: Literal["not_stated"] = "not_stated"
NotStated = Literal["not_stated"]
UNDECIDED: Literal["undecided"] = "undecided"
PERIOD = r"^P[1-9]\d{0,2}[YM]$"  # whole calendar years or months
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Letter = Literal["a", "b", "c", "f"]


class Frozen(BaseModel):
    """Base of every map entry: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Text(Frozen):
    """Words a data subject reads, in each language letters are written in."""

    en: str = Field(min_length=1)
    da: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """Return the words in `language`, English where the language is unknown."""
        return self.da if language == "da" else self.en


class Comparison(StrEnum):
    """How two values of one identifier are compared."""

    EXACT = "exact"
    CASE_INSENSITIVE = "case_insensitive"


class Identifier(Frozen):
    """A kind of value that finds a person's records.

    `shared` identifiers (an installation) belong to several people: they narrow a search and never
    widen a person. More than `at_most` values for one person means the map found more than one person.
    """

    id: str
    title: Text
    comparison: Comparison = Comparison.EXACT
    shared: bool = False
    at_most: int = Field(ge=1, le=1000)


class OnErasure(StrEnum):
    """What an erasure does to one field."""

    ERASE = "erase"  # goes; a record whose fields all go is deleted
    MASK = "mask"  # overwritten; the record stays, because it is about more than this person
    KEEP = "keep"  # stays while `keep` gives a reason
    FOLLOW = "follow"  # keys and technical fields: share the fate of their record


class KeepUntil(Frozen):
    """The last day of a keeping duty: `period` after the date at `path`, as `counted_from` says."""

    path: str = Field(pattern=r"^/")
    period: str = Field(pattern=PERIOD)
    counted_from: Literal["date", "end_of_calendar_year"] = "date"


class Keep(Frozen):
    """Why a field stays after an erasure, by which provision, and until when (`not_stated`: no date)."""

    reason: Text
    provision: str
    until: KeepUntil | NotStated = NOT_STATED


class OwnWhen(Frozen):
    """A value is the person's in records with `equals` at `path`; in every other it is somebody else's."""

    path: str = Field(pattern=r"^/")
    equals: str = Field(min_length=1)


class FieldRule(Frozen):
    """One field of a stored record. `path` is a JSON pointer; below `elements` it starts at the element."""

    path: str = Field(pattern=r"^(/[A-Za-z0-9_]+)+$")
    type: Literal["string", "integer", "number", "boolean", "datetime", "date", "object", "array"]
    title: Text
    category: str
    about: Literal["subject", "other", "organisation", "system"] = "subject"
    source: Literal["subject", "customer", "observed", "derived", "system"]
    required: bool = False
    on_erasure: OnErasure = OnErasure.ERASE
    mask_with: str | None = None
    keep: Keep | None = None
    portable: bool = False
    identifier: str | None = None  # the value is an identifier of this kind of the same person
    fact: str | None = None  # the same fact of a person, such as a name, wherever it is stored
    off_by: tuple[Right, ...] = ()  # a choice that these rights switch off
    choice_of: str | None = None  # the purpose it is a choice of: a consent to it given later keeps it on
    hides: tuple[str, ...] = ()  # names inside the value that are other people's
    own_when: OwnWhen | None = None  # None: as `about` says, in every record


class Match(Frozen):
    """A record is the person's when the value at `path` is one of the person's `identifier` values."""

    identifier: str
    path: str = Field(pattern=r"^/")
    many: bool = False  # the path holds an array of values


class Elements(Frozen):
    """An array inside a shared document of which single elements are one person's."""

    path: str = Field(pattern=r"^/")
    matches: tuple[Match, ...] = Field(min_length=1)
    surroundings: tuple[str, ...] = ()  # paths of the document shown beside the element, never erased


class _StoreBase(Frozen):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    container: str
    fields: tuple[FieldRule, ...] = ()
    locator: bool = False  # searched to follow identifiers, so it must be small per person
    ends_with: tuple[Right, ...] = ()  # rights that erase its records although no erasure was asked for
    consented_at_path: str | None = Field(default=None, pattern=r"^/")  # when the consent it shows was given
    rests_on: tuple[Letter, ...] = ()  # its own legal basis, where it differs from the activity's
    customer_path: str | None = Field(default=None, pattern=r"^/")  # names the customer a record belongs to
    created_path: str | None = Field(default=None, pattern=r"^/")  # when a record came to be; None: unknown


class DocumentStore(_StoreBase):
    """Documents of one Cosmos container; with `elements`, only array elements of them are a person's."""

    kind: Literal["documents"]
    database: Literal["clicklearn", "compliance"] = "clicklearn"
    partition_key: str = Field(pattern=r"^/")
    matches: tuple[Match, ...] = ()
    elements: Elements | None = None


class LineStore(_StoreBase):
    """NDJSON blobs shared by many people; `prefix` may name one identifier, as in `{installation_id}/`."""

    kind: Literal["lines"]
    prefix: str = ""
    matches: tuple[Match, ...] = Field(min_length=1)


class FileStore(_StoreBase):
    """Blobs below a prefix that is one person's, as in `{author_id}/`; each is erased whole."""

    kind: Literal["files"]
    prefix: str = Field(pattern=r"\{[a-z_]+\}")


Store = DocumentStore | LineStore | FileStore


class Purpose(Frozen):
    """One purpose of an activity; each can be stopped alone."""

    id: str
    title: Text
    clause: str
    marketing: bool = False  # direct marketing or the profiling for it, GDPR article 21(2)
    needs_consent: bool = False
    rests_on: tuple[Letter, ...] = ()  # its own legal basis, where it differs from the activity's


class LegalBasis(Frozen):
    """Letters of GDPR article 6(1): as the policy states them and as they can be defended."""

    stated: tuple[Letter, ...]
    supported: tuple[Letter, ...]
    interest: Text | NotStated = NOT_STATED


class Retention(Frozen):
    """How long an activity's data stays. `rule` names the entry in the policy's retention rules.

    Where the policy states no period, `may_count_from` says what a decision of the controller may count from.
    """

    rule: str | NotStated
    further_rules: tuple[str, ...] = ()  # the earliest date of all rules counts
    criteria: Text
    may_count_from: tuple["Countable", ...] = ()


class Portability(Frozen):
    """Whether article 20 covers the activity, and why or why not."""

    applies: bool
    why: Text


class Activity(Frozen):
    """One activity of the policy's section 2, 3.1 or 5.3, or our own register of requests."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    clauses: tuple[str, ...] = Field(min_length=1)
    role: Literal["controller", "processor"] = "controller"
    role_contested: bool = False
    subject_types: tuple[str, ...] = Field(min_length=1)
    purposes: tuple[Purpose, ...] = Field(min_length=1)
    legal_basis: LegalBasis
    source: Text
    recipients: tuple[str, ...]
    retention: Retention
    portability: Portability
    profiling: Text | None = None  # plain words on profiling; None: none takes place
    flags: tuple[str, ...] = ()
    stores: tuple[Annotated[Store, Field(discriminator="kind")], ...] = Field(min_length=1)


class Transfer(Frozen):
    """One mechanism for a transfer to a third country and the days it holds. None: open end."""

    country: str
    importer: str
    mechanism: str | NotStated
    valid_from: date | None = None
    valid_to: date | None = None
    evidence: str | NotStated = NOT_STATED


class Recipient(Frozen):
    """Somebody outside who receives personal data.

    `purposes`: the only ones it gets data for; empty: those of every activity that names it. `contact`: where
    notices under article 19 are mailed, in `contact_language`; not stated: staff tell it. `identifiers`: how
    it knows people other than by their address, our kind of identifier to its own field; empty: it does not.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    name_da: str = ""  # where the name is a description; the name of a company is the same in every language
    kind: Literal["processor", "controller", "customer"]
    clause: str
    what_for: Text
    data: Text
    purposes: tuple[str, ...] = ()
    contact: str | NotStated = NOT_STATED
    contact_language: Literal["en", "da"] = "en"
    identifiers: dict[str, str] = {}
    contract_ref: str | NotStated = NOT_STATED
    transfers: tuple[Transfer, ...] = ()
    flags: tuple[str, ...] = ()

    def name_in(self, language: str) -> str:
        """Return the name in Danish for `da`, in English for anything else; `not_stated`: there is none."""
        return (self.name_da if language == "da" else "") or self.name


class Only(Frozen):
    """Some records of a store: those whose value at `path` is one of these."""

    path: str = Field(pattern=r"^/")
    values: tuple[str, ...] = Field(min_length=1)


class Trigger(Frozen):
    """Where the days are stored that start a rule's period.

    The latest of `paths` counts; where none of them holds a date, the latest of `otherwise`. `group` names
    what the day is about: an installation, a licence, a membership. `ended_by` holds the date that stops the
    period. A date in the future counts from the day its record came in, unless it is a `planned` end.
    """

    store: str
    group: str = Field(pattern=r"^/")
    paths: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    only: Only | None = None
    ended_by: str | None = Field(default=None, pattern=r"^/")
    customer_path: str | None = Field(default=None, pattern=r"^/")
    planned: bool = False
    directory: bool = True  # its records say by themselves whose time may be over; False: one of many events


class Taken(Frozen):
    """A store of which records go by a rule. `by` names their group; None: they go when every group does."""

    store: str
    by: str | None = Field(default=None, pattern=r"^/")


class Countable(Frozen):
    """Stored days that a period may count from where the policy states none, and what would go by it.

    `title` goes on from a period: "after the order was shipped". Nothing goes by it before it is decided.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    reset_by: Text | None = None
    erased_with_it: Text
    scope: UseScope = UseScope.RECORD
    triggers: tuple[Trigger, ...] = Field(min_length=1)
    takes: tuple[Taken, ...] = Field(min_length=1)


class Decision(Frozen):
    """Who decided when and why on a period that the policy does not state, and from when on it is executed.

    `reason` and `decided_by` are for staff. A later decision about the same is a later version of the rule:
    `applies_to_existing` names the basis on which data collected before may stay longer.
    """

    decided_by: Said
    decided_at: AwareDatetime
    reason: Said
    effective_from: date  # the first day of it in Copenhagen
    period: str = Field(pattern=PERIOD)
    applies_to_existing: Said | None = None


class ActivityDecision(Decision):
    """A decision about an activity; `trigger` is one of what its period `may_count_from`."""

    activity: str
    trigger: str


class OwnDataDecision(Decision):
    """A decision about data of our own, by its id."""

    own_data: str


class CaseDeletion(Frozen):
    """Closed cases go whole, counted from the day each was closed."""

    kind: Literal["cases"]


class DocumentDeletion(Frozen):
    """Documents of one store go, each counted from its own day at `path`."""

    kind: Literal["documents"]
    store: str
    path: str = Field(pattern=r"^/")


class SetBy(Frozen):
    """A setting of the deployment says how many days."""

    setting: str = Field(pattern=r"^[A-Z_]+_DAYS$")


class BuiltIn(Frozen):
    """A number of days that the code has."""

    days: int = Field(ge=1)


class UntilDone(Frozen):
    """No period: it goes when something else does."""

    until: str = Field(min_length=1)


class OwnData(Frozen):
    """Data of our own that lies beside the systems of record: where, how long, and what makes it go.

    `held_in`: places such as `cosmos:requests`. `kept` undecided: nobody said, so it stays. `deletes`: what
    executes a decision; None: nothing does, and none is taken. `required`: a production deployment needs to
    know how long. `counted_from` goes on from a period and "after".
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    counted_from: Text
    held_in: tuple[str, ...] = Field(min_length=1)
    kept: Literal["undecided"] | SetBy | BuiltIn | UntilDone
    required: bool = False
    deletes: Annotated[CaseDeletion | DocumentDeletion, Field(discriminator="kind")] | None = None
    decisions: tuple[OwnDataDecision, ...] = ()  # oldest first; they stand in a file of their own

    @property
    def terms(self) -> tuple[Term, ...]:
        """The versions of what was decided, oldest first. Empty: nothing was."""
        return tuple(
            Term(
                period=one.period,
                valid_from=one.effective_from,
                applies_to_existing=one.applies_to_existing is not None,
            )
            for one in self.decisions
        )


class RuleVersion(Frozen):
    """What a rule says from a day on. `period` None: at once.

    `valid_from` is its first day in Copenhagen; None: it always held. `applies_to_existing`: the new basis on
    which data collected before that day may stay longer than under the version before.
    """

    valid_from: date | None = None
    period: str | None = Field(default=None, pattern=PERIOD)
    applies_to_existing: Said | None = None


class RetentionRule(RuleVersion):
    """A period the policy states or a decision sets, in its last version. Source: policy section 5.

    `scope` says whose later use keeps data; `takes`, which stores the rule empties; `earlier`, what it said
    before, oldest first.
    """

    id: str
    clause: str
    title: Text
    trigger: str
    earlier: tuple[RuleVersion, ...] = ()
    reset_by: Text | None = None
    erased_with_it: Text
    scope: UseScope = UseScope.PERSON
    warns: bool = False  # who it is about is told some days before, where the controller says how many
    triggers: tuple[Trigger, ...] = ()
    takes: tuple[Taken, ...] = ()
    decisions: tuple[ActivityDecision, ...] = ()  # what made it, oldest first; empty: the policy states it

    @property
    def terms(self) -> tuple[Term, ...]:
        """Its versions, oldest first; there is always one."""
        versions: tuple[RuleVersion, ...] = (*self.earlier, self)
        return tuple(
            Term(
                period=one.period,
                valid_from=one.valid_from,
                applies_to_existing=one.applies_to_existing is not None,
            )
            for one in versions
        )


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
    facts: dict[str, Text] = {}  # what a person can have corrected
    identifiers: tuple[Identifier, ...]
    flag_meanings: dict[str, str] = {}  # every flag of the map in a sentence an officer reads


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
        for activity, store in self.stores():
            if store.id == store_id:
                return activity, store
        raise KeyError(store_id)

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
