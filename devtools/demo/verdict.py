"""The proof: what is gone, what is left, what is untouched, judged from before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devtools.demo.bystanders import Others, differences, digest_of
from devtools.demo.cast import Player
from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings
from devtools.demo.narration import Narrator
from devtools.demo.owners import Owners, gone
from devtools.demo.proof_check import (
    check_counts,
    check_kept_orders,
    check_letter,
    subject_keys,
    today_in_copenhagen,
    totals,
    totals_of,
)
from devtools.demo.residue import Search, kept_by_law
from devtools.sample_data import Expectations, SamplePerson
from devtools.sample_data.containers import DATABASE


class Verdict:
    """Judges one erasure of several people.

    Args:
        everyone: All the sample people.
        erased: Those whose data had to go.
    """

    def __init__(
        self,
        everyone: Sequence[SamplePerson],
        erased: Sequence[Player],
        narrator: Narrator,
        findings: Findings,
    ) -> None:
        self._everyone = everyone
        self._erased = erased
        self._narrator = narrator
        self._findings = findings

    def judge(self, before: Holdings, after: Holdings) -> dict[str, Any]:
        """Prove the negative and the counts, and return what is counted in the result."""
        self._narrator.chapter("The proof, with the bare SDKs: what is gone, what is left, what is untouched")
        owners = Owners.of(self._everyone)
        expectations = Expectations(self._everyone)
        erased = [player.person for player in self._erased]
        counted = {}
        places = {}
        for player in self._erased:
            person = player.person
            counted[person.key] = gone(person, owners, before, after)
            check_counts(player, expectations, counted[person.key], after, self._findings)
            places[person.key] = check_kept_orders(player, owners, before, after, self._findings)
            check_letter(player, places[person.key], before, self._findings)
        self._check_joined(after)
        sums = totals(before, after, owners, [DATABASE])
        self._findings.equal(totals_of(counted), sums, "what is gone of the erased people, and of anybody")
        self._narrator.table(
            ("person", "documents, lines and blobs gone", "documents rewritten", "orders kept"),
            [
                (
                    f"{player.person.key} {player.known_for}",
                    sum(one.erased for one in counted[player.person.key].values()),
                    sum(one.rewritten for one in counted[player.person.key].values()),
                    len(places[player.person.key]),
                )
                for player in self._erased
            ],
        )
        today = today_in_copenhagen()
        kept = {person.key: expectations.kept_values(person, on=today) for person in erased}
        hits = set(Search(erased, self._everyone).everywhere(after))
        allowed = kept_by_law(erased, kept, places)
        for hit in sorted(hits - allowed):
            self._findings.add(f"left after the erasure: {hit}")
        for hit in sorted(allowed - hits):
            self._findings.add(f"missing though it must be kept: {hit}")
        self._narrator.step(
            f"searched {len(after.documents)} documents, {len(after.blobs)} blobs, {len(after.messages)} "
            f"messages and {len(after.logs)} logs; the outbox is the people's own mailbox and left out"
        )
        self._narrator.step(
            f"{len(hits - allowed)} values of erased people left, besides {len(allowed)} names on invoices "
            "that the law keeps"
        )
        return {
            **sums,
            "residue": len(hits - allowed),
            "others_untouched": self._untouched(owners, before, after),
        }

    def _check_joined(self, after: Holdings) -> None:
        """See in the register itself that a repeated request joined the first and did nothing of its own."""
        states = {
            body["request_id"]: (body["state"], body["joined_to"])
            for body in after.documents.values()
            if body.get("type") == "request"
        }
        for player in self._erased:
            if player.repeats_erasure:
                wanted = ("joined", player.erasure_id)
                self._findings.equal(states[player.joined_id], wanted, "the repeated request")

    def _untouched(self, owners: Owners, before: Holdings, after: Holdings) -> bool:
        request_ids = [one for player in self._erased for one in player.request_ids]
        others = Others(
            erased=[player.person for player in self._erased],
            request_ids=request_ids,
            subject_keys=subject_keys(after, request_ids),
        )
        was, now = others.pieces(before, owners), others.pieces(after, owners)
        for difference in differences(was, now):
            self._findings.add(f"somebody else's: {difference}")
        same = digest_of(was) == digest_of(now)
        self._narrator.step(
            f"everybody else's {len(was)} documents and blobs: {digest_of(was)[:16]} before, "
            f"{digest_of(now)[:16]} after"
        )
        return same
