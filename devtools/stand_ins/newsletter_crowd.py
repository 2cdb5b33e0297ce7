"""Very many people at once: they sign up, leave, change address, bounce, complain and are imported again.

All of it happens in the vendor's own pages and forms, by seed, as if over the past hours: one change a second
or slower, because the account tells time by the second.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from devtools.stand_ins.newsletter_account import (
    ACTIVE,
    BOUNCED,
    DELETED,
    UNCONFIRMED,
    UNSUBSCRIBED,
    Subscriber,
    SubscriberList,
    key_of,
)
from devtools.stand_ins.newsletter_changes import NewsletterChanges

DOMAIN = "crowd.example"
ACTS: dict[str, dict[str, float]] = {
    "": {"sign_up": 8, "import": 2},
    ACTIVE: {
        "leave": 20,
        "edit": 45,
        "move": 8,
        "import": 25,
        "bounce": 5,
        "complain": 3,
        "delete": 4,
    },
    UNCONFIRMED: {"sign_up": 1},
    UNSUBSCRIBED: {"sign_up": 5, "edit": 1, "import": 4},
    BOUNCED: {"edit": 1, "leave": 1, "import": 1},
    DELETED: {"sign_up": 3, "import": 2},
}
"""What a person in a state may do next, and how often. `import` is done by staff with a file."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How many live how long.

    Attributes:
        list_ids: Lists they are on; each person is on one.
        seed: Same seed, same lives.
        people: How many there are.
        changes: How many changes happen.
        first: Number of the first person, so that two crowds can be different people.
        step_seconds: Time from one change to the next; the last one is now.
        acts: What may happen instead of `ACTS`.
    """

    list_ids: list[str]
    seed: int = 0
    people: int = 1000
    changes: int = 1000
    first: int = 0
    step_seconds: float = 1.0
    acts: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: ACTS)


def live(changes: NewsletterChanges, crowd: Crowd) -> Counter[str]:
    """Let them live; return how often each thing happened."""
    chance = random.Random(crowd.seed)
    clock = changes.account.clock
    end = clock.now()
    done: Counter[str] = Counter()
    addresses = [address_of(crowd.first + number) for number in range(crowd.people)]
    try:
        for number in range(crowd.changes):
            clock.stands_at = end - timedelta(seconds=crowd.step_seconds * (crowd.changes - 1 - number))
            who = chance.randrange(crowd.people)
            found = changes.account.list_of(crowd.list_ids[who % len(crowd.list_ids)])
            subscriber = found.subscribers.get(key_of(addresses[who]))
            acts = crowd.acts.get(subscriber.state if subscriber else "", {})
            if not acts:
                continue
            act = chance.choices(list(acts), list(acts.values()))[0]
            if act == "move":
                addresses[who] = f"moved{crowd.first}.{number}@{DOMAIN}"
            _act(changes, found, subscriber, act, addresses[who], number)
            done[act] += 1
    finally:
        clock.stands_at = None
    return done


def address_of(number: int) -> str:
    """Return somebody's first address, among them the odd ones that people have."""
    name = {0: "Ane.{}", 1: "bo+news{}", 2: "o'brien{}", 3: "SOFIA{}"}.get(number % 16, "person{}")
    return f"{name.format(number)}@{DOMAIN}"


def _act(
    changes: NewsletterChanges,
    found: SubscriberList,
    subscriber: Subscriber | None,
    act: str,
    address: str,
    number: int,
) -> None:
    name = f"Made Up {number}"
    if subscriber is None or (act in {"sign_up", "import"} and subscriber.state != ACTIVE):
        _come(changes, found, subscriber, address, by_hand=act == "import")
        return
    match act:
        case "leave":
            changes.leave(found, subscriber)
        case "bounce":
            changes.leave(found, subscriber, BOUNCED)
        case "delete":
            changes.leave(found, subscriber, DELETED)
        case "complain":
            changes.complain(found, subscriber)
        case "move":
            changes.edit(found, subscriber, email=address)
        case _:
            changes.edit(found, subscriber, name=name)


def _come(
    changes: NewsletterChanges,
    found: SubscriberList,
    subscriber: Subscriber | None,
    address: str,
    *,
    by_hand: bool,
) -> None:
    """Sign up at the vendor's form, which ends a suppression, or be in a file that staff import."""
    if by_hand:
        if key_of(address) not in changes.account.suppressed and (
            subscriber is None or subscriber.state == DELETED
        ):
            changes.enter(
                found, address
            )  # one who left stays where they are, as an import without a tick does
        elif subscriber is not None:
            changes.edit(found, subscriber)
        return
    changes.account.suppressed.pop(key_of(address), None)
    changes.enter(found, address, signed_up_from="192.0.2.10")
