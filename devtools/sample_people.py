"""Prints the made-up people that `run` and `demo` load, to file requests for."""

import argparse
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from devtools.sample_data import SamplePerson, people

_WIDTH = 160


def main(arguments: Sequence[str]) -> int:
    """Print one row a person and return 0."""
    parser = argparse.ArgumentParser(prog="python3 -m devtools people", description=__doc__)
    parser.parse_args(arguments)
    Console(width=_WIDTH, highlight=False).print(table(people()))
    return 0


def table(everyone: Sequence[SamplePerson]) -> Table:
    """Return who they are and where they are found. Nobody in it is real."""
    found = Table(title="Made-up people of the sample data")
    for heading in ("Person", "What is odd", "Addresses", "User id", "Customers", "Known as"):
        found.add_column(heading, overflow="fold")
    for one in everyone:
        found.add_row(
            one.key,
            "" if one.role == "ordinary" else one.role.replace("_", " "),
            "\n".join(one.emails),
            one.user_id or "",
            ", ".join(customer.customer_id for customer in one.customers),
            ", ".join(_known_as(one)),
        )
    return found


def _known_as(person: SamplePerson) -> list[str]:
    named = {
        "author": person.author_id is not None,
        "member": person.member_id is not None,
        "newsletter": person.has_signed_up,
        "licence contact": person.is_licence_contact,
        "buyer": bool(person.carriers),
    }
    return [name for name, is_so in named.items() if is_so]
