"""The people's side of the scenario: they ask, confirm, fetch, delete and read their letters."""

from __future__ import annotations

from devtools.demo.cast import ACCESS, Player, players
from devtools.demo.findings import Findings
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.package_check import PackageJudge
from devtools.demo.stranger import Stranger
from devtools.demo.together import all_at_once
from devtools.sample_data import SamplePerson


class Story:
    """All players at once, each with their own pace.

    Attributes:
        players: Who plays, and what became of them.
        completed: Requests that were closed as answered.
        package_files: Files in all the copies that were fetched.
    """

    def __init__(
        self,
        everyone: list[SamplePerson],
        narrator: Narrator,
        findings: Findings,
        *,
        stranger: Stranger,
        mailbox: Mailbox,
    ) -> None:
        self._narrator = narrator
        self._findings = findings
        self._stranger = stranger
        self._mailbox = mailbox
        self.players = players(everyone)
        self._packages = PackageJudge(everyone, findings)
        self.completed = 0
        self.package_files = 0

    async def copies(self) -> None:
        """Let everybody who wants a copy ask for it, confirm, and fetch it."""
        self._narrator.chapter("Access: ask, confirm, fetch the copy")
        await all_at_once(self._copy(player) for player in self.players if player.asks_for_copy)

    async def erasures(self) -> None:
        """Let those who want to be forgotten delete their copies, ask, confirm, and read the letter."""
        self._narrator.chapter("Erasure: ask, confirm, read what was erased and what has to stay")
        await all_at_once(self._erasure(player) for player in self.players if player.is_erased)

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
        self.package_files += files
        self._tell(player, f"fetched a copy of {files} files, {len(data) / 1024:.0f} KiB")

    async def _closed(self, player: Player, request_id: str) -> str:
        what = f"the request of {player.person.key}"
        state = await self._stranger.wait_until_closed(request_id, what=what)
        self.completed += 1
        return state

    def _tell(self, player: Player, what: str) -> None:
        self._narrator.step(f"{player.person.key} ({player.known_for}) {what}")
