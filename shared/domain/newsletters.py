"""Mailing lists at the newsletter processor, and what to do where they and our ledger differ. Pure.

Events of the processor are unsigned, unordered, repeated and sometimes lost, so no event decides anything: it
is a reason to look, and what is decided follows from how both sides stand when somebody looks.
Source: policy 2.3, 2.4, 3.2, 4.8, 5.2; https://www.campaignmonitor.com/api/v3-3/webhooks/.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

ACTIVE = "Active"
UNCONFIRMED = "Unconfirmed"
BOUNCED = "Bounced"
_LEFT = frozenset({"Unsubscribed", "Deleted"})
"""States nobody leaves by mistake of a mail server. The processor's set is open; any other is unknown."""

_LIST_ID = r"^[0-9a-fA-F]{32}$"


class MailingList(BaseModel):
    """A list there: what it is for, in which language.

    `confirmed_opt_in`: whether it is recorded that the processor asks each new subscriber to confirm. Only
    then is a sign-up that came about there a consent; any other is taken off again. `time_zone`: in which the
    account writes its times, such as `Europe/Copenhagen`; empty: not recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    list_id: str = Field(pattern=_LIST_ID)
    purpose_ids: tuple[str, ...] = Field(min_length=1)
    language: str = ""
    confirmed_opt_in: bool = False
    policy_version: str = ""  # shown on the processor's own form, where there is one
    time_zone: str = ""

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise ValueError("must be a name of the time zone database")
        return value


class Lists:
    """The lists we know, by id without case."""

    def __init__(self, lists: Iterable[MailingList] = ()) -> None:
        self._lists: Mapping[str, MailingList] = {one.list_id.lower(): one for one in lists}

    def __iter__(self) -> Iterator[MailingList]:
        return iter(self._lists.values())

    def find(self, list_id: str) -> MailingList | None:
        """Return a list by its id; None: it is none of ours."""
        return self._lists.get(list_id.lower())

    def of_purpose(self, purpose_id: str, language: str) -> tuple[MailingList, ...]:
        """Return the lists for a purpose in a language, or in whatever languages there are for it."""
        found = tuple(one for one in self._lists.values() if purpose_id in one.purpose_ids)
        spoken = tuple(one for one in found if one.language == language)
        return spoken or found


class Verdict(StrEnum):
    """What to do about one address in one list."""

    AGREES = "agrees"
    ADD_THERE = "add_there"  # the person consented and gets no mail
    STOP_THERE = "stop_there"  # it would get mail that nobody consented to
    LEFT_THERE = "left_there"  # the person left there: withdraw here
    JOINED_THERE = "joined_there"  # the person signed up there, and confirmed it: a consent
    UNREACHABLE = "unreachable"  # mail does not arrive; no word of the person
    UNKNOWN_STATE = "unknown_state"  # a person has to look


def has_left(state: str) -> bool:
    """Whether an address in this state left its list, or was taken off it."""
    return state in _LEFT


def compare(
    state: str | None, *, wanted: bool, changing: bool, joined_there: bool, known_before: bool
) -> Verdict:
    """Return what to do about an address.

    `state`: as the processor has it now; None: the list has it not. `wanted`: whether the gate is open for
    the list's purposes. `changing`: a change of ours is on its way there, so that what is seen is about to
    be over. `joined_there`: a sign-up at the processor is told and counts as a consent. `known_before`: we
    once saw it active in this list, so that it is gone by somebody's doing and not because it never was
    there.
    """
    if changing:
        return Verdict.AGREES
    if state == ACTIVE:
        if wanted:
            return Verdict.AGREES
        return Verdict.JOINED_THERE if joined_there else Verdict.STOP_THERE
    if state in _LEFT:
        return Verdict.LEFT_THERE if wanted else Verdict.AGREES
    if state == BOUNCED:
        return Verdict.UNREACHABLE if wanted else Verdict.AGREES
    if state is None:
        if not wanted:
            return Verdict.AGREES
        return Verdict.LEFT_THERE if known_before else Verdict.ADD_THERE
    if state == UNCONFIRMED:
        return Verdict.AGREES  # it gets no mail until its person confirms
    return Verdict.UNKNOWN_STATE
