"""What each made-up person does in four years, by the dice: some stay, some fade, some come back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from devtools.demo.retention.acts import Act, written
from devtools.sample_data import AS_OF, SamplePerson
from devtools.sample_data.made_up import ip_address, opaque
from devtools.sample_data.person import Installation
from devtools.sample_data.records import FEATURES, own_documents

FOUR_YEARS = 1_465  # days, and a few more
_FADES_AT_ONCE, _STAYS = 0.3, 0.3
_RENEWAL_DAYS = 400


def lives(everyone: Sequence[SamplePerson]) -> Iterator[Act]:
    """Yield everything that these people do after the moment the sample data describes, in no order."""
    for person in everyone:
        dice = person.chance("four years")
        fades_on = _fades_on(dice)
        yield from _uses(person, dice, fades_on)
        for record in own_documents(person):
            if record.container == "members":
                yield from _membership(record.body, dice, fades_on)
            elif record.container == "newsletter_signups" and dice.random() < 0.4:  # noqa: PLR2004
                state = dice.choice(("withdrawn", "unsubscribed"))
                at = AS_OF + timedelta(days=dice.randrange(1, FOUR_YEARS), seconds=dice.randrange(40_000))
                body = {"id": record.body["id"], "state": state}
                yield Act(at=at, container=record.container, body=body, adds=False)
    yield from _renewals(everyone)


def _fades_on(dice: random.Random) -> datetime:
    """Return when a person is seen last."""
    luck = dice.random()
    if luck < _FADES_AT_ONCE:
        return AS_OF
    if luck > 1 - _STAYS:
        return AS_OF + timedelta(days=FOUR_YEARS)
    return AS_OF + timedelta(days=dice.randrange(FOUR_YEARS))


def _uses(person: SamplePerson, dice: random.Random, fades_on: datetime) -> Iterator[Act]:
    """Yield uses of the application; the first is later than all that the sample has on record."""
    if not person.installations:
        return
    at = AS_OF + timedelta(seconds=dice.randrange(1, 30_000))
    number = 0
    while True:
        place = dice.choice(person.installations)
        yield from use(person.user_id or "", place, at, dice, key=opaque(person.seed, person.key, number))
        number += 1
        at += timedelta(
            days=dice.choice((40, 90, 150, 250, 364, 365, 366, 500)), seconds=dice.randrange(80_000)
        )
        if at > fades_on:
            return


def use(
    user_id: str, place: Installation, at: datetime, dice: random.Random, *, key: str, kind: str = ""
) -> Iterator[Act]:
    """Yield what one use of an installation leaves behind; one that was erased begins anew."""
    kind = kind or dice.choice(("start", "stop", "feature"))
    common: dict[str, Any] = {
        "user_id": user_id,
        "installation_id": place.installation_id,
        "customer_id": place.customer_id,
        "device_id": place.device_id,
    }
    installation = {"id": f"{user_id}-{place.installation_id}", **common, "last_used_at": written(at)}
    yield Act(at=at, container="installations", body=installation)
    event = {"id": f"evt-{key}", **common, "kind": kind, "ip": ip_address(dice), "at": written(at)}
    if kind == "feature":
        event["feature"] = dice.choice(FEATURES)
    yield Act(at=at, container="usage_events", body=event)


def _membership(member: dict[str, Any], dice: random.Random, fades_on: datetime) -> Iterator[Act]:
    def changed(at: datetime, **changes: str) -> Act:
        return Act(at=at, container="members", body={"id": member["id"], **changes}, adds=False)

    at = AS_OF
    while (at := at + timedelta(days=dice.randrange(60, 700), seconds=dice.randrange(80_000))) < fades_on:
        yield changed(at, last_login_at=written(at))
    luck = dice.random()
    at = AS_OF + timedelta(days=dice.randrange(FOUR_YEARS), seconds=dice.randrange(80_000))
    if luck < 0.2:  # noqa: PLR2004 - one in five
        yield changed(at, suspended_at=written(at), state="suspended")
        if dice.random() < 0.5:  # noqa: PLR2004 - and one of two of them comes back
            back_at = at + timedelta(days=dice.randrange(1, 1200))
            yield changed(back_at, reactivated_at=written(back_at), state="active")
    elif luck < 0.35:  # noqa: PLR2004
        yield changed(at, revoked_at=written(at), state="revoked")


def _renewals(everyone: Sequence[SamplePerson]) -> Iterator[Act]:
    customers = {customer.customer_id: customer for person in everyone for customer in person.customers}
    for customer_id in sorted(customers):
        for number in range(2):
            at = AS_OF + timedelta(days=30 + _RENEWAL_DAYS * number)
            body = {
                "id": f"lic-{customer_id}-{number}",
                "customer_id": customer_id,
                "maintenance_ends_on": f"{2029 + number}-12-31",
            }
            yield Act(at=at, container="licences", body=body, adds=False)
