"""Tell letters by their subjects, as their readers do, and judge whether each says what every answer must."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devtools.demo.findings import Findings
from devtools.demo.mailbox import Mail
from shared.rendering.words import words

_SUBJECT = re.compile(r"subject_(?:words_)?(?P<kind>.+)")
"""`words_`: the same letter, to somebody whose words name no right."""
_CONTACTS = (
    *("CONTROLLER_NAME", "CONTROLLER_ADDRESS", "CONTROLLER_EMAIL"),
    *("AUTHORITY_NAME", "AUTHORITY_ADDRESS", "AUTHORITY_EMAIL", "AUTHORITY_URL"),
)
OUTCOMES = {
    "package_ready": "answered",
    "customer_package_ready": "answered",
    "portability_ready": "answered",
    "transferred": "transferred",
    "rectified": "rectified",
    "erased": "erased",
    "erased_with_retention": "erased_with_retention",
    "erased_nothing": "erased_with_retention",  # all of it stays
    "restricted": "restricted",
    "objection_upheld": "objection_upheld",
    "refused": "refused",
    "withdrawn": "withdrawn",
    "marketing_stopped": "marketing_stopped",
    "complaint": "informed",
    "nothing_held": "nothing_held",
}
"""The letters that answer a right, and what each says it came to. Every other letter answers none."""


@dataclass(frozen=True, kw_only=True)
class Letters:
    """What letters are called, and whom each has to name. `contacts`: the values of those settings."""

    kinds: Mapping[str, str]
    contacts: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Letters:
        """Return what there is for the contacts of a run."""
        controller = environment["CONTROLLER_NAME"]
        found = {
            text.format(controller=controller): name["kind"]
            for language in ("en", "da")
            for key, text in vars(words(language)).items()
            if (name := _SUBJECT.fullmatch(key))
        }
        return cls(kinds=found, contacts=tuple(environment[name] for name in _CONTACTS))

    def kind(self, mail: Mail) -> str:
        """Return what a letter is, by its subject; empty: it is none of ours."""
        return self.kinds.get(mail.subject, "")

    def judge(self, mails: Iterable[Mail], requests: Iterable[Mapping[str, Any]], findings: Findings) -> int:
        """Note every letter that lacks a contact, and rights not answered exactly once; return the count.

        `requests`: bodies of all requests of the register. A right that was taken up again after a hold is
        answered once in each life.
        """
        everything = list(mails)
        answers: Counter[str] = Counter()
        for mail in everything:
            kind = self.kind(mail)
            text = " ".join(mail.text.split())  # lines end anywhere
            lacks = [one for one in self.contacts if " ".join(one.split()) not in text]
            what = f"the letter {mail.subject!r} of request {mail.request_id}"
            findings.expect(bool(kind), f"{what} is of no known kind")
            findings.expect(kind == "verify" or not lacks, f"{what} does not name {lacks}")
            answers[mail.request_id] += kind in OUTCOMES
        for body in requests:
            wanted = len(body["outcomes"]) + body.get("revivals", 0)
            findings.equal(
                answers[body["request_id"]], wanted, f"letters that answer request {body['request_id']}"
            )
        return len(everything)
