"""Activities: what is done with data, why, on what basis, for whom, and who receives it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared.datamap.entries import NOT_STATED, Frozen, Letter, NotStated, Text
from shared.datamap.retention_rules import Countable
from shared.datamap.stores import Store


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
    may_count_from: tuple[Countable, ...] = ()


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
    identifiers: dict[str, str] = Field(default_factory=dict)
    contract_ref: str | NotStated = NOT_STATED
    transfers: tuple[Transfer, ...] = ()
    flags: tuple[str, ...] = ()

    def name_in(self, language: str) -> str:
        """Return the name in Danish for `da`, in English for anything else; `not_stated`: there is none."""
        return (self.name_da if language == "da" else "") or self.name
