"""The table of made-up people: everybody a local run loads, with what to file requests by."""

from devtools.sample_data import people
from devtools.sample_people import main


def test_everybody_that_a_local_run_loads_is_listed_with_every_address(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(address in shown for person in people() for address in person.emails)
    assert all(person.user_id in shown for person in people() if person.user_id is not None)


def test_nobody_listed_could_be_somebody_real():
    domains = {address.rpartition("@")[2].lower() for person in people() for address in person.emails}
    assert all(domain.startswith("example.") for domain in domains)
