"""What is wrong with a map, and where: the entry it is in and the way to the field from there."""

from dataclasses import dataclass
from typing import Literal

EntryKind = Literal["policy", "recipients", "activity", "decisions", "own_data"]
Way = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands. `entry_id` names the activity; empty for the files that are one entry."""

    kind: EntryKind
    entry_id: str = ""
    way: Way

    def finding(self, message: str) -> "Finding":
        """Return a fault at this place."""
        return Finding(place=self, message=message)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault of the map."""

    place: Place
    message: str


def field_name(way: Way) -> str:
    """Return the way to a field as text, such as `stores[0].fields[3].keep`; empty for a whole entry."""
    text = ""
    for part in way:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")
