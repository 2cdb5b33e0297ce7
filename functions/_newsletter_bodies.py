"""What staff send to the doors about newsletters, and what those show."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from functions._bodies import Body, Shown
from functions._request_bodies import Email
from shared.domain.reconciliations import Extent, Reconciliation, Watch
from shared.services.newsletter_overview import Overview


class RegisterBody(Body):
    """The secret that the webhooks' URL shall end with; the settings have its hash already."""

    secret: Annotated[str, Field(min_length=16, max_length=128, pattern=r"^[A-Za-z0-9_-]+$", repr=False)]


class UnlistBody(Body):
    """An address that its person wants off the list of those not to write to."""

    email: Email


class RegisteredAnswer(Shown):
    """The webhook of one list: `active`, `activated` just now, `missing`, `unfit` or `unknown`.

    `others`: more of them that lead here, of an earlier secret.
    """

    list_id: str
    state: str
    others: int


class WatchAnswer(Shown):
    """The last look at the webhooks. `well`: every list tells us."""

    at: datetime
    well: bool
    lists: tuple[RegisteredAnswer, ...]

    @classmethod
    def of(cls, seen: Watch) -> "WatchAnswer":
        """Return a look as it is shown."""
        lists = tuple(
            RegisteredAnswer(list_id=one.list_id, state=one.state, others=one.others) for one in seen.lists
        )
        return cls(at=seen.at, well=seen.is_well, lists=lists)


class GivenUpAnswer(Shown):
    """A listing that could not be gone through."""

    what: str
    list_id: str
    code: str


class RunAnswer(Shown):
    """The newest comparison. `counts`: addresses by what came of them; `ended_at` null: it goes on.

    `repaired`: addresses on which both sides differed; `diverging`: on which they still do, for staff.
    """

    run_id: str
    extent: Extent
    since: date
    started_at: datetime
    ended_at: datetime | None
    counts: dict[str, int]
    repaired: int
    diverging: int
    subject_keys: tuple[str, ...]
    failures: tuple[GivenUpAnswer, ...]

    @classmethod
    def of(cls, run: Reconciliation) -> "RunAnswer":
        """Return a run as it is shown."""
        return cls(
            run_id=run.run_id,
            extent=run.extent,
            since=run.since,
            started_at=run.started_at,
            ended_at=run.ended_at,
            counts=dict(run.counts),
            repaired=run.repaired,
            diverging=run.diverging,
            subject_keys=run.subject_keys,
            failures=tuple(
                GivenUpAnswer(what=one.step.what, list_id=one.step.list_id, code=one.code)
                for one in run.failures
            ),
        )


class WaitingChangeAnswer(Shown):
    """A change at the processor that waits for staff, and why."""

    subject_key: str
    list_id: str
    asked_at: datetime
    attention: str


class WaitingBodyAnswer(Shown):
    """A webhook's body that staff have to look at. `codes`: why, one for each event set aside."""

    body_id: str
    received_at: datetime
    state: str
    codes: tuple[str, ...]


class NewsletterAnswer(Shown):
    """How newsletters stand with their processor. `dead_letters`: messages in quarantine, by queue."""

    run: RunAnswer | None
    webhooks: WatchAnswer | None
    changes: tuple[WaitingChangeAnswer, ...]
    bodies: tuple[WaitingBodyAnswer, ...]
    dead_letters: dict[str, int]

    @classmethod
    def of(cls, found: Overview) -> "NewsletterAnswer":
        """Return an overview as it is shown."""
        return cls(
            run=None if found.run is None else RunAnswer.of(found.run),
            webhooks=None if found.watch is None else WatchAnswer.of(found.watch),
            changes=tuple(
                WaitingChangeAnswer(
                    subject_key=one.subject_key,
                    list_id=one.list_id,
                    asked_at=one.asked_at,
                    attention=one.attention,
                )
                for one in found.changes
            ),
            bodies=tuple(
                WaitingBodyAnswer(
                    body_id=one.body_id,
                    received_at=one.received_at,
                    state=one.state,
                    codes=tuple(event.code for event in one.set_aside),
                )
                for one in found.bodies
            ),
            dead_letters=found.dead_letters,
        )
