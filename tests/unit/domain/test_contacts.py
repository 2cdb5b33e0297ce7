"""Whom a person can turn to."""

import pytest

from shared.domain.contacts import Contacts
from shared.domain.errors import Permanent
from tests.factories import contacts


@pytest.mark.clause("4.9")
@pytest.mark.parametrize("name", list(Contacts.__dataclass_fields__))
def test_an_empty_contact_is_named(name):
    """Each one of them."""
    contacts().require_complete()
    with pytest.raises(Permanent) as caught:
        contacts(**{name: None if name == "verified_on" else ""}).require_complete()
    assert (caught.value.code, caught.value.detail) == ("contacts_incomplete", name)
