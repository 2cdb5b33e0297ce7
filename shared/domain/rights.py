"""The rights of the policy's section 4, the clauses that promise them, and the order they are worked in."""

from collections.abc import Iterable
from enum import StrEnum


class Right(StrEnum):
    """A right a data subject can exercise. Source: policy 4.2-4.9, GDPR chapter III."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"  # article 21(1): letter f, decided by a person
    MARKETING_OBJECTION = "marketing_objection"  # article 21(2): absolute, at once
    WITHDRAWAL = "withdrawal"
    COMPLAINT = "complaint"


CLAUSES: dict[Right, str] = {
    Right.ACCESS: "4.2",
    Right.RECTIFICATION: "4.3",
    Right.ERASURE: "4.4",
    Right.RESTRICTION: "4.5",
    Right.PORTABILITY: "4.6",
    Right.OBJECTION: "4.7",
    Right.MARKETING_OBJECTION: "4.7.1",
    Right.WITHDRAWAL: "4.8",
    Right.COMPLAINT: "4.9",
}

IMMEDIATE = frozenset({Right.COMPLAINT, Right.WITHDRAWAL, Right.MARKETING_OBJECTION})
"""Honoured at once and without an identity check: to honour them harms nobody. Source: GDPR 7(3), 21(3)."""

_ORDER = (
    Right.COMPLAINT,
    Right.WITHDRAWAL,
    Right.MARKETING_OBJECTION,
    Right.RESTRICTION,  # before anything else touches the data
    Right.RECTIFICATION,  # so that the copy is right
    Right.ACCESS,
    Right.PORTABILITY,
    Right.OBJECTION,
    Right.ERASURE,  # after the copies
)


def in_order(rights: Iterable[Right]) -> tuple[Right, ...]:
    """Return rights of one message each once, in the order they are worked: copies before an erasure."""
    wanted = frozenset(rights)
    return tuple(right for right in _ORDER if right in wanted)
