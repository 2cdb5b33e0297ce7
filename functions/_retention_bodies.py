"""What staff ask of scheduled deletion and of showings of the policy, and what they are answered."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from functions._bodies import Body, Day, Shown
from shared.domain.displays import DisplayChannel
from shared.domain.retention_runs import Doubt


class PreviewQuery(Body):
    """By which day; none: today. `most`: people to look at."""

    as_of: Day | None = None
    most: Annotated[int, Field(ge=1, le=5_000)] = 1_000


class RuleLine(Shown):
    """What one rule would erase, and whom a hold or a restriction keeps. `earliest_on` null: nothing."""

    rule_id: str
    clause: str
    title: str
    people: int
    documents: int
    held: int
    restricted: int
    earliest_on: date | None


class UndecidedLine(Shown):
    """An activity without a period: nothing of it is ever deleted by time."""

    activity_id: str
    title: str


class DecidedLine(Shown):
    """An activity of which the controller decided the period, and who did so, when and why.

    `counts_from`: what of the map it counts from. `applies_to_existing`: on what ground a longer period than
    before holds for data collected before it; null: it does not.
    """

    activity_id: str
    title: str
    rule_id: str
    period: str
    counts_from: str
    effective_from: date
    decided_by: str
    decided_at: datetime
    reason: str
    applies_to_existing: str | None


class OwnDataLine(Shown):
    """Data of our own and how long it stays, in words. `kept` null: nobody decided, so it stays.

    `required`: a production deployment is refused while nothing is said.
    """

    id: str
    title: str
    kept: str | None
    required: bool


class PreviewAnswer(Shown):
    """What scheduled deletion would do by a day, if nobody used or renewed anything until then.

    `is_complete` false: there are more people than were looked at. `documents`: no lines of shared files.
    `request_units`: what this look needed. `erasing_request_units`: expected, by the runs of the days
    in `estimated_from`; null: no run erased anything yet.
    """

    as_of: date
    is_complete: bool
    rules: tuple[RuleLine, ...]
    looked_at: int
    kept_active: int
    undated: int
    unclear: int
    request_units: float
    erasing_request_units: float | None
    estimated_from: tuple[date, ...]
    undecided: tuple[UndecidedLine, ...]
    decided: tuple[DecidedLine, ...]
    own_data: tuple[OwnDataLine, ...]


class RunLine(Shown):
    """A run of scheduled deletion. `ended_at` null: it is at work. Counts are of records or of people.

    `waits_for`: why it rests, such as `quiet_hours`, `paused`, `budget` or `pace`; empty: it does not.
    `rests`: how often it did. `waiting`: records still to be looked at when an hour's pace was used up.
    `report_url`: the same to be read as a page, with the chart of the months ahead.
    """

    day: date
    started_at: datetime
    ended_at: datetime | None
    looked_at: int
    filed: int
    erased: dict[str, int]
    kept: dict[str, int]
    by_rule: dict[str, int]
    undated: int
    unclear: int
    failed: int
    request_units: float
    oldest_overdue_on: date | None
    waits_for: str
    waits_until: datetime | None
    rests: dict[str, int]
    waiting: int
    report_url: str


class RunsAnswer(Shown):
    """The last runs, the latest first."""

    runs: tuple[RunLine, ...]


class DoubtsQuery(Body):
    """A page of records in doubt. `cursor`: where the page before ended."""

    cursor: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class DoubtLine(Shown):
    """A record that somebody has to repair. `place`: container and id. `reason`: why nobody can judge it."""

    place: str
    store_id: str
    reason: Doubt
    since_on: date


class DoubtsAnswer(Shown):
    """Records that scheduled deletion can neither delete nor let be. `cursor` null: the last page."""

    doubts: tuple[DoubtLine, ...]
    cursor: str | None


class UnseenQuery(Body):
    """A page of whoever has yet to see the current version. `cursor`: where the page before ended."""

    language: Annotated[str, Field(pattern=r"^([a-z]{2})?$")] = "en"  # an empty one is as none: English
    cursor: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class UnseenLine(Shown):
    """A pseudonym that has yet to see the current version in these channels."""

    subject_key: str
    channels: tuple[DisplayChannel, ...]
    last_number: str


class UnseenAnswer(Shown):
    """`shown`: to how many pseudonyms the current version was shown. `cursor` null: the last page.

    Whoever was never shown any version is in no list of ours; the product asks about them at the next start.
    """

    number: str
    language: str
    shown: dict[DisplayChannel, int]
    unseen: tuple[UnseenLine, ...]
    cursor: str | None
