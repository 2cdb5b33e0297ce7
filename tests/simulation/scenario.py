"""What happens in a simulated run: people ask for their rights while products write and staff decide."""

from collections.abc import Callable
from functools import partial

from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from tests.simulation.acts import Acts
from tests.simulation.invariants import Invariants
from tests.simulation.simulator import Simulation
from tests.simulation.watching import Violation

PEOPLE = ("ane", "bo", "carl")
LAST_STEP = 150
R = Right

COPIES = ((R.ACCESS,), (R.ERASURE,), (R.ERASURE,), (R.ACCESS, R.ERASURE), (R.PORTABILITY,))
CORRECTIONS = ((R.RECTIFICATION,), (R.RECTIFICATION, R.ERASURE), (R.ERASURE,), (R.RECTIFICATION, R.ACCESS))
CONSENTS = ((R.WITHDRAWAL,), (R.MARKETING_OBJECTION,), (R.WITHDRAWAL, R.ERASURE), (R.WITHDRAWAL,))
RESTRICTIONS = ((R.RESTRICTION,), (R.RESTRICTION,), (R.RESTRICTION, R.ACCESS), (R.OBJECTION,))
OBJECTIONS = ((R.OBJECTION,), (R.ACCESS,), (R.ERASURE,), (R.MARKETING_OBJECTION, R.OBJECTION))
EVERYTHING = (*COPIES, *CORRECTIONS, *CONSENTS, *RESTRICTIONS, *OBJECTIONS, (R.COMPLAINT,))

THEMES: tuple[tuple[tuple[tuple[Right, ...], ...], tuple[str, ...]], ...] = (
    (COPIES, ()),
    (CORRECTIONS, ("rename", "rename", "use")),
    (CONSENTS, ("subscribe", "subscribe", "enter")),
    (RESTRICTIONS, ("schedule", "schedule", "lift", "use")),
    (OBJECTIONS, ("use", "lift")),
    (((R.ERASURE,), (R.ACCESS, R.ERASURE), (R.OBJECTION,)), ("hold", "release", "hold", "release")),
    (EVERYTHING, ("throw", "reset", "hold", "release", "use", "enter", "subscribe", "schedule", "lift")),
)
"""What people ask for and what else happens, a theme a seed."""


class Story:
    """One run's acts, planned from its seed; `bo` never asks and must not notice anything."""

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        self.random = simulation.random
        self.acts = Acts(simulation)
        self.marks = {name: simulation.world.add_person(name) for name in PEOPLE}
        self.invariants = Invariants(self.acts, self.marks)
        rights, others = THEMES[simulation.seed % len(THEMES)]
        self.plans = [*self._asked(rights), *self._others(others)]

    def _asked(self, choices: tuple[tuple[Right, ...], ...]) -> list[tuple[int, Callable[[], None]]]:
        """Return requests at steps, a few of one person, close together."""
        first = self.random.randint(0, 20)
        plans = []
        for index in range(self.random.randint(1, 3)):
            name = self.random.choice(("ane", "ane", "carl"))
            step = first + self.random.randint(0, 90) * (index > 0)
            plans.append((step, partial(self._start, "ask", name, self.random.choice(choices))))
        return plans

    def _others(self, kinds: tuple[str, ...]) -> list[tuple[int, Callable[[], None]]]:
        plans = []
        for kind in kinds:
            name = self.random.choice(("ane", "ane", "carl"))
            rights = self.random.choice(CONSENTS) if kind == "enter" else ()
            plans.append((self.random.randint(0, LAST_STEP), partial(self._start, kind, name, rights)))
        return plans

    def _start(self, kind: str, name: str, rights: tuple[Right, ...]) -> None:
        acts, start = self.acts, self.simulation.start
        match kind:
            case "ask":
                start("person", acts.ask(name, rights))
            case "enter":
                start("staff", acts.enter(name, rights))
            case "subscribe":
                start("product", acts.subscribe(name))
            case "schedule":
                start("retention", acts.schedule(name))
            case "use":
                acts.use(name)
            case "rename":
                acts.rename(name)
            case "hold" | "release" | "lift":
                acts.operate(partial(getattr(acts, kind), name))
            case _:
                acts.operate(getattr(acts, kind))

    def during(self, simulation: Simulation) -> None:
        """Do what is planned for this step, and now and then what comes to somebody's mind."""
        due = [act for step, act in self.plans if step <= simulation.step]
        self.plans = [plan for plan in self.plans if plan[0] > simulation.step]
        for act in due:
            act()
        asked = sorted(one for one, asked in self.acts.requests.items() if not asked.is_internal)
        if asked and self.random.random() < 0.004:
            simulation.start("cancel", self.acts.cancel(self.random.choice(asked)))
        if self.random.random() < 0.03:
            self._decide()
        if self.random.random() < 0.02:
            self._tell()
        if self.random.random() < 0.1:
            self._release_while_it_is_answered()

    def _release_while_it_is_answered(self) -> None:
        """Let an operator release a hold at the moment at which it is least convenient."""
        names = {
            asked.name
            for request_id, asked in self.acts.requests.items()
            if self.simulation.world.cases.request(request_id).state is RequestState.ANSWERING
            and self.acts.is_held(asked.name)
        }
        for name in sorted(names):
            self.acts.operate(partial(self.acts.release, name))

    def _decide(self) -> bool:
        undecided = self.acts.undecided()
        if not undecided:
            return False
        decision = partial(self.acts.decide, self.random.choice(undecided), yes=self.random.random() < 0.5)
        self.acts.operate(decision)
        return True

    def settle(self) -> bool:
        """Do what people still have to do when nothing moves any more; whether there was something."""
        return self.acts.finish_jobs() or self._decide() or self._reset() or self._tell()

    def _tell(self) -> bool:
        untold = self.acts.untold()
        if untold:
            self.acts.operate(partial(self.acts.tell, *self.random.choice(untold)))
        return bool(untold)

    def _reset(self) -> bool:
        if not self.acts.is_stopped:
            return False
        self.acts.operate(self.acts.reset)
        return True

    def end(self) -> None:
        """Check at rest; then release what is held, and check again."""
        self.invariants.check()
        held = [name for name in PEOPLE if self.acts.is_held(name)]
        for name in held:
            self.acts.operate(partial(self.acts.release, name))
        self.simulation.rest(settle=self.settle)
        if any(self.acts.is_held(name) for name in PEOPLE):
            raise Violation("a hold is in force after its release")
        self.invariants.check()


def run_seed(seed: int, **changes) -> Simulation:
    """Run one seed and check it; the error names the seed and replays with it."""
    simulation = Simulation(seed, **changes)
    story = Story(simulation)
    try:
        simulation.run(during=story.during, settle=story.settle)
        story.end()
    except Violation as violation:
        raise Violation(f"seed {seed}: {violation}") from violation
    finally:
        for run in simulation.runs:
            run.coroutine.close()
    return simulation
