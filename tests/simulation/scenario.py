"""What happens in a simulated run, and what must be true at its end."""

import io
import json
import zipfile

from shared.domain.cases import RequestState
from shared.domain.controls import Hold
from shared.domain.errors import ComplianceError
from shared.domain.identifiers import EMAIL
from shared.domain.rights import Right
from shared.domain.tokens import issue
from shared.services import intake
from shared.services.intake import Submission
from shared.services.links import CANCEL, VERIFY, verification_ends
from tests.factories import KEYS
from tests.simulation.simulator import Simulation, Violation

PEOPLE = ("ane", "bo", "carl")
ENDED = (RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION)
CHOICES = (
    (Right.ACCESS,),
    (Right.ERASURE,),
    (Right.ERASURE,),
    (Right.ACCESS, Right.ERASURE),
)


class Story:
    """People who ask for their rights at random moments; `bo` never asks and must not notice anything."""

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        self.random = simulation.random
        self.marks = {name: simulation.world.add_person(name) for name in PEOPLE}
        self.bystander = self._data_of("bo")
        self.requests: dict[str, tuple[str, tuple[Right, ...]]] = {}
        self.held = False
        self.plans = self._plans()

    def _plans(self):
        """Return (step, person, rights), a few of them for one person, close together."""
        count = self.random.randint(1, 3)
        first = self.random.randint(0, 20)
        return [
            (first + self.random.randint(0, 90) * (index > 0), name, self.random.choice(CHOICES))
            for index in range(count)
            for name in [self.random.choice(("ane", "ane", "carl"))]
        ]

    def during(self, simulation: Simulation) -> None:
        """Do what is planned for this step."""
        for step, name, rights in self.plans:
            if step == simulation.step or (simulation.step == 0 and step == 0):
                simulation.start("person", self._ask(name, rights))
        self.plans = [plan for plan in self.plans if plan[0] > simulation.step]
        if self.random.random() < 0.004 and not self.held:
            self._hold("ane")
        if self.random.random() < 0.004 and self.requests:
            request_id = self.random.choice(sorted(self.requests))
            simulation.start("cancel", self._cancel(request_id))

    async def _ask(self, name: str, rights: tuple[Right, ...]) -> None:
        context = self.simulation.world.context
        submission = Submission(
            email=self.marks[name]["email"],
            rights=rights,
            language="en",
            client="203.0.113.9",
            repeat_key=f"{name}-{self.simulation.step}",
        )
        request_id = None
        for _ in range(20):
            try:
                request_id = request_id or await intake.submit(context, submission)
                self.requests[request_id] = (name, rights)
                request = self.simulation.world.cases.request(request_id)
                token = issue(
                    KEYS,
                    purpose=VERIFY,
                    request_id=request_id,
                    expires_at=verification_ends(context, request),
                )
                await intake.verify(context, request_id, token)
            except ComplianceError:
                continue  # a person tries again
            return

    async def _cancel(self, request_id: str) -> None:
        context = self.simulation.world.context
        expires_at = self.simulation.world.clock.moment.replace(year=2030)
        token = issue(KEYS, purpose=CANCEL, request_id=request_id, expires_at=expires_at)
        try:
            await intake.cancel(context, request_id, token)
        except ComplianceError:
            return

    def _hold(self, name: str) -> None:
        world = self.simulation.world
        self.held = True
        key = KEYS.subject_key(EMAIL, self.marks[name]["email"])
        stored = world.controls.stored(key)
        hold = Hold(
            hold_id="h-1",
            activity_id=None,
            ground="legal_claim",
            reason="a dispute",
            placed_at=world.clock.now(),
            review_on=world.clock.now().date(),
        )
        world.controls.put(stored.controls.model_copy(update={"holds": (hold,)}))
        self.simulation.hold_placed_at[self.marks[name]["email"]] = self.simulation.step

    def _data_of(self, name: str) -> list[str]:
        """Return everything in the systems of record that carries one of the person's marks."""
        world = self.simulation.world
        marks = [mark.lower() for mark in self.marks[name].values()]
        found = []
        for container, rows in world.documents.rows.items():
            for _, _, body in rows.values():
                if container == "teams":
                    found += [json.dumps(one) for one in body["people"] if _marked(json.dumps(one), marks)]
                elif _marked(json.dumps(body), marks):
                    found.append(json.dumps(body, sort_keys=True))
        for (container, blob_name), (_, data) in world.blobs.current.items():
            found += [f"{container} {line}" for line in data.decode().splitlines() if _marked(line, marks)]
            if _marked(blob_name, marks):
                found.append(blob_name)
        return sorted(found)

    def check(self) -> None:
        """Check every invariant that must hold when all is at rest."""
        world = self.simulation.world
        if self._data_of("bo") != self.bystander:
            raise Violation("a bystander's data changed")
        for request_id, (name, rights) in self.requests.items():
            request = world.cases.request(request_id)
            if request.state is RequestState.RECEIVED:
                continue  # nobody got to confirm it
            if not request.is_final:
                raise Violation(f"{request_id} never ended: {request.state} {request.attention}")
            self._check_ended(request_id, name, rights)
        self._check_mail()
        self._check_no_leak()

    def _check_mail(self) -> None:
        """No letter went out twice, and none is still to go to somebody who can be written to."""
        world = self.simulation.world
        twice = [mail for mail, times in world.notifier.times_sent.items() if times > 1]
        if twice:
            raise Violation(f"sent twice: {twice[0]}")
        for request_id, rows in world.cases.partitions.items():
            ended = rows["request"][1]["state"] in ENDED
            for letter in (row for _, row in rows.values() if row["type"] == "letter"):
                mail_id = f"{request_id}-{letter['id']}"
                if letter["sent_at"] and mail_id not in world.notifier.mails:
                    raise Violation(f"never sent: {mail_id}")
                if ended and letter["closes"] and not letter["sent_at"]:
                    raise Violation(f"closed without its answer: {mail_id}")

    def _check_ended(self, request_id: str, name: str, rights: tuple[Right, ...]) -> None:
        world = self.simulation.world
        request = world.cases.request(request_id)
        stored = json.dumps([row for _, row in world.cases.partitions[request_id].values()])
        if _marked(stored, [mark.lower() for mark in self.marks[name].values()]):
            raise Violation("a closed request still holds personal data")
        if request.state not in ENDED:
            return
        if set(request.outcomes) != set(rights):
            raise Violation("a right has no outcome")
        answers = [
            mail
            for mail in world.notifier.mails
            if mail.startswith(request_id) and "letter-verify" not in mail
        ]
        if len(answers) != len(rights):
            raise Violation(f"{len(answers)} answers for {len(rights)} rights")
        if Right.ACCESS in rights:
            self._check_copy(request_id)
        if Right.ERASURE in rights:
            proof = world.evidence.records[f"{request_id}/erasure-{rights.index(Right.ERASURE)}.json"]
            if proof["erased_by_store"] != request.outcomes[Right.ERASURE].by_store:
                raise Violation("the proof and the answer differ")
        if Right.ERASURE in rights and not self.held:
            self._check_erased(name)

    def _check_copy(self, request_id: str) -> None:
        """The published archive is whole, holds what the answer counts, and no part is left beside it."""
        world = self.simulation.world
        if request_id not in world.packages.contents:
            raise Violation("a completed copy is not there")
        archive = zipfile.ZipFile(io.BytesIO(world.packages.contents[request_id]))
        if archive.testzip() is not None:
            raise Violation("the copy is broken")
        found = sum(
            len(json.loads(archive.read(name)))
            for name in archive.namelist()
            if name.startswith("data/") and name.endswith(".json")
        )
        found += sum(1 for name in archive.namelist() if name.startswith("files/"))
        counted = world.cases.request(request_id).outcomes[Right.ACCESS].records
        if found != counted:
            raise Violation(f"the copy holds {found} records and the answer says {counted}")
        if any(name.startswith("part-") for name in world.cases.partitions[request_id]):
            raise Violation("parts of a published copy are left")

    def _check_erased(self, name: str) -> None:
        left = [one for one in self._data_of(name) if '"invoice_on"' not in one]
        if left:
            raise Violation(f"left after the erasure: {left[0]}")
        total = sum(
            sum(outcome.by_store.values())
            for request_id, (other, _) in self.requests.items()
            if other == name
            for right, outcome in self.simulation.world.cases.request(request_id).outcomes.items()
            if right is Right.ERASURE
        )
        expected = 1 + 3 + 1 + 1 + 2 + 1  # person, events, invoice cut down, team row, log lines, file
        if total != expected:
            raise Violation(f"the proofs count {total} records and {expected} went")

    def _check_no_leak(self) -> None:
        world = self.simulation.world
        marks = [mark.lower() for marks in self.marks.values() for mark in marks.values()]
        places = {
            "queue": b"\n".join(self.simulation.every_body).decode(),
            "evidence": json.dumps(world.evidence.records) + json.dumps(world.quarantine.records),
            "alarms": json.dumps(world.operators.alarms),
            "controls": json.dumps(list(world.controls.rows.values())),
            "names": json.dumps([*world.packages.contents, *world.notifier.mails]),
        }
        for place, content in places.items():
            if _marked(content, marks):
                raise Violation(f"personal data in {place}")


def _marked(content: str, marks: list[str]) -> bool:
    folded = content.lower()
    return any(mark in folded for mark in marks)


def run_seed(seed: int, **changes) -> Simulation:
    """Run one seed and check it; the error names the seed and replays with it."""
    simulation = Simulation(seed, **changes)
    story = Story(simulation)
    try:
        simulation.run(during=story.during)
        story.check()
    except Violation as violation:
        raise Violation(f"seed {seed}: {violation}") from violation
    finally:
        for run in simulation.runs:
            run.coroutine.close()
    return simulation
