"""Who of the controller's staff may do what: four roles, and one table of what each may do.

A person is known by an opaque id, never by a name or an address. Source: GDPR articles 5(1)(f), 29, 32(4).
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.errors import NotAllowed


class StaffRole(StrEnum):
    """Roles as they are assigned to staff; the values are those of the app registration."""

    OPERATOR = "Operator"
    APPROVER = "Approver"
    AUDITOR = "Auditor"
    CUSTOMER_ADMIN = "CustomerAdmin"


class Permission(StrEnum):
    """Everything that can be asked of the operations API."""

    LIST = "list"
    VIEW = "view"
    FORECAST = "forecast"
    PREVIEW = "preview"
    ASK = "ask"
    HOLD = "hold"
    PAUSE = "pause"
    ENTER_REQUEST = "enter_request"
    RETRY = "retry"
    REDRIVE = "redrive"
    REPLAY = "replay"
    APPROVE = "approve"
    REFUSE = "refuse"
    EXTEND = "extend"
    RELEASE = "release"
    LIFT = "lift"
    RESUME = "resume"
    CUSTOMER_REQUEST = "customer_request"


_HANDLING = frozenset({StaffRole.OPERATOR, StaffRole.APPROVER})
_LOOKING = _HANDLING | {StaffRole.AUDITOR}
_OPERATING = frozenset({StaffRole.OPERATOR})
_DECIDING = frozenset({StaffRole.APPROVER})

# What only keeps data or asks, whoever handles a case may do. What answers a person with less than was asked
# for, or lets data go, is decided by an approver. An auditor changes nothing.
ALLOWED: dict[Permission, frozenset[StaffRole]] = {
    Permission.LIST: _LOOKING,
    Permission.VIEW: _LOOKING,
    Permission.FORECAST: _LOOKING,
    Permission.PREVIEW: _LOOKING,
    Permission.ASK: _HANDLING,
    Permission.HOLD: _HANDLING,
    Permission.PAUSE: _HANDLING,
    Permission.ENTER_REQUEST: _OPERATING,
    Permission.RETRY: _OPERATING,
    Permission.REDRIVE: _OPERATING,
    Permission.REPLAY: _OPERATING,
    Permission.APPROVE: _DECIDING,
    Permission.REFUSE: _DECIDING,
    Permission.EXTEND: _DECIDING,
    Permission.RELEASE: _DECIDING,
    Permission.LIFT: _DECIDING,
    Permission.RESUME: _DECIDING,
    Permission.CUSTOMER_REQUEST: frozenset({StaffRole.CUSTOMER_ADMIN}),
}


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """A signed-in person.

    `staff_id` is the object id in the tenant: opaque, and the same for as long as the account lives.
    `customer_ids` are the customers an administrator acts for; empty: none, which is never "all".
    """

    staff_id: str
    tenant_id: str
    roles: frozenset[StaffRole]
    customer_ids: tuple[str, ...] = ()


def require_role(member: StaffMember, *roles: StaffRole) -> None:
    """Check that somebody has one of these roles.

    Raises:
        NotAllowed: `role_missing`: an administrator of the tenant assigns roles.
    """
    if member.roles.isdisjoint(roles):
        needed = ", ".join(sorted(roles))
        raise NotAllowed("role_missing", f"needs one of: {needed}")


def require_permission(member: StaffMember, permission: Permission) -> None:
    """Check that somebody may do this.

    Raises:
        NotAllowed: `role_missing`, as `require_role`.
    """
    require_role(member, *ALLOWED[permission])


def require_customer(member: StaffMember, customer_id: str) -> None:
    """Check that an administrator acts for this customer.

    Raises:
        NotAllowed: `customer_not_theirs`.
    """
    if customer_id not in member.customer_ids:
        raise NotAllowed("customer_not_theirs")
