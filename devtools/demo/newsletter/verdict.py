"""What the evidence comes to. Nothing of it is asked from the app."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from devtools.demo.newsletter.evidence import (
    WITHOUT_MAIL_FOR_NOW,
    Evidence,
    Seat,
    is_beginning,
    words,
)

KeyOf = Callable[[str], str]
Purposes = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Compares both sides.

    Args:
        key_of: Makes the pseudonym of an address.
        purposes: What each list is for; other lists are none of our business.
    """

    key_of: KeyOf
    purposes: Purposes

    def diverging(self, evidence: Evidence) -> list[Seat]:
        """Return the addresses on which both sides differ: mail without consent, or consent without mail.

        Where mail does not arrive, or the processor itself still asks, both sides agree: nothing is sent. A
        consent whose address no list has is one of nobody, with the pseudonym for an address.
        """
        seats = {one for one in evidence.states if one.list_id in self.purposes}
        found = [one for one in seats if self._differs(evidence, one)]
        keys = {self.key_of(one.address) for one in seats}
        for list_id, purpose_id in self.purposes.items():
            found += [
                Seat(list_id=list_id, address=key)
                for key in evidence.ledger
                if key not in keys and evidence.consents(key, purpose_id)
            ]
        return sorted(found)

    def lost(self, evidence: Evidence) -> list[Seat]:
        """Return where both sides differ though every event about it was accepted.

        An address and the one it was before or after are one matter: an event about either counts.
        """
        heard_all = self._heard_all(evidence)
        return [one for one in self.diverging(evidence) if heard_all.get(one, True)]

    def gates_that_differ(self, evidence: Evidence) -> list[str]:
        """Return pseudonym and purpose where the gate says something else than the ledger."""
        return sorted(
            f"{key} {purpose_id}"
            for purpose_id in self.purposes.values()
            for key in {*evidence.ledger, *evidence.controls}
            if evidence.consents(key, purpose_id) != evidence.is_open(key, purpose_id)
        )

    def re_added(self, evidence: Evidence, said_no: Collection[str]) -> list[Seat]:
        """Return who gets mail, or counts as consenting, of those who had said no before an import."""
        return sorted(
            Seat(list_id=list_id, address=address)
            for list_id, purpose_id in self.purposes.items()
            for address in said_no
            if evidence.gets_mail(Seat(list_id=list_id, address=address))
            or evidence.consents(self.key_of(address), purpose_id)
            or evidence.is_open(self.key_of(address), purpose_id)
        )

    def said_again(self, evidence: Evidence) -> int:
        """Return how often the ledger noted the same of somebody again, nothing being between.

        That is what an event leaves behind that is told twice and taken for two.
        """
        return sum(
            is_beginning(one) == is_beginning(following)
            for rows in evidence.ledger.values()
            for purpose_id in self.purposes.values()
            for one, following in pairwise(words(rows, purpose_id))
        )

    def _differs(self, evidence: Evidence, seat: Seat) -> bool:
        consents = evidence.consents(self.key_of(seat.address), self.purposes[seat.list_id])
        if evidence.states[seat] in WITHOUT_MAIL_FOR_NOW:
            return False
        return consents != evidence.gets_mail(seat)

    def _heard_all(self, evidence: Evidence) -> dict[Seat, bool]:
        """Return for each address whether every event about it, or what it was before, was accepted."""
        roots: dict[Seat, Seat] = {}

        def root(seat: Seat) -> Seat:
            while roots.setdefault(seat, seat) != seat:
                seat = roots[seat]
            return seat

        for one in evidence.told:
            new, old = (
                root(Seat(list_id=one.list_id, address=text)) for text in (one.address, one.old_address)
            )
            roots[old] = new
        silent = {
            root(Seat(list_id=one.list_id, address=one.address)) for one in evidence.told if not one.accepted
        }
        return {seat: root(seat) not in silent for seat in list(roots)}


def duplicates(evidence: Evidence) -> int:
    """Return how many events were accepted that had been accepted before."""
    return sum(max(0, one.accepted - 1) for one in evidence.told)


def accepted(evidence: Evidence) -> int:
    """Return how many events were accepted, each as often as it was."""
    return sum(one.accepted for one in evidence.told)
