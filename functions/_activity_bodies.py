"""What the products tell of people's use, and what they are answered."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from functions._bodies import Body, Shown
from shared.domain.activity import ActivityEvent, EventVerdict

MOST_EVENTS = 1_000
_MOST_CHARACTERS = 200
_Name = Annotated[str, Field(min_length=1, max_length=_MOST_CHARACTERS)]
_Kind = Annotated[str, Field(min_length=1, max_length=40)]
_At = Annotated[str, Field(max_length=64)]


class EventBody(Body):
    """An event of the application. `event_id`: the same whenever it is sent again.

    `kind`: `start`, `stop` or `feature`; any other is no use. `at`: its time with its offset; a wrong one is
    refused by itself. `by_staff`: staff acted in the person's name.
    """

    event_id: _Name
    user_id: _Name
    installation_id: _Name
    customer_id: Annotated[str, Field(max_length=_MOST_CHARACTERS)] = ""
    kind: _Kind
    at: _At | StrictInt | StrictFloat | None = None
    by_staff: StrictBool = False

    @property
    def event(self) -> ActivityEvent:
        """The same for the rules."""
        return ActivityEvent(**self.model_dump())


class ActivityBody(Body):
    """Events in any order. Those that were sent before change nothing."""

    events: Annotated[tuple[EventBody, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class ActivityAnswer(Shown):
    """What came of each event, in their order, and how many came to what."""

    verdicts: tuple[EventVerdict, ...]
    counts: dict[EventVerdict, int]
