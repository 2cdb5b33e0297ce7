"""Who a made-up person is and which systems know them. Nothing here is a real person, company or number."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

AS_OF = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
"""The moment the sample data describes; everything happened before it."""


class Role(StrEnum):
    """People with something odd about them. Everybody else is `ORDINARY`."""

    ORDINARY = "ordinary"
    EVERYTHING = "everything"  # in all seven activities, with one order by each carrier
    AUTHOR_BY_USER_ID = "author_by_user_id"  # telemetry hangs on a user id that only the registration tells
    CONSULTANT = "consultant"  # works on installations of two customers
    CAPITALS = "capitals"  # every system holds the address in capitals
    TWO_ADDRESSES = "two_addresses"  # author under one, member under the other, one user id between them
    LOG_ONLY = "log_only"  # known only to lines of a shared access log
    OLD_INVOICE = "old_invoice"  # one order, whose invoice need not be kept any more
    TELEMETRY_ONLY = "telemetry_only"  # a user id that no address leads to
    NO_DATA = "no_data"


@dataclass(frozen=True, kw_only=True)
class Volume:
    """How much of each kind one person has."""

    usage_events: int = 20
    archive_lines: int = 12  # on each installation
    cloud_activity: int = 10  # with each customer
    log_lines: int = 6
    author_behaviour: int = 6
    author_files: int = 2


@dataclass(frozen=True, kw_only=True)
class Address:
    """A made-up postal address; `country` is a two-letter code."""

    street: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A company with installations that several people share."""

    customer_id: str
    name: str
    installation_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One person's place on a shared installation."""

    installation_id: str
    customer_id: str
    device_id: str


@dataclass(frozen=True, kw_only=True)
class SamplePerson:
    """One made-up person. Ids are None where no system gave one; `carriers` has one entry per order."""

    key: str
    role: Role
    seed: str
    volume: Volume
    language: str
    name: str
    email: str
    other_email: str | None
    phone: str
    address: Address
    customers: tuple[Customer, ...]
    installations: tuple[Installation, ...] = ()
    user_id: str | None = None
    author_id: str | None = None
    member_id: str | None = None
    is_linked: bool = False
    has_signed_up: bool = False
    is_licence_contact: bool = False
    is_in_access_log: bool = False
    carriers: tuple[str, ...] = ()

    @property
    def emails(self) -> tuple[str, ...]:
        """Every address of the person, as the systems write it."""
        return (self.email,) if self.other_email is None else (self.email, self.other_email)

    @property
    def asks_as(self) -> str:
        """The address the person would type into the form."""
        return self.email.lower()

    @property
    def member_email(self) -> str:
        """The address the membership, newsletter and orders are under."""
        return self.other_email or self.email

    @property
    def is_known_by_user_id(self) -> bool:
        """Whether an address leads to the user id: through the registration or the usage link."""
        return self.user_id is not None and (self.author_id is not None or self.is_linked)

    @property
    def markers(self) -> tuple[str, ...]:
        """Values that occur nowhere but in this person's data; what to search for after an erasure."""
        ids = (self.user_id, self.author_id, self.member_id)
        return (*self.emails, self.phone, self.name, *(one for one in ids if one is not None))

    def chance(self, purpose: str) -> random.Random:
        """Return the person's own dice for one purpose, so that nothing depends on what ran before."""
        return random.Random(f"{self.seed}/{self.key}/{purpose}")
