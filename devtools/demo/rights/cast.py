"""Who plays in the scenario of the rights: for each case one made-up person that fits it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from devtools.demo.findings import StoryEndedError
from devtools.sample_data import Role, SamplePerson, by_role
from devtools.sample_data.records import own_documents

Fits = Callable[[SamplePerson], bool]

ODD = {
    "rectification": Role.EVERYTHING,
    "objection": Role.AUTHOR_BY_USER_ID,
    "access": Role.CONSULTANT,  # the one whose employer asks about it first
    "withdrawal": Role.CAPITALS,
    "marketing_objection": Role.TWO_ADDRESSES,
    "complaint": Role.LOG_ONLY,
}


def cast(everyone: Sequence[SamplePerson]) -> dict[str, SamplePerson]:
    """Return who plays each case; nobody plays two, and the same people for the same sample data.

    Raises:
        StoryEndedError: nobody fits one of the cases; load more people.
    """
    chosen = {case: by_role(everyone, role) for case, role in ODD.items()}
    for case, fits in _ORDINARY.items():
        taken = {person.key for person in chosen.values()}
        free = (one for one in everyone if one.role is Role.ORDINARY and one.key not in taken)
        chosen[case] = _first(free, fits, case)
    return chosen


def _first(people: Iterable[SamplePerson], fits: Fits, case: str) -> SamplePerson:
    found = next((one for one in people if fits(one)), None)
    if found is None:
        raise StoryEndedError(f"nobody of the sample fits the case {case}; load more people")
    return found


def _is_revoked(person: SamplePerson) -> bool:
    """Whether the membership has ended, so that its data goes as soon as nothing stands in the way."""
    return any(one.container == "members" and one.body["state"] == "revoked" for one in own_documents(person))


def _is_member(person: SamplePerson) -> bool:
    return person.member_id is not None and not _is_revoked(person)


_ORDINARY: dict[str, Fits] = {
    # The newsletter's processor does not hold this one, so that lifting is all there is to do.
    "restriction": lambda one: _is_revoked(one) and not one.has_signed_up,
    "erasure": lambda one: _is_member(one) and one.has_signed_up and bool(one.carriers),
    "several": lambda one: _is_member(one) and one.has_signed_up and one.is_known_by_user_id,
    "portability": lambda one: _is_member(one) and one.has_signed_up and bool(one.carriers),
    "transfer": lambda one: _is_member(one) and not one.has_signed_up,
    "refusal": lambda one: _is_member(one) and one.is_known_by_user_id,
    "extension": lambda one: one.author_id is not None and one.is_known_by_user_id,
    # All there is of this one lies outside of portability, which a person has to say.
    "deadline": lambda one: (
        one.author_id is not None and one.member_id is None and not (one.has_signed_up or one.carriers)
    ),
    "unclear": lambda one: _is_member(one) and one.author_id is not None,
    "post": lambda one: one.author_id is not None and one.is_known_by_user_id,
}
