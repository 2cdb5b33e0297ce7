"""Roles and what each may do."""

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.staff import (
    ALLOWED,
    Permission,
    StaffMember,
    StaffRole,
    require_customer,
    require_permission,
    require_role,
)


def _member(*roles: StaffRole, **changes) -> StaffMember:
    return StaffMember(staff_id="s-1", tenant_id="t-1", roles=frozenset(roles), **changes)


def test_every_permission_is_somebody_s():
    """None is forgotten in the table, and none is nobody's."""
    assert set(ALLOWED) == set(Permission)
    assert all(ALLOWED.values())


def test_an_auditor_looks_and_changes_nothing():
    """All of it is reading."""
    may = {one for one, roles in ALLOWED.items() if StaffRole.AUDITOR in roles}
    assert may == {Permission.LIST, Permission.VIEW, Permission.FORECAST, Permission.PREVIEW}


def test_a_customer_s_administrator_may_do_one_thing():
    """And nobody does it in its place."""
    may = {one for one, roles in ALLOWED.items() if StaffRole.CUSTOMER_ADMIN in roles}
    assert may == {Permission.CUSTOMER_REQUEST}
    assert ALLOWED[Permission.CUSTOMER_REQUEST] == {StaffRole.CUSTOMER_ADMIN}


def test_an_operator_decides_nothing():
    """Neither what a person is answered nor that data goes."""
    may = {one for one, roles in ALLOWED.items() if StaffRole.OPERATOR in roles}
    decisions = {"approve", "refuse", "extend", "release", "lift", "resume"}
    assert decisions.isdisjoint(may)
    assert {"ask", "hold", "pause", "enter_request", "retry", "redrive"} <= may


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("role", list(StaffRole))
def test_one_role_opens_what_the_table_says(role, permission):
    """And nothing more."""
    if role in ALLOWED[permission]:
        require_permission(_member(role), permission)
        return
    with pytest.raises(NotAllowed) as caught:
        require_permission(_member(role), permission)
    assert caught.value.code == "role_missing"


def test_several_roles_add_up():
    """One that fits is enough."""
    both = _member(StaffRole.OPERATOR, StaffRole.APPROVER)
    require_role(both, StaffRole.APPROVER, StaffRole.AUDITOR)
    require_permission(both, Permission.RETRY)
    require_permission(both, Permission.APPROVE)


def test_who_has_no_role_may_do_nothing():
    """Signed in is not enough, and no role asked for lets nobody in."""
    for permission in Permission:
        with pytest.raises(NotAllowed, match="role_missing"):
            require_permission(_member(), permission)
    with pytest.raises(NotAllowed, match="role_missing"):
        require_role(_member(*StaffRole))


@pytest.mark.parametrize("customer_ids", [(), ("other",), ("acme-2",)])
def test_an_administrator_of_no_such_customer_is_refused(customer_ids):
    """No customer is none, not all."""
    with pytest.raises(NotAllowed, match="customer_not_theirs"):
        require_customer(_member(StaffRole.CUSTOMER_ADMIN, customer_ids=customer_ids), "acme")


def test_an_administrator_acts_for_its_customers():
    """Each of them."""
    for customer_id in ("acme", "other"):
        require_customer(
            _member(StaffRole.CUSTOMER_ADMIN, customer_ids=("other", "acme")), customer_id=customer_id
        )
