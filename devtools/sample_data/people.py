"""Makes up people: ordinary ones by the dice, and one of each odd kind in the first places."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from devtools.sample_data.made_up import (
    LOCALES,
    MOST_PEOPLE,
    another_surname,
    email,
    opaque,
    person_basics,
    phone,
)
from devtools.sample_data.person import Customer, Installation, Role, SamplePerson, Volume

DEFAULT_SEED = "2018-05-28"
CARRIERS = ("postnord", "dhl", "ups", "gls")
_ODD = tuple(role for role in Role if role is not Role.ORDINARY)
_PEOPLE_PER_CUSTOMER = 25
_FEWEST_CUSTOMERS = 4
_CONTACTS_PER_CUSTOMER = 3
_TRADES = ("Byg", "Shipping", "Foods", "Pharma", "Retail", "Logistics", "Energy", "Furniture")


def people(count: int = 200, *, seed: str = DEFAULT_SEED, volume: Volume | None = None) -> list[SamplePerson]:
    """Return `count` made-up people, the same for the same arguments; the odd kinds come first.

    Raises:
        ValueError: fewer people than odd kinds, or more than there are telephone numbers for nobody.
    """
    if not len(_ODD) <= count <= MOST_PEOPLE:
        raise ValueError(f"between {len(_ODD)} and {MOST_PEOPLE} people")
    companies = customers(count, seed=seed)
    names: set[str] = set()
    made = []
    for index in range(count):
        role = _ODD[index] if index < len(_ODD) else Role.ORDINARY
        person = _basics(index, seed=seed, role=role, companies=companies, names=names)
        made.append(replace(_placed(person, index, companies), volume=volume or Volume()))
    return made


def by_role(everyone: Iterable[SamplePerson], role: Role) -> SamplePerson:
    """Return the person of an odd kind."""
    return next(person for person in everyone if person.role is role)


def customers(count: int, *, seed: str) -> tuple[Customer, ...]:
    """Return the made-up customers that `count` people work for."""
    total = max(_FEWEST_CUSTOMERS, count // _PEOPLE_PER_CUSTOMER)
    return tuple(
        Customer(
            customer_id=f"cust-{number:04d}",
            name=f"Example {_TRADES[number % len(_TRADES)]} {number}, made up",
            installation_ids=tuple(f"inst-{opaque(seed, 'installation', number, one)}" for one in range(2)),
        )
        for number in range(total)
    )


def _basics(
    index: int, *, seed: str, role: Role, companies: Sequence[Customer], names: set[str]
) -> SamplePerson:
    key = f"p{index:05d}"
    dice = random.Random(f"{seed}/{key}/basics")
    locale = dice.choice(LOCALES)
    name, address_of_mail, address = person_basics(locale, dice, index)
    while name in names:
        name = f"{name}-{another_surname(locale, dice)}"
    names.add(name)
    return SamplePerson(
        key=key,
        role=role,
        seed=seed,
        volume=Volume(),
        language="da" if locale == "da_DK" else "en",
        name=name,
        email=address_of_mail.upper() if role is Role.CAPITALS else address_of_mail,
        other_email=email(f"{name} privat", index, dice) if role is Role.TWO_ADDRESSES else None,
        phone=phone(index),
        address=address,
        customers=(companies[index % len(companies)],),
    )


def _placed(person: SamplePerson, index: int, companies: Sequence[Customer]) -> SamplePerson:
    """Put a person into the systems that know people of this kind."""
    user, author, member = (f"{kind}-{opaque(person.seed, person.key, kind)}" for kind in ("u", "a", "m"))
    match person.role:
        case Role.NO_DATA:
            return person
        case Role.LOG_ONLY:
            return replace(person, is_in_access_log=True)
        case Role.OLD_INVOICE:
            return replace(person, carriers=("postnord",))
        case Role.TELEMETRY_ONLY:
            return _using(person, user, person.customers)
        case Role.AUTHOR_BY_USER_ID:
            return replace(_using(person, user, person.customers), author_id=author)
        case Role.EVERYTHING | Role.CAPITALS | Role.TWO_ADDRESSES:
            return replace(
                _using(person, user, person.customers),
                author_id=author,
                member_id=member,
                is_linked=True,
                has_signed_up=True,
                is_licence_contact=True,
                is_in_access_log=True,
                carriers=CARRIERS if person.role is Role.EVERYTHING else ("gls",),
            )
        case Role.CONSULTANT:
            both = (person.customers[0], companies[(index + 1) % len(companies)])
            return replace(
                _using(person, user, both),
                member_id=member,
                is_linked=True,
                is_licence_contact=True,
                is_in_access_log=True,
            )
        case Role.ORDINARY:
            return _by_the_dice(person, index, len(companies), (user, author, member))


def _by_the_dice(person: SamplePerson, index: int, companies: int, ids: tuple[str, str, str]) -> SamplePerson:
    user, author, member = ids
    dice = person.chance("systems")
    uses = dice.random() < 0.75  # noqa: PLR2004 - a share that makes every system worth looking at
    is_author = dice.random() < 0.35  # noqa: PLR2004 - as above
    is_member = dice.random() < 0.5 or (uses and not is_author)  # noqa: PLR2004 - else nobody finds the user id
    is_linked = uses and is_member and (not is_author or dice.random() < 0.8)  # noqa: PLR2004 - as above
    orders = dice.choice((0, 0, 0, 1, 2))
    if uses:
        person = _using(person, user, person.customers)
    return replace(
        person,
        author_id=author if is_author else None,
        member_id=member if is_member else None,
        is_linked=is_linked,
        has_signed_up=dice.random() < 0.4 or not (uses or is_author or is_member),  # noqa: PLR2004 - as above
        # The odd kinds stand first, so that the next few of each customer are its contacts.
        is_licence_contact=index // companies < _CONTACTS_PER_CUSTOMER + len(_ODD) // companies,
        is_in_access_log=uses and dice.random() < 0.9,  # noqa: PLR2004 - as above
        carriers=tuple(dice.choice(CARRIERS) for _ in range(orders)),
    )


def _using(person: SamplePerson, user_id: str, companies: Sequence[Customer]) -> SamplePerson:
    dice = person.chance("installations")
    return replace(
        person,
        user_id=user_id,
        customers=tuple(companies),
        installations=tuple(
            Installation(
                installation_id=dice.choice(company.installation_ids),
                customer_id=company.customer_id,
                device_id=f"dev-{opaque(person.seed, person.key, company.customer_id, 'device')}",
            )
            for company in companies
        ),
    )
