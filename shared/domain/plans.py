"""The plan of one right for one person: what will be done to which store, and a hash that binds it."""

import hashlib
import json
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.domain.rights import Right


class Action(StrEnum):
    """What a task does to a store."""

    COLLECT = "collect"  # copy the person's records into the package
    ERASE = "erase"  # erase, mask or keep each record as the map says
    LOOK = "look"  # count what an erasure should have removed and did not
    CORRECT = "correct"  # write the right value of a fact
    CHECK = "check"  # count records in which a fact is still wrong
    HOLD = "hold"  # nothing: a legal hold covers the store
    KEEP = "keep"  # nothing: every field of the store has a reason to stay


class PlanEntry(BaseModel):
    """One store in a plan. `records` is a count of documents, or of blobs to read or erase."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    store_id: str
    activity_id: str
    action: Action
    records: int
    treatment: tuple[str, ...] = ()  # the erasure treatments of its fields, such as ("erase", "keep")
    held_by: str | None = None


class Plan(BaseModel):
    """What one right will do, before it does it. `digest` binds the entries and the map they come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    right: Right
    revision: int
    map_digest: str
    entries: tuple[PlanEntry, ...]
    needs_decision: tuple[str, ...] = ()  # codes of what a person must decide first; empty: nothing
    restricted_by: tuple[str, ...] = ()  # restrictions in its way: a decision is about these and no later one
    digest: str = ""

    def sealed(self) -> "Plan":
        """Return the plan with its digest; the revision is no part of it, so equal plans are equal."""
        content = self.model_dump(mode="json", exclude={"digest", "revision"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return self.model_copy(update={"digest": hashlib.sha256(text.encode()).hexdigest()})

    @property
    def records(self) -> int:
        """Records the plan touches, over all stores."""
        return sum(entry.records for entry in self.entries)
