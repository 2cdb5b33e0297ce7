"""Take in a list of subscribers that another system kept. Nobody is added without a consent that counts.

An old list brings nobody back: who withdrew, objected or was erased since has the later word, under a keyed
pseudonym that can only be compared with.
Source: GDPR articles 7(1), 21(3); policy 4.7.1, 4.8, 5.2.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import Evidence
from shared.domain.errors import Invalid
from shared.domain.identifiers import EMAIL, normalise, parse_email
from shared.domain.policy_versions import consent_covers
from shared.domain.times import moment_of, start_of
from shared.services.context import Context
from shared.services.joining import Joining, join, known_marketing
from shared.services.side_by_side import all_of

Came = Literal["added", "already", "refused_before", "without_evidence", "invalid"]


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """A row as it came. `given_at`: a time with its zone; `wording_sha256`: of the words consented to."""

    email: str
    purpose_id: str
    given_at: str
    policy_version: str
    wording_version: str
    wording_sha256: str
    name: str = ""
    language: str = ""


async def take_in(context: Context, rows: Sequence[ImportRow]) -> dict[Came, int]:
    """Add whom a row shows a consent of that counts, and return how many came to what. No row names anybody.

    A second call adds nobody. A call that failed half way is sent again whole.

    Raises:
        Conflict, Retryable: send it again.
    """
    counts: Counter[Came] = Counter()
    by_address: defaultdict[str, list[ImportRow]] = defaultdict(list)
    for row in rows:  # those of one address one after the other, so that they do not get in each other's way
        by_address[normalise(EMAIL, row.email)].append(row)

    async def of_address(found: Sequence[ImportRow]) -> None:
        for row in found:
            counts[await _take_in(context, row)] += 1

    await all_of(partial(of_address, found) for found in by_address.values())
    return dict(counts)


async def _take_in(context: Context, row: ImportRow) -> Came:
    try:
        email = parse_email(row.email)
    except Invalid:
        return "invalid"
    if not known_marketing(context, [row.purpose_id]):
        return "invalid"
    given_at = _shown_consent(context, row)
    if given_at is None:
        return "without_evidence"
    key = context.keys.subject_key(EMAIL, email)
    (stored,) = await context.controls.read((key,))
    controls, now = stored.controls, context.clock.now()
    listed = controls.suppression
    if listed is not None and given_at <= listed.since:
        return "refused_before"
    counted = consent_in_force(controls, row.purpose_id, now=now)
    joining = Joining(
        email=email,
        purpose_ids=(row.purpose_id,),
        at=given_at,
        channel="import",
        source="import",
        event_id=f"import-{int(given_at.timestamp() * 1_000_000)}",
        name=" ".join(row.name.split()),
        language=row.language,
        evidence=Evidence(
            policy_version=row.policy_version,
            wording_version=row.wording_version,
            wording_sha256=row.wording_sha256,
        ),
    )
    counts = await join(context, joining)
    if not counts:
        return "refused_before"
    return "added" if counted is None else "already"


def _shown_consent(context: Context, row: ImportRow) -> datetime | None:
    """Return when a row shows that consent was given. None: it does not show it."""
    given_at = moment_of(row.given_at) if "T" in row.given_at.upper() else None  # a day is no moment
    versions = context.datamap.policy.versions
    begins = min((one.valid_from for one in versions if one.number == row.policy_version), default=None)
    if given_at is None or begins is None or not row.wording_version or not row.wording_sha256:
        return None
    in_time = start_of(begins) <= given_at <= context.clock.now()
    return given_at if in_time and consent_covers(row.purpose_id, row.policy_version, versions) else None
