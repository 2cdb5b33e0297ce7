"""The made-up tenant of a local run: its ids and its members of staff, by the names one signs in with."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

TENANT_ID = "00000000-0000-4000-8000-0000000c11c0"
CLIENT_ID = "00000000-0000-4000-8000-0000000c11c1"
_CUSTOMER_ID = "cust-0001"  # one of the sample data's


@dataclass(frozen=True, kw_only=True)
class Person:
    """One account: its object id and its roles, as tokens carry them."""

    staff_id: str
    roles: tuple[str, ...]


def _person(name: str, *roles: str) -> Person:
    return Person(staff_id=str(uuid.uuid5(uuid.UUID(TENANT_ID), name)), roles=roles)


STAFF = {
    "operator": _person("operator", "Operator"),
    "approver": _person("approver", "Approver"),
    "second-approver": _person("second-approver", "Approver"),  # what very many records need
    "auditor": _person("auditor", "Auditor"),
    "customer-admin": _person("customer-admin", "CustomerAdmin"),
    "nobody": _person("nobody"),
}


def settings_for(issuer_url: str) -> dict[str, str]:
    """Return the app's settings that make this tenant's members its staff, while the issuer is there."""
    return {
        "STAFF_TENANT_ID": TENANT_ID,
        "STAFF_CLIENT_ID": CLIENT_ID,
        "STAFF_ISSUER_URL": f"{issuer_url}/v2.0",
        "STAFF_KEYS_URL": f"{issuer_url}/discovery/v2.0/keys",
        "STAFF_CUSTOMERS": json.dumps({STAFF["customer-admin"].staff_id: [_CUSTOMER_ID]}),
    }
