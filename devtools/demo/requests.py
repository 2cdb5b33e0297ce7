"""Access and erasure, from a web form's POST to a closed case, and the proof that nothing is left."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import httpx

from devtools.demo.bystanders import Others, differences, digest_of
from devtools.demo.cast import ACCESS, Player, players
from devtools.demo.findings import Findings, StoryEndedError
from devtools.demo.holdings import Holdings, Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.owners import Owners, gone
from devtools.demo.package_check import PackageJudge
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
from devtools.demo.stranger import Stranger
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import Expectations, SamplePerson, people
from devtools.sample_data.containers import DATABASE
from devtools.sample_data.loading import load
from shared.domain.identifiers import Pseudonymiser
from shared.settings import read

RESULT_KEYS = (
    "requests_completed",
    "documents_erased",
    "blobs_erased",
    "lines_rewritten",
    "residue",
    "package_files",
    "others_untouched",
)
QUEUE_SECONDS = 30.0
_HTTP_SECONDS = 30.0


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
    """
    everyone = people(options.people, seed=options.seed)
    await _prepare(platform, narrator, everyone)
    async with Stores(platform.environment) as stores, httpx.AsyncClient(timeout=_HTTP_SECONDS) as client:
        story = _Story(
            everyone,
            narrator,
            findings,
            stranger=Stranger(client, f"{platform.functions_url}/api"),
            mailbox=Mailbox(stores.blobs),
        )
        await story.copies()
        before = await stores.read_all()
        await story.erasures()
        with narrator.waiting("the queues become empty"):
            await _wait_for_quiet(stores, findings)
        after = await stores.read_all(platform.logs)
        return {**story.result, **story.judge(before, after)}


async def _prepare(platform: Platform, narrator: Narrator, everyone: list[SamplePerson]) -> None:
    narrator.chapter("The platform: Azurite, the Cosmos DB emulator and the functions host, all empty")
    environment = platform.environment
    await provision(platform.root, environment)
    with narrator.waiting("loading sample people"):
        loaded = await load(
            endpoint=environment["COSMOS_ENDPOINT"],
            key=environment["COSMOS_KEY"],
            blob_connection_string=environment["STORAGE_CONNECTION"],
            people=everyone,
            subject_key=Pseudonymiser(read(environment).pseudonym_key_bytes).subject_key,
            database=environment["COSMOS_SYSTEMS_DATABASE"],
            compliance_database=environment["COSMOS_COMPLIANCE_DATABASE"],
        )
    narrator.step(
        f"{len(everyone)} made-up people: {loaded.documents} documents and {loaded.blobs} blobs "
        "in the systems of record"
    )
    url = await asyncio.to_thread(platform.start_host)
    narrator.step(f"the app answers on {url}; from here on only HTTP and the people's mail are used")


