"""What must be true when all is at rest."""

import io
import json
import zipfile
from collections import Counter

from shared.domain.cases import SubjectRequest
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.rendering.letters import LetterKind
from shared.services.proving import ERASING
from tests.simulation.acts import Acts
from tests.simulation.rights_world import OWN
from tests.simulation.watching import Violation, objects

ENDED = (RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION, RequestState.REJECTED)
ANSWERED = (*ENDED, RequestState.STANDING)
NO_ANSWERS = frozenset(
    {
        LetterKind.VERIFY,
        LetterKind.DELAYED_BY_REVIEW,
        LetterKind.OBJECTION_RECEIVED,
        LetterKind.RESTRICTION_LIFTING,
        LetterKind.CANCELLED,
        LetterKind.RECIPIENTS_DONE,
        LetterKind.SUBJECT_ASKED,
    }
)
FIRST_RECORDS = 10  # person, 3 events, invoice, team row, 2 lines, file, sign-up
LIFE = 100  # numbers of a letter for each life of a request


class Invariants:
    """Checks of one story."""

    def __init__(self, acts: Acts, marks: dict[str, dict[str, str]]):
        self.acts = acts
        self.world = acts.world
        self.marks = marks
        self.bystander = self.data_of("bo")

    def check(self) -> None:
        """Check every invariant that must hold when all is at rest."""
        self.acts.know_all()
        if self.data_of("bo") != self.bystander:
            raise Violation("a bystander's data changed")
        for request_id, asked in self.acts.requests.items():
            request = self.world.cases.request(request_id)
            if request.state is RequestState.RECEIVED:
                continue  # nobody got to confirm it
            if not request.is_final and request.state is not RequestState.STANDING:
                raise Violation(f"{request_id} never ended: {request.state} {request.attention}")
            self._check_one(request, asked.name)
        for name in self.marks:
            self._check_counts(name)
            self._check_erased(name)
            self._check_controls(name)
        self._check_mail()
        self._check_no_leak()

    # one request

    def _check_one(self, request: SubjectRequest, name: str) -> None:
        marks = [mark.lower() for mark in self.marks[name].values()]
        rows = self.world.cases.partitions[request.request_id]
        for row_id, (_, row) in rows.items():
            may_hold = row_id == "request" and request.state is RequestState.STANDING
            if not may_hold and marked(json.dumps(row), marks):
                raise Violation(f"a closed request still holds personal data: {row_id}")
        if request.state not in ANSWERED:
            return
        if set(request.outcomes) != set(request.rights):
            raise Violation("a right has no outcome")
        self._check_answers(request)
        self._check_marks(request)
        if request.state is RequestState.STANDING:
            self._check_stands(request, name)
        for right in request.rights:
            outcome = request.outcomes[right]
            if right in (Right.ACCESS, Right.PORTABILITY):
                self._check_copy(request, right)
            if right in ERASING and outcome.result != "refused":
                self._check_proof(request, right)

    def _check_answers(self, request: SubjectRequest) -> None:
        """Each right has exactly one answer, and one more for each life after a hold that it had."""
        start = f"{request.request_id}-letter-"
        numbers: Counter[int] = Counter()
        for mail in self.world.notifier.mails:
            kind, _, number = mail.removeprefix(start).rpartition("-")
            if mail.startswith(start) and kind not in NO_ANSWERS:
                numbers[int(number)] += 1
        if any(count > 1 for count in numbers.values()):
            raise Violation(f"two answers for one right: {sorted(numbers)}")
        first = {number for number in numbers if number < LIFE}
        expected = set() if request.is_internal else set(range(len(request.rights)))
        if first != expected:
            raise Violation(f"answers {sorted(first)} for {len(request.rights)} rights")
        lives = {number // LIFE for number in numbers}
        if not request.is_internal and lives != set(range(request.revivals + 1)):
            raise Violation(f"answers in lives {sorted(lives)} of {request.revivals + 1}")

    def _check_stands(self, request: SubjectRequest, name: str) -> None:
        """An answered request is open for a reason that is there now."""
        controls = self.acts.controls(name)
        restricted = any(
            one.lifted_at is None and one.restriction_id.startswith(request.request_id)
            for one in controls.restrictions
        )
        deferred = any(kept.reason == "hold" for one in request.outcomes.values() for kept in one.kept)
        if not restricted and not (deferred and self.acts.is_held(name)):
            raise Violation(f"a request stands for no reason: deferred={deferred}")

    def _check_marks(self, request: SubjectRequest) -> None:
        """A refused objection leaves nobody restricted; an upheld one goes on."""
        outcome = request.outcomes.get(Right.OBJECTION)
        if outcome is None:
            return
        mark = f"{request.request_id}-{Right.OBJECTION}"
        for key in request.subject_keys:
            controls = self.world.controls.stored(key).controls
            if any(one.restriction_id == mark and one.lifted_at is None for one in controls.restrictions):
                raise Violation(f"an objection that came to {outcome.result} still restricts")
            own = any(one.objection_id == mark and one.in_force for one in controls.objections)
            upheld = outcome.result == "objection_upheld"
            if (upheld and not objects(controls, "general", request)) or (own and not upheld):
                raise Violation(f"an objection that came to {outcome.result} is wrongly in force or not")

    def _check_proof(self, request: SubjectRequest, right: Right) -> None:
        number = request.rights.index(right)
        proofs = [
            proof
            for name, proof in self.world.evidence.records.items()
            if name.startswith(f"{request.request_id}/{right}-{number}")
        ]
        if not any(proof["erased_by_store"] == request.outcomes[right].by_store for proof in proofs):
            raise Violation("the proof and the answer differ")

    def _check_copy(self, request: SubjectRequest, right: Right) -> None:
        """The published archive is whole, holds what the answer counts, and no part is left beside it."""
        request_id, package = request.request_id, request.package
        if any(name.startswith("part-") for name in self.world.cases.partitions[request_id]):
            raise Violation("parts of a published copy are left")
        if package is None or package.deleted_at is not None:
            return  # its day has come
        if request_id not in self.world.packages.contents:
            raise Violation("a completed copy is not there")
        archive = zipfile.ZipFile(io.BytesIO(self.world.packages.contents[request_id]))
        if archive.testzip() is not None:
            raise Violation("the copy is broken")
        found = sum(
            len(json.loads(archive.read(name)))
            for name in archive.namelist()
            if name.startswith("data/") and name.endswith(".json") and not name.endswith(".schema.json")
        )
        found += sum(1 for name in archive.namelist() if name.startswith("files/"))
        counted = request.outcomes[right].records
        if found != counted:
            raise Violation(f"the copy holds {found} records and the answer says {counted}")

    # one person

    def data_of(self, name: str) -> list[str]:
        """Return everything in the systems of record that carries one of the person's marks."""
        marks = [mark.lower() for mark in self.marks[name].values()]
        found = []
        for container, rows in self.world.documents.rows.items():
            for _, _, body in rows.values():
                records = body["people"] if container == "teams" else [body]
                found += [
                    f"{container} {json.dumps(one, sort_keys=True)}"
                    for one in records
                    if marked(json.dumps(one), marks)
                ]
        for (container, blob_name), (_, data) in self.world.blobs.current.items():
            found += [f"{container} {line}" for line in data.decode().splitlines() if marked(line, marks)]
            if marked(blob_name, marks):
                found.append(f"{container} {blob_name}")
        return sorted(found)

    def _left(self, name: str) -> list[str]:
        """Return what is there of a person, but for invoices that were cut down and for our own notes."""
        return [
            one
            for one in self.data_of(name)
            if not one.startswith(("notes", "files files", "files by"))
            and not (one.startswith("invoices") and '"phone"' not in one)
        ]

    def _check_counts(self, name: str) -> None:
        """Whatever was erased of a person is in one answer, once."""
        erased = sum(
            count
            for request_id, asked in self.acts.requests.items()
            if asked.name == name
            for right, outcome in self.world.cases.request(request_id).outcomes.items()
            if right in ERASING
            for store_id, count in outcome.by_store.items()
            if store_id not in OWN
        )
        written = FIRST_RECORDS + len(self.acts.created.get(name, ()))
        left = len(self._left(name))
        if erased + left != written:
            raise Violation(f"the proofs count {erased} records, {left} are left and {written} were written")

    def _check_erased(self, name: str) -> None:
        """Nothing is left that was there when an erasure came that was carried out and no hold deferred."""
        if self.acts.is_held(name):
            return
        erasures = [
            asked.step
            for request_id, asked in self.acts.requests.items()
            if asked.name == name and not asked.is_internal and self._is_erased(request_id)
        ]
        if not erasures:
            return
        later = {
            document_id
            for (_, document_id), step in self.acts.created.get(name, {}).items()
            if step >= max(erasures)
        }
        for one in self._left(name):
            if not any(document_id in one for document_id in later) and not self._signed_up(one, later):
                raise Violation(f"left after the erasure: {one}")

    @staticmethod
    def _signed_up(record: str, later: set[str]) -> bool:
        return record.startswith("signups") and any(one.startswith("s-") for one in later)

    def _is_erased(self, request_id: str) -> bool:
        request = self.world.cases.request(request_id)
        if request.joined_to is not None and Right.ERASURE in request.rights:
            request = self.world.cases.request(request.joined_to)
        outcome = request.outcomes.get(Right.ERASURE)
        return outcome is not None and outcome.result != "refused" and request.state in ANSWERED

    def _check_controls(self, name: str) -> None:
        """Nobody is restricted by a request that is over, and a newer consent outlives a withdrawal."""
        for key in self.acts.keys(name):
            for mark in self.world.controls.stored(key).controls.restrictions:
                owner = self.world.cases.request(mark.restriction_id.rpartition("-")[0])
                if mark.lifted_at is None and owner.state is not RequestState.STANDING:
                    raise Violation(f"restricted by a request that was {owner.state}")
        controls = self.acts.controls(name)
        for consent in controls.consents:
            later = controls.withdrawn_at is None or consent.given_at > controls.withdrawn_at
            if later and consent.withdrawn_at is not None:
                raise Violation("a consent given after the withdrawal was taken back")

    # everything

    def _check_mail(self) -> None:
        """No letter went out twice, and none is still to go to somebody who can be written to."""
        twice = [mail for mail, times in self.world.notifier.times_sent.items() if times > 1]
        if twice:
            raise Violation(f"sent twice: {twice[0]}")
        for request_id, rows in self.world.cases.partitions.items():
            ended = rows["request"][1]["state"] in ANSWERED
            for letter in (row for _, row in rows.values() if row["type"] == "letter"):
                mail_id = f"{request_id}-{letter['id']}"
                due = {one["letter_id"] for one in rows["request"][1]["notices"] if one["state"] == "due"}
                if letter["id"] in due and not letter["sent_at"]:
                    raise Violation(f"a recipient was never told: {mail_id}")
                if letter["sent_at"] and mail_id not in self.world.notifier.mails:
                    raise Violation(f"never sent: {mail_id}")
                if ended and letter["closes"] and not letter["sent_at"]:
                    raise Violation(f"closed without its answer: {mail_id}")

    def _check_no_leak(self) -> None:
        world = self.world
        marks = [mark.lower() for marks in self.marks.values() for mark in marks.values()]
        places = {
            "queue": b"\n".join(self.acts.simulation.every_body).decode(),
            "evidence": json.dumps(world.evidence.records) + json.dumps(world.quarantine.records),
            "alarms": json.dumps(world.operators.alarms),
            "controls": json.dumps(list(world.controls.rows.values())),
            "names": json.dumps([*world.packages.contents, *world.notifier.mails]),
        }
        for place, content in places.items():
            if marked(content, marks):
                raise Violation(f"personal data in {place}")


def marked(content: str, marks: list[str]) -> bool:
    """Tell whether one of the marks stands in the content."""
    folded = content.lower()
    return any(mark in folded for mark in marks)
