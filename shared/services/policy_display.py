"""Show a changed policy before further use, and record that it was shown.

Showing is notice and no consent. A version whose text nobody entered cannot be shown: that is an error, and
never "seen already". Source: policy 8.1, 9.1; GDPR articles 13, 14.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.datamap.models import PolicyVersion
from shared.datamap.versions import current_on, version_of
from shared.domain.displays import Display, DisplayChannel
from shared.domain.errors import Invalid, NotFound
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, parse_email
from shared.domain.times import copenhagen_day
from shared.services.context import Context

MOST_UNSEEN = 200
_MOST_CHARACTERS = 254
_UNKNOWN = "policy_version_unknown"


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """A pseudonym that was not shown the current version in these channels, and what it was shown last."""

    subject_key: str
    channels: tuple[DisplayChannel, ...]
    last_number: str


@dataclass(frozen=True, kw_only=True)
class UnseenPage:
    """To how many pseudonyms the current version was shown, and a page of others. `cursor` None: the last."""

    version: PolicyVersion
    shown: Mapping[DisplayChannel, int]
    people: tuple[Unseen, ...]
    cursor: str | None


def current(context: Context, language: str) -> PolicyVersion:
    """Return the version in force today in Copenhagen.

    Raises:
        NotFound: `policy_version_unknown`: none in this language; ask for another.
    """
    found = current_on(context.datamap, copenhagen_day(context.clock.now()), language)
    if found is None:
        raise NotFound(_UNKNOWN)
    return found


def version(context: Context, number: str, language: str) -> PolicyVersion:
    """Return one version, of now or of earlier.

    Raises:
        NotFound: `policy_version_unknown`: there is no such one in this language.
    """
    found = version_of(context.datamap, number, language)
    if found is None:
        raise NotFound(_UNKNOWN)
    return found


def subject_key_of(context: Context, kind: str, value: str) -> str:
    """Return the pseudonym of a person another system names by one identifier.

    Raises:
        Invalid: `identifier_unknown`; `identifier_shared`: an installation is no person; `identifier_invalid`
            or `email_invalid`: no value of that kind.
    """
    if kind == EMAIL:
        return context.keys.subject_key(kind, parse_email(value))
    kinds = {one.id: one for one in context.datamap.policy.identifiers if one.id != SUBJECT_KEY}
    if kind not in kinds:
        raise Invalid("identifier_unknown", "the data map has no such kind", field="identifier")
    if kinds[kind].shared:
        raise Invalid("identifier_shared", "it belongs to several people", field="identifier")
    if not 0 < len(value) <= _MOST_CHARACTERS:
        raise Invalid("identifier_invalid", f"1 to {_MOST_CHARACTERS} characters", field="identifier")
    return context.keys.subject_key(kind, value)


async def must_show(
    context: Context, subject_key: str, channel: DisplayChannel, *, language: str
) -> PolicyVersion | None:
    """Return the current version if it was not shown to this person in this channel. None: go on.

    Raises:
        NotFound: `policy_version_unknown`: nothing is in force in this language; `policy_text_missing`: its
            text was never entered, so nobody has seen it and nobody can.
    """
    wanted = current(context, language)
    _checksum(wanted)
    for one in await context.displays.shown((subject_key,)):
        if (one.number, one.channel) == (wanted.number, channel):
            return None
    return wanted


async def record_shown(
    context: Context, subject_key: str, number: str, channel: DisplayChannel, *, language: str
) -> None:
    """Record that a person was shown a version just now. A second call leaves the first record as it is.

    Raises:
        NotFound: `policy_version_unknown`: there is no such version in this language; `policy_text_missing`:
            its text was never entered, so it cannot have been shown.
        Invalid: `policy_version_not_in_force`: it begins on a later day.
    """
    now = context.clock.now()
    shown = version(context, number, language)
    if shown.valid_from > copenhagen_day(now):
        raise Invalid("policy_version_not_in_force", "it begins on a later day", field="version")
    await context.displays.record(
        Display(
            subject_key=subject_key,
            number=number,
            language=language,
            sha256=_checksum(shown),
            channel=channel,
            shown_at=now,
        )
    )


async def unseen(context: Context, *, language: str, after: str = "", limit: int = MOST_UNSEEN) -> UnseenPage:
    """Return how many saw the current version, and a page of those who have yet to.

    Whoever was shown an earlier version has to see the next; whoever was shown none is in no list of ours,
    and the product asks about them at the next start.

    Raises:
        NotFound: `policy_version_unknown`: nothing is in force in this language.
    """
    wanted = current(context, language)
    counts = {one: await context.displays.count(wanted.number, one) for one in DisplayChannel}
    rows = await context.displays.listing(after=after, limit=limit)
    by_key: dict[str, list[Display]] = {}
    for row in rows:
        by_key.setdefault(row.subject_key, []).append(row)
    found = []
    for key, shown in by_key.items():
        seen = {one.channel for one in shown if one.number == wanted.number}
        missing = tuple(sorted({one.channel for one in shown} - seen))
        if missing:
            last = max(shown, key=lambda one: one.shown_at)
            found.append(Unseen(subject_key=key, channels=missing, last_number=last.number))
    more = max(by_key) if len(rows) >= limit else None
    return UnseenPage(version=wanted, shown=counts, people=tuple(found), cursor=more)


async def numbers_shown(context: Context, subject_keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers of the versions shown to a person, in the order they were first shown."""
    rows = await context.displays.shown(subject_keys)
    return tuple(dict.fromkeys(one.number for one in sorted(rows, key=lambda one: one.shown_at)))


def _checksum(found: PolicyVersion) -> str:
    if found.content is None or found.sha256 is None:
        raise NotFound("policy_text_missing", f"{found.number} in {found.language}")
    return found.sha256
