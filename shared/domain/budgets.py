"""How much of the database scheduled deletion may use: a budget for each container and slice of time. Pure.

All workers share one tally of each container. A worker draws a chunk from the present slice, spends it, and
asks again; what it spent beyond is owed by the slices to come, and what it did not spend by the end of its
slice is lost. After a throttled answer the budget is halved for all of them and comes back step by step.
"""

import math
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

SLICE_SECONDS = 10
LEAST_LEVEL = 1 / 8  # of the budget, however often the database throttles
RECOVERY = 1 / 20  # of the budget, each slice
_CHUNKS = 4  # a slice is drawn in so many parts, so that several workers have some of it
_LEAST_UNITS = 500.0  # a smaller chunk would cost much beside what it pays for
_LEAST_REQUESTS = 50.0
_MOST_SLICES_AHEAD = 6


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Request units, and requests. As a budget: in one second, and 0 is as many as there are."""

    request_units: float = 0.0
    requests: float = 0.0

    @property
    def is_unlimited(self) -> bool:
        """Whether, as a budget, it bounds nothing."""
        return not self.request_units and not self.requests

    def plus(self, other: "Amount") -> "Amount":
        """Return both together."""
        return Amount(
            request_units=self.request_units + other.request_units, requests=self.requests + other.requests
        )

    def less(self, other: "Amount") -> "Amount":
        """Return what is left after another is taken away; it may be below zero."""
        return Amount(
            request_units=self.request_units - other.request_units, requests=self.requests - other.requests
        )

    def times(self, factor: float) -> "Amount":
        """Return a multiple."""
        return Amount(request_units=self.request_units * factor, requests=self.requests * factor)

    @property
    def of_it_is_left(self) -> bool:
        """Whether there is some of both."""
        return self.request_units > 0 and self.requests > 0

    @property
    def owed(self) -> "Amount":
        """Return what is below zero, as an amount."""
        return Amount(request_units=max(0.0, -self.request_units), requests=max(0.0, -self.requests))


NOTHING = Amount()


def slice_of(seconds: float) -> int:
    """Return the number of the slice of a moment, in seconds since 1970."""
    return int(seconds // SLICE_SECONDS)


class Tally(BaseModel):
    """What is drawn of one container's budget in a slice; more than there is: owed by the slices to come.

    `level`: the share of the budget that was there in slice `level_slice`, from which it comes back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: str
    slice: int = 0
    request_units: float = Field(default=0.0, ge=0)
    requests: float = Field(default=0.0, ge=0)
    level: float = Field(default=1.0, gt=0, le=1)
    level_slice: int = 0

    def level_at(self, number: int) -> float:
        """Return the share of the budget that is there in a slice."""
        return min(1.0, self.level + RECOVERY * max(0, number - self.level_slice))

    def capacity(self, number: int, budget: Amount) -> Amount:
        """Return what may be drawn in a slice, debts aside; without bound where the budget has none."""
        there = budget.times(SLICE_SECONDS * self.level_at(number))
        return Amount(
            request_units=there.request_units or math.inf,
            requests=there.requests or math.inf,
        )

    @property
    def drawn(self) -> Amount:
        """What is drawn in its slice, with what is owed."""
        return Amount(request_units=self.request_units, requests=self.requests)

    def left(self, budget: Amount) -> Amount:
        """Return what may still be drawn in its slice; below zero: owed."""
        return self.capacity(self.slice, budget).less(self.drawn)

    def at(self, number: int, budget: Amount) -> "Tally":
        """Return the tally of a later slice: what was owed is paid by each. An earlier one: as it is."""
        found = self
        while found.slice < number and found.drawn != NOTHING:
            owed = found.left(budget).owed
            found = found.holding(owed).model_copy(update={"slice": found.slice + 1})
        return found if found.slice >= number else found.model_copy(update={"slice": number})

    def with_drawn(self, amount: Amount) -> "Tally":
        """Return the tally with more drawn, or owed."""
        return self.holding(self.drawn.plus(amount))

    def throttled(self, budget: Amount) -> "Tally":
        """Return the tally after the database throttled: half the budget, and no more of this slice.

        Several workers tell of the same throttling; the first halves it.
        """
        level = self.level_at(self.slice)
        if self.level_slice == self.slice and level < 1:
            return self
        owed = self.left(budget).owed
        less = self.model_copy(update={"level": max(LEAST_LEVEL, level / 2), "level_slice": self.slice})
        closed = less.capacity(less.slice, budget)
        return less.holding(
            Amount(
                request_units=owed.request_units + (closed.request_units if budget.request_units else 0.0),
                requests=owed.requests + (closed.requests if budget.requests else 0.0),
            )
        )

    @property
    def rest_slices(self) -> int:
        """After how many slices work without a budget goes on: nothing can be halved, so it rests instead."""
        return round(1 / self.level) - 1 if self.level < 1 else 0

    def is_resting(self, budget: Amount) -> bool:
        """Whether work without a budget rests in its slice."""
        return budget.is_unlimited and self.slice <= self.level_slice + self.rest_slices and self.level < 1

    def draw(self, budget: Amount) -> tuple["Tally", Amount]:
        """Take a chunk of its slice; nothing: it is used up, or work rests."""
        left = self.left(budget)
        if not left.of_it_is_left or self.is_resting(budget):
            return self, NOTHING
        of_it = self.capacity(self.slice, budget).times(1 / _CHUNKS)
        chunk = Amount(
            request_units=min(left.request_units, max(of_it.request_units, _LEAST_UNITS)),
            requests=min(left.requests, max(of_it.requests, _LEAST_REQUESTS)),
        )
        counted = Amount(
            request_units=chunk.request_units if budget.request_units else 0.0,
            requests=chunk.requests if budget.requests else 0.0,
        )
        return self.with_drawn(counted), chunk

    def slices_to_wait(self, budget: Amount) -> int:
        """Return after how many slices there is something to draw again, from one up; at most six."""
        for ahead in range(1, _MOST_SLICES_AHEAD):
            later = self.at(self.slice + ahead, budget)
            if later.left(budget).of_it_is_left and not later.is_resting(budget):
                return ahead
        return _MOST_SLICES_AHEAD

    def holding(self, drawn: Amount) -> "Tally":
        """Return the tally with this drawn and no other."""
        return self.model_copy(update={"request_units": drawn.request_units, "requests": drawn.requests})


@dataclass(kw_only=True)
class Purse:
    """One worker's chunk of one container's slice. `left` below zero: spent beyond it, and owed."""

    slice: int = 0
    left: Amount = NOTHING
    is_used: bool = False  # since it was filled last
    is_throttled: bool = False
    refused_until_slice: int = 0


@dataclass
class Purses:
    """The chunks of one worker, by container; what it spends is taken from them as it is spent."""

    by_container: dict[str, Purse] = field(default_factory=dict)
    unpaused_slice: int = -1  # in which nobody had paused scheduled deletion, when this worker last looked
    refusals: int = 0  # in a row, so that many messages do not ask all at once

    def gather(self, name: str) -> None:
        """Put all purses into one, for work without a budget: it matters only whether one was throttled."""
        whole = self.by_container.get(name) or Purse()
        whole.is_throttled = any(purse.is_throttled for purse in self.by_container.values())
        whole.is_used = True
        self.by_container = {name: whole}

    def spend(self, container: str, request_units: float, *, is_throttled: bool = False) -> None:
        """Count one request."""
        purse = self.by_container.setdefault(container, Purse())
        purse.left = purse.left.less(Amount(request_units=request_units, requests=1))
        purse.is_used = True
        purse.is_throttled = purse.is_throttled or is_throttled
