"""Judge a fetched copy: the archive, its manifest, whose data it holds, and how much of it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence

from devtools.demo.findings import Findings
from devtools.demo.residue import Search
from devtools.sample_data import Expectations, SamplePerson, blobs, documents
from devtools.sample_data.expectations import BY_USER_ID
from devtools.sample_data.records import LineBlob

MANIFEST = "manifest.json"
ALWAYS = frozenset({"index.html", "about.json", "README.txt", MANIFEST})
# Our own records of requests are about the person too, and no made-up data.
_OWN_STORES = frozenset({"own_requests", "controls"})
_FILE_STORES = frozenset({"author_files"})


class PackageJudge:
    """Knows what everybody's copy has to hold, as the generator made it."""

    def __init__(self, everyone: Sequence[SamplePerson], findings: Findings) -> None:
        self._everyone = everyone
        self._findings = findings
        self._expectations = Expectations(everyone)
        self._texts: dict[str, list[str]] = {person.key: [] for person in everyone}
        self._gather()

    def judge(self, person: SamplePerson, data: bytes, *, more: Mapping[str, int] | None = None) -> int:
        """Note all that is wrong with a person's copy, and return how many files it has.

        `more`: records by store that came to be after the data was made up.
        """
        who = f"the copy of {person.key} ({person.role})"
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                damaged = archive.testzip()
                entries = {name: archive.read(name) for name in archive.namelist()}
        except (zipfile.BadZipFile, RuntimeError) as error:
            self._findings.add(f"{who} is no sound ZIP file: {error}")
            return 0
        self._findings.expect(damaged is None, f"{who}: the entry {damaged} is damaged")
        missing = sorted(ALWAYS - set(entries))
        if not self._findings.expect(not missing, f"{who} has no {', '.join(missing)}"):
            return len(entries)
        self._check_manifest(who, entries)
        self._check_counts(who, person, entries, more or {})
        self._check_markers(who, person, entries)
        return len(entries)

    def _check_manifest(self, who: str, entries: dict[str, bytes]) -> None:
        listed = {one["name"]: one for one in json.loads(entries[MANIFEST])["entries"]}
        self._findings.equal(
            sorted(listed), sorted(set(entries) - {MANIFEST}), f"{who}: entries its manifest lists"
        )
        for name, one in listed.items():
            content = entries.get(name, b"")
            right = one["sha256"] == hashlib.sha256(content).hexdigest() and one["size_bytes"] == len(content)
            self._findings.expect(right, f"{who}: {name} is not what the manifest says")

    def _check_counts(
        self, who: str, person: SamplePerson, entries: dict[str, bytes], more: Mapping[str, int]
    ) -> None:
        found: dict[str, int] = {}
        for name, content in entries.items():
            parts = name.split("/")
            if parts[0] == "data" and name.endswith(".json"):
                found[parts[1]] = found.get(parts[1], 0) + len(json.loads(content))
            elif parts[0] == "files":
                found[parts[1]] = found.get(parts[1], 0) + 1
        wanted = Counter({store: one.found for store, one in self._expectations.of(person).items()})
        wanted.update(more)
        ours = {store: count for store, count in found.items() if store not in _OWN_STORES}
        self._findings.equal(ours, dict(+wanted), f"{who}: records by store")

    def _check_markers(self, who: str, person: SamplePerson, entries: dict[str, bytes]) -> None:
        text = "\n".join(content.decode("utf-8", errors="replace") for content in entries.values())
        stored = "\n".join(self._texts[person.key]).lower()
        for marker in person.markers:
            if marker.lower() in stored:
                there = marker.lower() in text.lower()
                self._findings.expect(there, f"{who} lacks {marker!r}, which we hold")
        others = [one for one in self._everyone if one is not person]
        for hit in Search(others, self._everyone).within(who, text):
            self._findings.add(f"somebody else's data: {hit}")

    def _gather(self) -> None:
        """Gather what is stored of each person where a request by e-mail can find it."""
        people = {person.key: person for person in self._everyone}

        def add(owner: str, store: str, text: str) -> None:
            if people[owner].is_known_by_user_id or store not in BY_USER_ID:
                self._texts[owner].append(text)

        for record in documents(self._everyone):
            if len(record.owners) == 1:
                (owner,) = record.owners
                add(owner, record.container, json.dumps(record.body, ensure_ascii=False))
        for blob in blobs(self._everyone):
            store = blob.container.replace("-", "_")
            if isinstance(blob, LineBlob):
                for owner, line in blob.lines:
                    add(owner, store, json.dumps(line, ensure_ascii=False))
            else:
                add(blob.owner, store, blob.data.decode())
