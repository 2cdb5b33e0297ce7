"""Made-up names, addresses, numbers and ids from ranges that belong to nobody."""

import hashlib
import random
import unicodedata
from datetime import datetime, timedelta
from functools import cache

from faker import Faker

from devtools.sample_data.person import AS_OF, Address

LOCALES = ("da_DK", "da_DK", "da_DK", "en_GB", "de_DE", "pl_PL", "sv_SE", "fr_FR", "es_ES", "cs_CZ")
_MAIL_DOMAINS = ("example.org", "example.com", "example.net")
# Numbers the British regulator keeps free for drama; each area has a thousand.
_PHONE_AREAS = (
    "113 496 0", "114 496 0", "115 496 0", "116 496 0", "117 496 0", "118 496 0", "121 496 0", "131 496 0",
    "141 496 0", "151 496 0", "161 496 0", "191 498 0", "20 7946 0", "28 9649 6", "29 2018 0", "7700 900",
)  # fmt: skip
_DAY_SECONDS = 86_400
_NUMBERS_PER_AREA = 1000
MOST_PEOPLE = _NUMBERS_PER_AREA * len(_PHONE_AREAS)
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "å": "aa", "ł": "l", "ß": "ss", "đ": "d"})


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)


def person_basics(locale: str, dice: random.Random, index: int) -> tuple[str, str, Address]:
    """Return a name, an e-mail address unique by `index`, and a postal address."""
    fake = _faker(locale)
    fake.seed_instance(dice.getrandbits(64))
    name = f"{fake.first_name()} {fake.last_name()}"
    address = Address(
        street=fake.street_address().replace("\n", " "),
        postcode=fake.postcode(),
        city=fake.city(),
        country=locale[-2:],
    )
    return name, email(name, index, dice), address


def another_surname(locale: str, dice: random.Random) -> str:
    """Return one more surname, for a name that somebody already has."""
    fake = _faker(locale)
    fake.seed_instance(dice.getrandbits(64))
    return str(fake.last_name())


def email(name: str, index: int, dice: random.Random) -> str:
    """Return an address in a domain that is reserved for examples."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    letters = "".join(one if one.isalpha() else "." for one in plain if not unicodedata.combining(one))
    letters = letters.encode("ascii", "ignore").decode()
    local = ".".join(part for part in letters.split(".") if part)
    return f"{local}.{index:05d}@{dice.choice(_MAIL_DOMAINS)}"


def phone(index: int) -> str:
    """Return a telephone number reserved for fiction, unique by `index`."""
    area, number = divmod(index, _NUMBERS_PER_AREA)
    return f"+44 {_PHONE_AREAS[area]}{number:03d}"


def ip_address(dice: random.Random) -> str:
    """Return an address from the blocks reserved for documentation."""
    block = dice.choice(("192.0.2", "198.51.100", "203.0.113", "2001:db8"))
    if ":" in block:
        return f"{block}:{dice.randrange(1, 0xFFFF):x}::{dice.randrange(1, 0xFFFF):x}"
    return f"{block}.{dice.randrange(1, 255)}"


def opaque(*parts: object) -> str:
    """Return 16 hex digits that stand for the parts and look like nothing else."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:16]


def moment(dice: random.Random, *, within_days: int = 300, earlier_than_days: int = 0) -> str:
    """Return a time in the days before `AS_OF`, as ISO 8601 in UTC."""
    seconds = dice.randrange(earlier_than_days * _DAY_SECONDS + 1, within_days * _DAY_SECONDS)
    return text(AS_OF - timedelta(seconds=seconds))


def text(at: datetime) -> str:
    """Return a time as the systems of record write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
