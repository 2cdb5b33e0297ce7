"""What must be true at every step: watched at the moment something is destroyed, saved or published."""

import json
from collections import Counter
from typing import Any

from shared.domain.cases import SubjectRequest
from shared.domain.consent import consent_in_force
from shared.domain.controls import SWITCH_KEY, Controls
from shared.domain.identifiers import EMAIL
from shared.domain.outcomes import Outcome
from shared.domain.recipients import Instruction
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services.erasing import RESTRICTED
from shared.services.judging import STOPPING
from tests.factories import KEYS
from tests.simulation.rights_world import LETTERS, RightsWorld, names_of

NEVER = -1
OBJECTED = {"objection_upheld": "general", "marketing_stopped": "marketing"}


class Violation(AssertionError):
    """An invariant does not hold."""


class Watcher:
    """Looks at every change of records, controls and cases as it takes effect."""

    def __init__(self, world: RightsWorld):
        self.world = world
        self.step = 0
        self.run: Any = None  # the one that is at work
        self.destroyed: Counter[tuple[str, Right]] = Counter()
        self.marked_at: dict[
            tuple[str, str], int
        ] = {}  # (pseudonym, id of a mark in force): since which step
        self.renamed_at: dict[tuple[str, str], int] = {}  # (person, store): when a product wrote the name
        self.checked_from: dict[str, int] = {}  # request: when its look after a correction began
        self.filed_at: dict[str, int] = {}  # request: since which step it is on file
        self._etags: dict[str, str] = {}
        self._before: dict[str, SubjectRequest] = {}
        self._wrap()

    def _wrap(self) -> None:
        documents, blobs = self.world.documents, self.world.blobs
        change, commit, erase = documents._change, blobs.commit, blobs.erase

        def watched_change(store, one):
            if not _only_renames(one):
                self._destroying(store.id, one.document.body)
            return change(store, one)

        async def watched_commit(blob, block_ids):
            self._destroying(blob.container, None)
            await commit(blob, block_ids)

        async def watched_erase(blob):
            self._destroying(blob.container, None)
            return await erase(blob)

        obey = self.world.processors._obey

        def watched_obey(instruction, address, name):
            self._instructing(instruction, address)
            return obey(instruction, address, name)

        self.world.processors._obey = watched_obey
        documents._change = watched_change
        blobs.commit, blobs.erase = watched_commit, watched_erase

    def took_effect(self, place: str) -> None:
        """Look at what a port just changed."""
        if place == "cases.commit!":
            self._saved()
        elif place == "controls.write!":
            self._marked()

    # destruction

    def _destroying(self, store_id: str, body: Any) -> None:
        run = self.run
        request = self.world.cases.request(json.loads(run.message.body)["request_id"])
        asked = run.controls_read_at
        if asked == NEVER:
            raise Violation("destroyed without asking for holds")
        self.destroyed[request.request_id, request.right] += 1
        activity, _ = self.world.datamap.store(store_id)
        if any(hold.released_at is None for hold in self._seen(SWITCH_KEY, asked).holds):
            raise Violation("destroyed while erasing was stopped")
        key = request.subject_keys[0]
        controls = self._seen(key, asked)
        if any(hold.covers(activity.id) for hold in controls.holds):
            raise Violation("destroyed under a hold")
        for one in controls.restrictions:
            if one.covers(activity.id) and self._stands_in_the_way(request, one.restriction_id):
                raise Violation(f"destroyed under a restriction by {request.right} {request.channel}")
        if request.right in STOPPING and body is not None and "consented_at" in body:
            given_at = body["consented_at"]
            if given_at > request.received_at.isoformat():
                raise Violation("a newer sign-up was erased by a late message")

    def _instructing(self, instruction: Instruction, address: str) -> None:
        """A processor is not told to stop what the person asked for anew, as far as the run could know."""
        if instruction not in (Instruction.UNSUBSCRIBE, Instruction.SUPPRESS):
            return
        key, asked = KEYS.subject_key(EMAIL, address), max(self.run.began_at, self.run.controls_read_at)
        request = self.world.cases.request(json.loads(self.run.message.body)["request_id"])
        found = consent_in_force(
            self.world.controls.stored(key).controls, LETTERS, now=self.world.clock.now()
        )
        if found is None or found.given_at <= request.received_at:
            return
        if self.marked_at.get((key, found.consent_id), NEVER) < asked:
            raise Violation("a newer sign-up was stopped at the processor")

    def _stands_in_the_way(self, request: SubjectRequest, restriction_id: str) -> bool:
        if request.right in STOPPING or restriction_id.startswith(request.request_id):
            return False
        decided = request.plan is not None and RESTRICTED in request.plan.needs_decision
        return request.is_internal or not decided

    def _seen(self, key: str, asked: int) -> Controls:
        """Return the controls in force, without the marks that came after the run asked."""
        controls = self.world.controls.stored(key).controls

        def known(name: str) -> bool:
            return self.marked_at.get((key, name), NEVER) < asked

        return controls.model_copy(
            update={
                "holds": tuple(one for one in controls.holds if known(one.hold_id)),
                "restrictions": tuple(one for one in controls.restrictions if known(one.restriction_id)),
            }
        )

    def _marked(self) -> None:
        for key in self.world.controls.rows:
            controls = self.world.controls.stored(key).controls
            marks = [one.hold_id for one in controls.holds]
            marks += [one.restriction_id for one in controls.restrictions]
            marks += [one.consent_id for one in controls.consents]
            for name in marks:
                self.marked_at.setdefault((key, name), self.step)

    # cases

    def _saved(self) -> None:
        for request_id, rows in self.world.cases.partitions.items():
            etag = rows["request"][0]
            if self._etags.get(request_id) == etag:
                continue
            self._etags[request_id] = etag
            before = self._before.get(request_id)
            request = self.world.cases.request(request_id)
            self._before[request_id] = request
            self.filed_at.setdefault(request_id, self.step)
            if before is not None:
                self._changed(before, request)

    def _changed(self, before: SubjectRequest, request: SubjectRequest) -> None:
        if request.stage is Stage.CHECK and before.stage is not Stage.CHECK:
            self.checked_from[request.request_id] = self.step
        if request.joined_to is not None and before.joined_to is None:
            self._joined(before, self.world.cases.request(request.joined_to))
        answered = request.outcomes.get(request.right)
        if request.state is not RequestState.ANSWERING or before.state is RequestState.ANSWERING:
            return
        if answered is None:
            raise Violation("an answer without an outcome")
        if request.stage is Stage.COLLECT:
            self._published(request)
        self._answered(request, answered)

    def _joined(self, request: SubjectRequest, first: SubjectRequest) -> None:
        """What joins another case asks for nothing that the other does not."""
        corrects = Right.RECTIFICATION in request.rights and request.wishes != first.wishes
        if not first.is_final and (corrects or request.scope != first.scope):
            raise Violation("a request joined one with other wishes")

    def _answered(self, request: SubjectRequest, outcome: Outcome) -> None:
        """What an answer says is so at the moment it is saved, on every pseudonym of the person."""
        everywhere = [self.world.controls.stored(key).controls for key in request.subject_keys]
        mark, result = f"{request.request_id}-{request.right}", outcome.result
        if result == "rectified":
            self._rectified(request)
        missing = (
            (result == "restricted" and not _all_have(everywhere, "restrictions", "restriction_id", mark))
            or (result in OBJECTED and not all(objects(one, OBJECTED[result], request) for one in everywhere))
            or (
                result == "withdrawn"
                and not all(
                    one.withdrawn_at and one.withdrawn_at >= request.received_at for one in everywhere
                )
            )
        )
        if missing:
            raise Violation(f"what was confirmed is not there: {result}")
        if result == "refused" and self.destroyed[request.request_id, request.right]:
            raise Violation("a refused right erased something")

    def _rectified(self, request: SubjectRequest) -> None:
        """Every name is right, or a product wrote it after the last look began."""
        name = self.person_of(request)
        looked = self.checked_from.get(request.request_id, self.step)
        wanted = request.wishes.corrections["name"]
        for store_id, found in names_of(self.world, name).items():
            if found != wanted and self.renamed_at.get((name, store_id), NEVER) < looked:
                raise Violation(f"a name in {store_id} was answered as right and is not")

    def _published(self, request: SubjectRequest) -> None:
        """No copy is published while an erasure of the same person is under way."""
        for other_id in self.world.cases.partitions:
            other = self.world.cases.request(other_id)
            same = set(other.subject_keys) & set(request.subject_keys)
            if other_id != request.request_id and same and other.stage in (Stage.ERASE, Stage.LOOK):
                raise Violation("a copy was published after the erasure began")

    def person_of(self, request: SubjectRequest) -> str:
        """Return whose request it is, by the pseudonym it came with."""
        return next(
            name
            for name in ("ane", "bo", "carl")
            if KEYS.subject_key(EMAIL, f"{name}@people.example") == request.subject_keys[0]
        )


def objects(controls: Controls, kind: str, request: SubjectRequest) -> bool:
    """Whether an objection of this kind is in force that is as new as the request, from whichever it came."""
    return any(
        one.in_force and one.kind == kind and one.placed_at >= request.received_at
        for one in controls.objections
    )


def _only_renames(change: Any) -> bool:
    """Whether a change writes nothing but names, as a correction does."""
    if change.replacement is None:
        return False
    return _nameless(change.document.body) == _nameless(dict(change.replacement))


def _nameless(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _nameless(value) for name, value in body.items() if name != "name"}
    if isinstance(body, list):
        return [_nameless(one) for one in body]
    return body


def _all_have(everywhere: list[Controls], marks: str, field: str, wanted: str) -> bool:
    return all(
        any(getattr(mark, field) == wanted for mark in getattr(controls, marks)) for controls in everywhere
    )
