"""The roles of the app registration are those the app knows."""

import json
import uuid

from shared.domain.staff import StaffRole
from tests.infra.bicep import INFRA


def test_the_registration_has_every_role_of_staff_once():
    """By value, which is what a token carries; each with an id of its own, for people."""
    roles = json.loads((INFRA / "staff-app-roles.json").read_text("utf-8"))
    assert sorted(one["value"] for one in roles) == sorted(StaffRole)
    assert len({uuid.UUID(one["id"]) for one in roles}) == len(roles)
    assert all(one["isEnabled"] and one["allowedMemberTypes"] == ["User"] for one in roles)


def test_the_role_of_what_if_changes_nothing():
    """Pull requests begin its runs."""
    role = json.loads((INFRA / "what-if-role.json").read_text("utf-8"))
    assert role["Actions"] == ["Microsoft.Resources/deployments/whatIf/action"]
