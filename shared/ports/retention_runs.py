"""Runs of scheduled deletion, and whom they look at again."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import Enum, auto
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.retention_runs import Doubt, Run, Watched


class Later(Enum):
    """By what somebody is watched until a later day."""

    BY_USE = auto()  # what comes makes the day later, if anything
    BY_ARRIVAL = auto()  # of when records came in: a use that is told makes it earlier


class StoredRun(BaseModel):
    """A run as read. `etag` None: it is to be created. `saved_seconds`: when, by the database's own clock."""

    model_config = ConfigDict(frozen=True)

    run: Run
    etag: str | None
    saved_seconds: int = 0


class RetentionRuns(Protocol):
    """The run at hand, those before it, and the people on watch."""

    async def latest(self) -> StoredRun | None:
        """Return the run of the latest day. None: there never was one."""
        ...

    async def write(self, stored: StoredRun) -> str:
        """Save a run if nobody changed it since it was read, and return its new ETag.

        A run of a later day takes the place of the latest; those before it stay to be read.

        Raises:
            Conflict: somebody did: another worker is at it, leave it to them.
        """
        ...

    async def past(self, *, limit: int) -> Sequence[Run]:
        """Return runs, the latest first, at most `limit`."""
        ...

    async def of_day(self, day: date) -> Run | None:
        """Return the run of a day. None: there was none."""
        ...

    async def watch(self, watched: Watched) -> None:
        """Look at a record's person on a day; a later word about the same record takes its place."""
        ...

    async def unwatch(self, watched: Watched) -> None:
        """Look no more. What is gone is gone."""
        ...

    async def watched_later(
        self, subject_keys: Collection[str], store_ids: Collection[str], day: date
    ) -> Mapping[str, Later]:
        """Return who of these is watched for a record in one of these stores until after a day, by what."""
        ...

    async def find(self, wanted: Watched) -> Watched | None:
        """Return what is watched under the same `watch_key`. None: nothing."""
        ...

    async def doubted(self, *, after: str, limit: int) -> Sequence[Watched]:
        """Return the watched in doubt in the order of `watch_id`, from after that id."""
        ...

    async def doubts(self) -> Mapping[Doubt, int]:
        """Return how many are in doubt, for each reason."""
        ...

    async def due(self, day: date, *, after: str, limit: int) -> Sequence[Watched]:
        """Return the watched whose day has come, in the order of `watch_key`, from after that key."""
        ...


def later_of(rows: Iterable[tuple[str, bool]]) -> dict[str, Later]:
    """Return by what each is watched; `rows`: pseudonyms, each with whether it is by arrival."""
    found: dict[str, Later] = {}
    for key, by_arrival in rows:
        if found.get(key) is not Later.BY_USE:
            found[key] = Later.BY_ARRIVAL if by_arrival else Later.BY_USE
    return found


def watch_key(watched: Watched) -> str:
    """Return the order the watched come in, unique to a record and person."""
    whole = f"{watched.subject_key}|{watched.store_id}"
    return whole if watched.for_all else f"{whole}|{watched.document_id}|{watched.partition}"


def watch_id(watched: Watched) -> str:
    """Return the digest of a `watch_key`: as unique, and it tells nothing."""
    return hashlib.sha256(watch_key(watched).encode()).hexdigest()
