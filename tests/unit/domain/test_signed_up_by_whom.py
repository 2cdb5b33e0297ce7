"""Whether an event tells of somebody who signed up, or of somebody whom staff entered."""

import pytest

from shared.domain.webhook_bodies import read_event


@pytest.mark.parametrize("given", ["192.0.2.10", "2001:db8::1"])
def test_a_network_address_means_that_a_person_signed_up(given):
    """At the processor's own form."""
    event = {"Type": "Subscribe", "EmailAddress": "ane@people.example", "SignupIPAddress": given}
    assert read_event(event).by_person
    assert given not in repr(read_event(event))


@pytest.mark.parametrize("given", ["TypeManual", "", " ", None, 7, ["192.0.2.10"], "192.0.2.10 "])
def test_anything_else_means_that_staff_entered_them(given):
    """Nobody asked them to confirm. What it is called for an import is not documented."""
    event = {"Type": "Subscribe", "EmailAddress": "ane@people.example", "SignupIPAddress": given}
    assert not read_event(event).by_person
    del event["SignupIPAddress"]
    assert not read_event(event).by_person
