"""Who plays: the odd kinds of people and two ordinary ones, and what each of them asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from devtools.demo.findings import StoryEndedError
from devtools.sample_data import Role, SamplePerson, by_role

ACCESS, ERASURE = "access", "erasure"


@dataclass(kw_only=True)
class Player:
    """One person and what happens to them.

    Attributes:
        person: Who it is.
        known_for: Why they play, in a few words.
        by_form: Asks with the HTML form, not by JSON.
        asks_for_copy: Asks for access first, in a request of its own.
        erasure: The rights of the second message; empty: there is none.
        repeats_erasure: Sends the erasure twice; the second has to join the first.
        deletes_copy: Presses the button that deletes the copy, instead of leaving that to the erasure.
        request_ids: Of all requests, joined ones too.
        package_link: The link of the latest answer with a copy.
        letter: The text of the erasure's letter.
        erasure_id: Id of the request that erased.
        joined_id: Id of the repeated request.
    """

    person: SamplePerson
    known_for: str
    by_form: bool = False
    asks_for_copy: bool = True
    erasure: tuple[str, ...] = ()
    repeats_erasure: bool = False
    deletes_copy: bool = False
    request_ids: list[str] = field(default_factory=list)
    package_link: str = ""
    letter: str = ""
    erasure_id: str = ""
    joined_id: str = ""

    @property
    def is_erased(self) -> bool:
        """Whether the person's data goes."""
        return bool(self.erasure)


def players(everyone: Sequence[SamplePerson]) -> list[Player]:
    """Return who plays; the same people for the same sample data.

    Raises:
        StoryEndedError: there are too few ordinary people for the two that are needed.
    """
    author = by_role(everyone, Role.AUTHOR_BY_USER_ID)
    return [
        Player(
            person=by_role(everyone, Role.EVERYTHING),
            known_for="in every system, asks for both rights at once",
            by_form=True,
            asks_for_copy=False,
            erasure=(ACCESS, ERASURE),
            deletes_copy=True,
        ),
        Player(
            person=author,
            known_for="author whose telemetry hangs on a user id",
            erasure=(ERASURE,),
            repeats_erasure=True,
            deletes_copy=True,
        ),
        Player(
            person=by_role(everyone, Role.CONSULTANT),
            known_for="consultant at two customers",
            by_form=True,
            erasure=(ERASURE,),
        ),
        Player(
            person=by_role(everyone, Role.CAPITALS),
            known_for="address stored in capitals",
            erasure=(ERASURE,),
            deletes_copy=True,
        ),
        Player(
            person=by_role(everyone, Role.TWO_ADDRESSES),
            known_for="two addresses, one user id",
            by_form=True,
            erasure=(ERASURE,),
        ),
        Player(
            person=by_role(everyone, Role.LOG_ONLY),
            known_for="only in a shared log",
            erasure=(ERASURE,),
            deletes_copy=True,
        ),
        Player(
            person=_ordinary(everyone, "an addressee", lambda one: bool(one.carriers) and not one.author_id),
            known_for="addressee, invoice has to stay",
            by_form=True,
            erasure=(ERASURE,),
            deletes_copy=True,
        ),
        Player(
            person=by_role(everyone, Role.NO_DATA),
            known_for="no data at all",
            erasure=(ERASURE,),
            deletes_copy=True,
        ),
        Player(
            person=_ordinary(
                everyone, "a member", lambda one: one.member_id is not None and not one.carriers
            ),
            known_for="member, wants a copy and nothing else",
            by_form=True,
        ),
        Player(
            person=by_role(everyone, Role.OLD_INVOICE),
            known_for="one old order, wants a copy and nothing else",
        ),
    ]


def _ordinary(
    everyone: Sequence[SamplePerson], what: str, fits: Callable[[SamplePerson], bool]
) -> SamplePerson:
    found = next((one for one in everyone if one.role is Role.ORDINARY and fits(one)), None)
    if found is None:
        raise StoryEndedError(f"{what} is needed and the sample has none; load more people")
    return found
