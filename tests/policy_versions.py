"""A small map with made-up versions of a policy and the register of who was shown them."""

import hashlib
from datetime import date

from shared.datamap.models import DataMap, DocumentStore, Match, PolicyVersion
from tests.factories import key, rule, small_map, small_stores, text

FIRST_DAY, SECOND_DAY, THIRD_DAY = date(2018, 5, 28), date(2026, 1, 1), date(2027, 1, 1)


def version(number: str, content: str | None, **changes) -> PolicyVersion:
    """Return a version in English; without a content, nobody entered its text."""
    pinned = {} if content is None else {"text": f"{number}.en.md", "content": content}
    if content is not None:
        pinned["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    return PolicyVersion(**{"number": number, "language": "en", **pinned, **changes})


def made_up_versions() -> tuple[PolicyVersion, ...]:
    """Return three versions: a former one, one of this year with a new purpose, and one to come."""
    return (
        version("1", "Old words.\n", valid_from=FIRST_DAY, valid_to=date(2025, 12, 31)),
        version(
            "2",
            "New words.\n",
            valid_from=SECOND_DAY,
            valid_to=date(2026, 12, 31),
            new_purposes=("serve",),
        ),
        version("3", "Words to come.\n", valid_from=THIRD_DAY),
    )


def versioned_map(*versions: PolicyVersion) -> DataMap:
    """Return the small map with these versions, the made-up ones if none are given."""
    register = DocumentStore(
        id="policy_displays",
        title=text("Versions shown"),
        kind="documents",
        database="compliance",
        container="policy_displays",
        partition_key="/subject_key",
        matches=(Match(identifier="subject_key", path="/subject_key"),),
        fields=(
            key("/id"),
            key("/subject_key", identifier="subject_key"),
            rule("/number"),
            rule("/language"),
            rule("/sha256"),
            rule("/channel"),
            rule("/shown_at", type="datetime"),
        ),
    )
    datamap = small_map((*small_stores(), register))
    policy = datamap.policy.model_copy(update={"versions": versions or made_up_versions()})
    return datamap.model_copy(update={"policy": policy})
