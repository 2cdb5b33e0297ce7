"""What people, products, staff and operators do in a simulated run, each as a coroutine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.consent import consent_in_force, opted_in
from shared.domain.controls import SWITCH_KEY, Consent, Controls
from shared.domain.errors import ComplianceError, Conflict, Invalid, NotAllowed, NotFound
from shared.domain.identifiers import EMAIL
from shared.domain.outcomes import Notice
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.tokens import issue
from shared.domain.wishes import Requester, Scope, Wishes
from shared.services import holding, intake, lifting, marking, switching
from shared.services.deciding import approve, refuse
from shared.services.filing import Filing, put_on_file
from shared.services.intake import Submission
from shared.services.links import CANCEL, VERIFY, verification_ends
from shared.services.telling import note_told
from tests.factories import KEYS
from tests.simulation.rights_world import LETTERS, WORK
from tests.simulation.simulator import Simulation
from tests.simulation.watching import Violation

TRIES = 20
DAY_SECONDS = 86_400


@dataclass
class Asked:
    """A request as whoever filed it remembers it."""

    name: str
    rights: tuple[Right, ...]
    step: int
    is_internal: bool = False


@dataclass
class Job:
    """Something an operator wants done, until it is: who sees an error tries again."""

    act: Callable[[], Awaitable[object]]
    done: bool = False


@dataclass
class Acts:
    """Everything that is done to a simulation from outside."""

    simulation: Simulation
    requests: dict[str, Asked] = field(default_factory=dict)
    created: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)  # by person: record, step
    consents: list[tuple[str, str]] = field(default_factory=list)  # (person, consent id)
    jobs: list[Job] = field(default_factory=list)
    filed: int = 0

    @property
    def world(self):
        return self.simulation.world

    def key(self, name: str) -> str:
        """Return the pseudonym of a person's address."""
        return KEYS.subject_key(EMAIL, f"{name}@people.example")

    def keys(self, name: str) -> tuple[str, ...]:
        """Return every pseudonym of a person."""
        others = (("person_id", f"person-{name}"), ("user_id", f"user-{name}"))
        return (self.key(name), *(KEYS.subject_key(kind, value) for kind, value in others))

    def is_held(self, name: str) -> bool:
        """Whether a hold on a person is in force under any of them."""
        everywhere = (self.world.controls.stored(key).controls for key in self.keys(name))
        return any(hold.released_at is None for one in everywhere for hold in one.holds)

    def know_all(self) -> None:
        """Learn of the requests whose filer did not live to hear of them."""
        watcher = self.simulation.watcher
        for request_id in self.world.cases.partitions:
            request = self.world.cases.request(request_id)
            name, step = watcher.person_of(request), watcher.filed_at[request_id]
            asked = Asked(name, request.rights, step, is_internal=request.is_internal)
            self.requests.setdefault(request_id, asked)

    def controls(self, name: str) -> Controls:
        """Return what stands under it."""
        return self.world.controls.stored(self.key(name)).controls

    # people

    async def ask(self, name: str, rights: tuple[Right, ...]) -> None:
        """File a request at the web form and press the button of its mail, trying again after errors."""
        self.filed += 1
        submission = Submission(
            email=f"{name}@people.example",
            rights=rights,
            language="en",
            client="203.0.113.9",
            repeat_key=f"{name}-{self.filed}",
            wishes=self._wishes(name, rights),
        )
        context, step, request_id = self.world.context, self.simulation.step, None
        for _ in range(TRIES):
            try:
                if request_id is None:
                    request_id = await intake.submit(context, submission)
                    self._counts_at_once(name, rights, request_id)
                self.requests.setdefault(request_id, Asked(name, rights, step))
                request = self.world.cases.request(request_id)
                token = issue(
                    KEYS,
                    purpose=VERIFY,
                    request_id=request_id,
                    expires_at=verification_ends(context, request),
                )
                await intake.verify(context, request_id, token)
            except ComplianceError:
                continue
            return

    def _wishes(self, name: str, rights: tuple[Right, ...]) -> Wishes:
        if Right.RECTIFICATION not in rights:
            return Wishes()
        return Wishes(corrections={"name": f"Name of {name} corrected {self.filed}"})

    def _counts_at_once(self, name: str, rights: tuple[Right, ...], request_id: str) -> None:
        """What needs no check of identity stands from the moment the form said thank you."""
        controls = self.controls(name)
        received_at = self.world.cases.request(request_id).received_at
        if Right.MARKETING_OBJECTION in rights and not controls.stops_marketing:
            raise Violation("an objection to marketing did not count at once")
        old = [one for one in controls.consents if one.given_at <= received_at and not one.withdrawn_at]
        late = controls.withdrawn_at is None or controls.withdrawn_at < received_at
        if Right.WITHDRAWAL in rights and (old or late):
            raise Violation("a withdrawal did not count at once")

    async def cancel(self, request_id: str) -> None:
        """Use the link of the mail that cancels."""
        context = self.world.context
        expires_at = self.world.clock.moment.replace(year=2030)
        token = issue(KEYS, purpose=CANCEL, request_id=request_id, expires_at=expires_at)
        try:
            await intake.cancel(context, request_id, token)
        except ComplianceError:
            return

    # products

    async def subscribe(self, name: str) -> None:
        """Sign up for the newsletter: a consent in the controls, and a document of the product."""
        now = self.world.clock.now()
        consent = Consent(
            consent_id=f"c-{self.simulation.step}",
            purpose_id=LETTERS,
            given_at=now,
            policy_version=str(self.simulation.step),  # another text each time, so that each is evidence
        )

        def given(controls: Controls) -> Controls:
            return opted_in(controls, consent, now=now)

        for _ in range(TRIES):
            try:
                await marking.change(self.world.context, (self.key(name),), given)
            except ComplianceError:
                continue
            break
        else:
            return
        found = consent_in_force(self.controls(name), LETTERS, now=self.world.clock.now())
        if found is None or found.consent_id != consent.consent_id:
            return  # the product was told that it does not count, or that it is known
        self.consents.append((name, consent.consent_id))
        if self.world.sign_up(name, at=now):
            self._created(name, "signups", f"s-{name}-{self.simulation.step}")

    def use(self, name: str) -> None:
        """Let a product write one more event; it does so only of somebody it knows."""
        if any(body["id"] == f"person-{name}" for body in self.world.documents.bodies("people")):
            event = {"id": f"p-{name}-{self.simulation.step}", "user_id": f"user-{name}", "what": "used"}
            self.world.documents.put("events", "/user_id", event)
            self._created(name, "events", event["id"])

    def rename(self, name: str) -> None:
        """Let a product write back the name it had."""
        for body in self.world.documents.bodies("people"):
            if body["id"] == f"person-{name}":
                self.world.documents.put("people", "/id", {**body, "name": f"Name of {name}"})
                self.simulation.watcher.renamed_at[name, "people"] = self.simulation.step

    def _created(self, name: str, container: str, document_id: str) -> None:
        self.created.setdefault(name, {})[container, document_id] = self.simulation.step

    # staff and machines

    async def enter(self, name: str, rights: tuple[Right, ...]) -> None:
        """Enter what came by post two days ago; an error is followed by the same entry."""
        self.filed += 1
        filing = Filing(
            request_id=f"{self.filed:032x}",
            rights=rights,
            language="da",
            channel="post",
            email=f"{name}@people.example",
            received_at=self.world.clock.now() - timedelta(days=2),
            wishes=self._wishes(name, rights),
            is_known=True,
            entered_by="clerk-1",
        )
        await self._file(filing, Asked(name, rights, self.simulation.step))

    async def schedule(self, name: str) -> None:
        """Let retention erase the events of a person whose time is up."""
        self.filed += 1
        filing = Filing(
            request_id=f"{self.filed:032x}",
            rights=(Right.ERASURE,),
            language="en",
            channel="retention",
            email=None,
            received_at=self.world.clock.now(),
            identifiers={EMAIL: (f"{name}@people.example",)},
            requester=Requester(kind="controller"),
            scope=Scope(activity_ids=(WORK,), store_ids=("events",)),
            is_known=True,
        )
        await self._file(filing, Asked(name, (Right.ERASURE,), self.simulation.step, is_internal=True))

    async def _file(self, filing: Filing, asked: Asked) -> None:
        for _ in range(TRIES):
            try:
                await put_on_file(self.world.context, filing)
            except ComplianceError:
                continue
            finally:
                if filing.request_id in self.world.cases.partitions:
                    self.requests[filing.request_id] = asked
            return

    # operators

    def operate(self, act: Callable[[], Awaitable[object]]) -> None:
        """Begin something an operator sees through."""
        job = Job(act)
        self.jobs.append(job)
        self.simulation.start("operator", self._until_done(job))

    async def _until_done(self, job: Job) -> None:
        for _ in range(TRIES):
            try:
                await job.act()
            except (NotAllowed, NotFound, Invalid):
                pass  # there is nothing to do any more
            except ComplianceError:
                continue
            job.done = True
            return

    def finish_jobs(self) -> bool:
        """See through what errors and crashes left undone; whether there was something."""
        undone = [job for job in self.jobs if not job.done]
        for job in undone:
            self.simulation.run_to_end(self._until_done(job))
        return bool(undone)

    async def hold(self, name: str) -> None:
        """Place a hold."""
        now = self.world.clock.now()
        wanted = holding.PlaceHold(
            identifiers={EMAIL: (f"{name}@people.example",)},
            activity_id=None,
            ground="legal_claim",
            reason="a dispute",
            review_on=copenhagen_day(now + timedelta(days=100)),
            placed_by="officer-1",
        )
        await holding.place(self.world.context, wanted)

    async def release(self, name: str) -> None:
        """Release every hold on a person, found in the list of holds."""
        listed = await self.world.context.controls.held(limit=1_000)
        mine = self.keys(name)
        ids = {hold.hold_id for one in listed if one.subject_key in mine for hold in one.holds}
        for hold_id in sorted(ids):
            await holding.release(self.world.context, hold_id, released_by="officer-1")

    async def lift(self, name: str) -> None:
        """Announce that a person's restrictions end tomorrow."""
        tomorrow = copenhagen_day(self.world.clock.now() + timedelta(seconds=DAY_SECONDS))
        for request_id, asked in sorted(self.requests.items()):
            if asked.name != name or request_id not in self.world.cases.partitions:
                continue
            try:
                await lifting.announce_lifting(
                    self.world.context,
                    request_id,
                    reason="it was checked",
                    decided_by="officer-1",
                    lift_on=tomorrow,
                )
            except NotAllowed:
                continue

    async def throw(self) -> None:
        """Stop all destruction."""
        await switching.throw(self.world.context, reason="a drill", decided_by="officer-1")

    async def reset(self) -> None:
        """Let destruction go on."""
        await switching.reset(self.world.context, decided_by="officer-1")

    @property
    def is_stopped(self) -> bool:
        """Whether the kill switch is thrown."""
        return switching.is_thrown(self.world.controls.stored(SWITCH_KEY).controls)

    def untold(self) -> list[tuple[str, Notice]]:
        """Return what staff still have to do at recipients, with its request."""
        return [
            (request_id, notice)
            for request_id in sorted(self.world.cases.partitions)
            if (request := self.world.cases.request(request_id)).state is RequestState.STANDING
            for notice in request.open_notices
        ]

    async def tell(self, request_id: str, notice: Notice) -> None:
        """Note that a recipient was told."""
        await note_told(
            self.world.context,
            request_id,
            recipient_id=notice.recipient_id,
            right=notice.right,
            state="told",
            why="",
            noted_by="clerk-1",
        )

    def undecided(self) -> list[str]:
        """Return the requests a person must decide about."""
        return [
            request_id
            for request_id in sorted(self.world.cases.partitions)
            if (request := self.world.cases.request(request_id)).state is RequestState.AWAITING_APPROVAL
            and request.approved_digest is None
        ]

    async def decide(self, request_id: str, *, yes: bool) -> None:
        """Approve what is planned, or refuse it; somebody else may have been faster."""
        try:
            await self._take_decision(request_id, yes=yes)
        except Conflict as error:
            if error.code != "decided_already":
                raise

    async def _take_decision(self, request_id: str, *, yes: bool) -> None:
        if not yes:
            try:
                await refuse(
                    self.world.context,
                    request_id,
                    decided_by="officer-1",
                    reason="the interest prevails",
                    provision="GDPR article 21(1)",
                )
            except NotAllowed as error:
                if error.code != "too_late":
                    raise
            else:
                return
        request = self.world.cases.request(request_id)
        if request.plan is not None:
            await approve(
                self.world.context,
                request_id,
                plan_digest=request.plan.digest,
                decided_by="officer-1",
                reason="it was weighed",
                provision="GDPR article 21(1)",
            )
