"""The proof with the bare SDKs: each case changed what it had to, and nothing and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devtools.demo.bystanders import Others, differences
from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings
from devtools.demo.mailbox import OUTBOX, read_mail
from devtools.demo.narration import Narrator
from devtools.demo.owners import Owners
from devtools.demo.proof_check import today_in_copenhagen
from devtools.demo.residue import Hit, Search, kept_by_law
from devtools.demo.rights.changes import EVERYWHERE, Change, Judge
from devtools.demo.rights.first_day import corrected_name
from devtools.demo.rights.letters import Letters
from devtools.demo.rights.register import (
    check_closed,
    check_controls,
    check_note,
    check_proofs,
    requests_of,
    subject_keys,
)
from devtools.sample_data import Expectations, SamplePerson
from shared.domain.identifiers import Pseudonymiser

_NO_PLACE_FOR_PEOPLE = ("queue ", "log ", "blob evidence/", "blob quarantine/", "blob packages/")
_NOTES = "document compliance/notes/"  # they are there to hold the right value


class Verdict:
    """Judges the whole scenario.

    Args:
        everyone: All the sample people.
        cast: Who played each case.
        changes: What each case may change; who is not named keeps everything.
        keys: What makes pseudonyms.
        letters: What letters have to say.
    """

    def __init__(
        self,
        everyone: Sequence[SamplePerson],
        cast: Mapping[str, SamplePerson],
        changes: Mapping[str, Change],
        keys: Pseudonymiser,
        letters: Letters,
        narrator: Narrator,
        findings: Findings,
    ) -> None:
        self._everyone = everyone
        self._cast = cast
        self._changes = changes
        self._keys = keys
        self._letters = letters
        self._narrator = narrator
        self._findings = findings

    def judge(self, before: Holdings, after: Holdings) -> int:
        """Note everything that is not as it should be, and return how many letters were sent."""
        self._narrator.chapter("The proof, with the bare SDKs: what changed, what stayed, what was written")
        owners = Owners.of(self._everyone)
        pseudonyms = {
            key for person in self._cast.values() for key in subject_keys(person, self._keys).values()
        }
        requests = requests_of(after, pseudonyms)
        check_closed(requests, self._findings)
        proofs = check_proofs(requests, after, self._findings)
        for case, person in self._cast.items():
            check_controls(case, person, self._keys, after, self._findings)
        wrong = self._cast["rectification"]
        check_note(wrong, corrected_name(wrong.name), self._keys, after, self._findings)
        self._narrator.step(f"{len(requests)} cases are closed, with {proofs} proofs of what was erased")
        self._judge_changes(owners, before, after)
        self._judge_others(owners, before, after, list(requests), sorted(pseudonyms))
        self._judge_residue(owners, after)
        return self._judge_letters(after, requests)

    def _judge_changes(self, owners: Owners, before: Holdings, after: Holdings) -> None:
        judge = Judge(
            owners=owners,
            expectations=Expectations(self._everyone),
            before=before,
            after=after,
            findings=self._findings,
        )
        rows = [
            (case, self._cast[case].key, judge.judge(case, self._cast[case], change, new_name=name))
            for case, change in self._changes.items()
            for name in [corrected_name(self._cast[case].name)]
        ]
        self._narrator.table(("case", "person", "records gone or cut down"), rows)

    def _judge_others(
        self,
        owners: Owners,
        before: Holdings,
        after: Holdings,
        request_ids: Sequence[str],
        pseudonyms: Sequence[str],
    ) -> None:
        others = Others(
            erased=[self._cast[case] for case in self._changes],
            request_ids=request_ids,
            subject_keys=pseudonyms,
            containers={self._cast[case].key: change.containers for case, change in self._changes.items()},
        )
        was, now = others.pieces(before, owners), others.pieces(after, owners)
        for difference in differences(was, now):
            self._findings.add(f"somebody else's, or of another system: {difference}")
        self._narrator.step(
            f"{len(was)} documents and blobs of everybody else, and of the same people elsewhere"
        )

    def _judge_residue(self, owners: Owners, after: Holdings) -> None:
        erased = [self._cast[case] for case, change in self._changes.items() if change.erased == EVERYWHERE]
        hits = set(Search(erased, self._everyone).everywhere(after))
        expectations = Expectations(self._everyone)
        keys = {person.key for person in erased}
        kept = {person.key: expectations.kept_values(person, on=today_in_copenhagen()) for person in erased}
        places = {
            person.key: [
                place
                for place, owned_by in owners.documents.items()
                if place.container == "orders" and owned_by == {person.key} and place in after.documents
            ]
            for person in erased
        }
        allowed = kept_by_law(erased, kept, places)
        for hit in sorted(hits - allowed):
            self._findings.add(f"left after the erasure: {hit}")
        for hit in sorted(allowed - hits):
            self._findings.add(f"missing though it must be kept: {hit}")
        living = [person for person in self._cast.values() if person.key not in keys]
        for hit in Search(living, self._everyone).everywhere(after):
            self._findings.expect(not is_out_of_place(hit), f"personal data: {hit}")
        self._narrator.step(
            f"searched {len(after.documents)} documents, {len(after.blobs)} blobs, "
            f"{len(after.messages)} messages and {len(after.logs)} logs"
        )

    def _judge_letters(self, after: Holdings, requests: Mapping[str, Mapping[str, object]]) -> int:
        outbox = [blob for (container, _, _), blob in after.blobs.items() if container == OUTBOX]
        mails = [read_mail(blob.data or b"") for blob in outbox]
        names = "\n".join(blob.name for blob in outbox)
        for hit in Search(list(self._cast.values()), self._everyone).within("the names of mails", names):
            self._findings.add(f"personal data: {hit}")
        asked = [body for body in requests.values() if body["channel"] != "retention"]
        count = self._letters.judge(mails, asked, self._findings)
        self._narrator.step(
            f"{count} letters, and each right of each case answered once in each of its lives"
        )
        return count


def is_out_of_place(hit: Hit) -> bool:
    """Whether a living person's value is where none belongs: in our own records, queues or logs."""
    ours = hit.where.startswith("document compliance/") and not hit.where.startswith(_NOTES)
    return ours or hit.where.startswith(_NO_PLACE_FOR_PEOPLE)
