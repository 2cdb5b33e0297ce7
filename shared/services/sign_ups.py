"""The records of newsletter sign-ups, as the products keep them: begun, ended, moved to another address.

An end only writes the state. Scheduled deletion takes the record away within a day, after it has asked for
holds and restrictions.
Source: policy 2.3.1, 2.4.1, 5.2.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.datamap.models import DocumentStore
from shared.domain.errors import Conflict
from shared.domain.identifiers import EMAIL
from shared.domain.times import moment_of, utc_text
from shared.ports.documents import Change, Changed, DocumentPage
from shared.services.context import Context

ACTIVITY = "newsletter"
STORE = "newsletter_signups"
_ENDED = "unsubscribed"
_ATTEMPTS = 5

Replaced = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """One sign-up. Texts that are not known are empty."""

    sign_up_id: str
    email: str
    purpose_id: str
    list_id: str
    source: str
    at: datetime
    name: str = ""
    wording_version: str = ""
    wording_sha256: str = ""

    def record(self) -> dict[str, Any]:
        """Return it as the products write it; what is not known is left out."""
        known = {
            "id": self.sign_up_id,
            "email": self.email,
            "name": self.name,
            "list_id": self.list_id,
            "purpose": self.purpose_id,
            "state": "subscribed",
            "consented_at": utc_text(self.at),
            "wording_version": self.wording_version,
            "wording_hash": self.wording_sha256,
            "source": self.source,
        }
        return {key: value for key, value in known.items() if value}


async def begin(context: Context, sign_up: SignUp) -> None:
    """Write a sign-up, named by its id. A second call changes nothing."""
    await context.documents.create(_store(context), sign_up.record())


async def renew(context: Context, sign_up: SignUp) -> None:
    """Write a sign-up whose id stays the same each time its person signs up; the newest consent counts.

    A second call changes nothing, and one with an older consent neither.

    Raises:
        Conflict: somebody kept writing; do it again.
    """
    store = _store(context)
    for _ in range(_ATTEMPTS):
        await context.documents.create(store, sign_up.record())
        known = await context.documents.get(store, sign_up.sign_up_id, sign_up.sign_up_id)
        if known is None:
            continue  # it ended and went meanwhile
        begun = moment_of(known.body.get("consented_at"))
        if begun is not None and begun >= sign_up.at:
            return
        change = Change(document=known, replacement={**sign_up.record()})
        if await context.documents.change(store, [change]) == (Changed.DONE,):
            return
    raise Conflict("changed_meanwhile", STORE)


async def find(context: Context, sign_up_id: str) -> Mapping[str, Any] | None:
    """Return the record of a sign-up, ended or not. None: there is none."""
    known = await context.documents.get(_store(context), sign_up_id, sign_up_id)
    return None if known is None else known.body


def has_ended(body: Mapping[str, Any]) -> bool:
    """Whether a record says that its sign-up has ended."""
    return bool(body.get("state") == _ENDED)


async def of_address(context: Context, email: str) -> list[Mapping[str, Any]]:
    """Return the sign-ups of an address that have not ended."""
    found: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await context.documents.page(
            _store(context), {EMAIL: (email,)}, cursor=cursor, limit=context.limits.page_documents
        )
        found += [one.body for one in page.documents if one.body.get("state") != _ENDED]
        cursor = page.cursor
        if cursor is None:
            return found


async def end(context: Context, email: str, purpose_ids: Collection[str], *, at: datetime) -> int:
    """Write that the sign-ups of an address have ended, those from before `at`; return how many changed."""

    def ended(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        begun = moment_of(body.get("consented_at"))
        later = begun is not None and begun > at
        if later or body.get("state") == _ENDED or body.get("purpose") not in purpose_ids:
            return None
        return {**body, "state": _ENDED}

    return await _rewrite(context, email, ended)


async def move(context: Context, old_email: str, new_email: str, list_id: str) -> int:
    """Write a new address into the sign-ups of a list; return how many changed."""

    def moved(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {**body, "email": new_email} if body.get("list_id") == list_id else None

    return await _rewrite(context, old_email, moved)


def _store(context: Context) -> DocumentStore:
    store = context.datamap.store(STORE)[1]
    if not isinstance(store, DocumentStore):
        raise TypeError(STORE)
    return store


async def _rewrite(context: Context, email: str, replaced: Replaced) -> int:
    """Write what differs; a record that somebody wrote meanwhile is read again.

    Raises:
        Conflict: somebody kept writing; do it again.
    """
    store = _store(context)
    done = 0
    for _ in range(_ATTEMPTS):
        cursor: str | None = None
        lost = False
        while True:
            page = await context.documents.page(
                store, {EMAIL: (email,)}, cursor=cursor, limit=context.limits.page_documents
            )
            changes = [
                Change(document=one, replacement=new)
                for one in page.documents
                if (new := replaced(one.body)) is not None
            ]
            came = await context.documents.change(store, changes) if changes else ()
            done += sum(1 for one in came if one is Changed.DONE)
            lost = lost or Changed.CHANGED in came
            cursor = page.cursor
            if cursor is None:
                break
        if not lost:
            return done
    raise Conflict("changed_meanwhile", STORE)


async def walk(context: Context, *, cursor: str | None, limit: int) -> DocumentPage:
    """Return some sign-ups of whoever, and where the next page begins."""
    return await context.documents.walk(_store(context), cursor=cursor, limit=limit)


def is_open(body: Mapping[str, Any]) -> bool:
    """Whether a sign-up has not ended."""
    return body.get("state") != _ENDED