class _Story:
    """The people's side of it, and what was learned on the way."""

    def __init__(
        self,
        everyone: list[SamplePerson],
        narrator: Narrator,
        findings: Findings,
        *,
        stranger: Stranger,
        mailbox: Mailbox,
    ) -> None:
        self._everyone = everyone
        self._narrator = narrator
        self._findings = findings
        self._stranger = stranger
        self._mailbox = mailbox
        self._players = players(everyone)
        self._packages = PackageJudge(everyone, findings)
        self.result: dict[str, Any] = {"requests_completed": 0, "package_files": 0}

    @property
    def _erased(self) -> list[Player]:
        return [player for player in self._players if player.is_erased]

    async def copies(self) -> None:
        """Let everybody who wants a copy ask for it, confirm, and fetch it."""
        self._narrator.chapter("Access: ask, confirm, fetch the copy")
        await _all(self._copy(player) for player in self._players if player.asks_for_copy)

    async def erasures(self) -> None:
        """Let those who want to be forgotten delete their copies, ask, confirm, and read the letter."""
        self._narrator.chapter("Erasure: ask, confirm, read what was erased and what has to stay")
        await _all(self._erasure(player) for player in self._erased)

    async def _copy(self, player: Player) -> None:
        request_id = await self._ask(player, (ACCESS,))
        await self._fetch(player, request_id)
        await self._closed(player, request_id)

    async def _erasure(self, player: Player) -> None:
        if player.deletes_copy and player.asks_for_copy:
            await self._stranger.delete_package(player.package_link)
            self._tell(player, "deleted the copy with the page's second button")
        request_id = await self._ask(player, player.erasure)
        if player.repeats_erasure:
            await self._repeat(player)
        state = await self._closed(player, request_id)
        player.erasure_id = request_id
        letter = await self._mailbox.wait(
            player.person.asks_as,
            lambda mail: mail.request_id == request_id and not {"verification", "package"} & set(mail.links),
            what=f"the letter to {player.person.key}",
        )
        player.letter = letter.text
        self._tell(player, f"{state.replace('_', ' ')}: {letter.subject}")
        if ACCESS in player.erasure:
            await self._fetch(player, request_id)
            if player.deletes_copy:
                await self._stranger.delete_package(player.package_link)
                self._tell(player, "deleted the copy with the page's second button")

    async def _repeat(self, player: Player) -> None:
        request_id = await self._ask(player, player.erasure)
        player.joined_id = request_id
        self._tell(player, "asked for the same once more, which has to join the first")

    async def _ask(self, player: Player, rights: tuple[str, ...]) -> str:
        """File a request, confirm it from its mail, and return its id."""
        person = player.person
        known = set(player.request_ids)
        told = None
        if player.by_form:
            await self._stranger.fill_in_form(person.asks_as, rights, language=person.language)
        else:
            told = await self._stranger.ask(person.asks_as, rights, language=person.language)
        mail = await self._mailbox.wait(
            person.asks_as,
            lambda mail: (
                "verification" in mail.links
                and mail.request_id not in known
                and mail.request_id == (told or mail.request_id)
            ),
            what=f"the mail that asks {person.key} to confirm",
        )
        await self._stranger.confirm(mail.links["verification"])
        player.request_ids.append(mail.request_id)
        how = "the web form" if player.by_form else "JSON"
        self._tell(player, f"asked for {' and '.join(rights)} by {how} and confirmed")
        return mail.request_id

    async def _fetch(self, player: Player, request_id: str) -> None:
        mail = await self._mailbox.wait(
            player.person.asks_as,
            lambda mail: "package" in mail.links and mail.request_id == request_id,
            what=f"the answer with the copy for {player.person.key}",
        )
        player.package_link = mail.links["package"]
        data = await self._stranger.fetch_package(player.package_link)
        files = self._packages.judge(player.person, data)
        self.result["package_files"] += files
        self._tell(player, f"fetched a copy of {files} files, {len(data) / 1024:.0f} KiB")

    async def _closed(self, player: Player, request_id: str) -> str:
        what = f"the request of {player.person.key}"
        state = await self._stranger.wait_until_closed(request_id, what=what)
        self.result["requests_completed"] += 1
        return state

    def _tell(self, player: Player, what: str) -> None:
        self._narrator.step(f"{player.person.key} ({player.known_for}) {what}")

    def judge(self, before: Holdings, after: Holdings) -> dict[str, Any]:
        """Prove the negative and the counts, and return the rest of the result."""
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


async def _all(parts: Any) -> None:
    """Run the people's stories at once; the first that ends badly ends all."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except* StoryEndedError as failed:
        raise StoryEndedError("; ".join(str(error) for error in failed.exceptions)) from failed


async def _wait_for_quiet(stores: Stores, findings: Findings) -> None:
    """Wait until every queue is empty: a hidden message could not be searched."""
    deadline = time.monotonic() + QUEUE_SECONDS
    while waiting := await stores.waiting_messages():
        if time.monotonic() > deadline:
            findings.add(f"messages left in queues: {waiting}")
            return
        await asyncio.sleep(0.5)
