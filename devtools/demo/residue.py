"""Search everything for values that belong to erased people. Whoever looks here trusts nobody's word.

Left out is the `outbox` container alone: it stands for the people's own mailboxes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from devtools.demo.holdings import Holdings, Place
from devtools.demo.mailbox import OUTBOX
from devtools.sample_data import SamplePerson


@dataclass(frozen=True, kw_only=True, order=True)
class Hit:
    """A value found: whose it is, in which form, and where."""

    where: str
    person: str
    value: str

    def __str__(self) -> str:
        return f"{self.value!r} of {self.person} in {self.where}"


@dataclass(frozen=True, kw_only=True)
class _Needle:
    person: str
    value: str  # as the person knows it
    text: str  # as it is searched for, lower case
    longer: tuple[str, ...] = ()  # names of other people that contain it


class Search:
    """A search for everything that identifies some people, in each way it may be written.

    Args:
        people: Who is searched for.
        everyone: All there are, so that nobody is found in a name that only contains theirs.
    """

    def __init__(self, people: Sequence[SamplePerson], everyone: Sequence[SamplePerson]) -> None:
        names = {person.name.lower() for person in everyone}
        self._needles = [
            _Needle(person=person.key, value=value, text=text, longer=_longer(text, names))
            for person in people
            for value in person.markers
            for text in sorted(_spellings(value))
        ]

    def everywhere(self, holdings: Holdings) -> list[Hit]:
        """Return every hit, in no more than one line a value and place. Unreadable blocks are hits too."""
        hits: dict[Hit, None] = {}
        for where, text in _texts(holdings):
            hits.update(dict.fromkeys(self.within(where, text)))
        for blob in holdings.blobs.values():
            if blob.data is None and blob.container != OUTBOX:
                hits[Hit(where=str(blob), person="anybody", value="blocks that cannot be read")] = None
        for queue, count in holdings.unseen_messages.items():
            hits[Hit(where=f"queue {queue}", person="anybody", value=f"{count} hidden messages")] = None
        return sorted(hits)

    def within(self, where: str, text: str) -> Iterator[Hit]:
        """Yield what is found in one text."""
        lowered = text.lower()
        for needle in self._needles:
            if needle.text in lowered and _is_itself(needle, lowered):
                yield Hit(where=where, person=needle.person, value=needle.value)


def kept_by_law(
    people: Sequence[SamplePerson],
    kept: Mapping[str, Mapping[str, tuple[str, ...]]],
    places: Mapping[str, Sequence[Place]],
) -> set[Hit]:
    """Return the hits that have to be there.

    Args:
        people: The erased people.
        kept: By key of person and container, the values that rightly stay.
        places: By key of person, the documents that rightly stay.
    """
    return {
        Hit(where=str(place), person=person.key, value=value)
        for person in people
        for place in places.get(person.key, ())
        for value in kept.get(person.key, {}).get(place.container, ())
    }


def _texts(holdings: Holdings) -> Iterator[tuple[str, str]]:
    """Yield every text there is, with its place: names, metadata and contents, archives unpacked."""
    for place, body in holdings.documents.items():
        yield str(place), json.dumps(body, ensure_ascii=False)
    for blob in holdings.blobs.values():
        if blob.container == OUTBOX:
            continue
        described = {"name": blob.name, "metadata": dict(blob.metadata), "type": blob.content_type}
        yield str(blob), json.dumps(described, ensure_ascii=False)
        yield from _unpacked(str(blob), blob.data or b"")
    for queue, text in holdings.messages:
        yield f"queue {queue}", text
    for name, text in holdings.logs.items():
        yield f"log {name}", text


def _unpacked(where: str, data: bytes) -> Iterator[tuple[str, str]]:
    yield where, data.decode("utf-8", errors="replace")
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"{where}, entry {name}", name
                yield from _unpacked(f"{where}, entry {name}", archive.read(name))


def _spellings(value: str) -> set[str]:
    """Return a value as it may be found: plain, in a URL, escaped in JSON, encoded, hashed without a key."""
    plain = value.lower()
    found = {plain, quote(value, safe="").lower(), json.dumps(value)[1:-1].lower()}
    found.add(base64.b64encode(value.encode()).decode().rstrip("=").lower())
    if "@" in value:
        for form in (value, plain):
            digests = (hashlib.md5, hashlib.sha1, hashlib.sha256)
            found.update(digest(form.encode(), usedforsecurity=False).hexdigest() for digest in digests)
    return found


def _longer(text: str, names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if text in name and text != name))


def _is_itself(needle: _Needle, text: str) -> bool:
    for name in needle.longer:
        text = text.replace(name, "")
    return needle.text in text
