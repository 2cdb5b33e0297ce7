"""Hand a finished copy to its person, and delete it when they have it or its time is up."""

from collections.abc import Sequence

from shared.domain import tokens
from shared.domain.case_documents import Package
from shared.domain.cases import SubjectRequest, portable_id
from shared.domain.errors import NotAllowed, NotFound
from shared.ports.cases import Case, Write
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.links import PACKAGE, PORTABLE
from shared.services.reminding import next_look


async def find_copy(context: Context, request_id: str, token: object) -> Package:
    """Return the copy a link stands for, without noting anything: mail scanners open links.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: `package_gone`: deleted, or its time is up.
    """
    case, copy_id = await _found(context, request_id, token)
    return case.request.copies[copy_id]


async def download_url(context: Context, request_id: str, token: object) -> str:
    """Return a link that fetches the copy within minutes, and note that it was asked for.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: `package_gone`: deleted, or its time is up.
    """
    return await settled(lambda: _download_url(context, request_id, token))


async def _download_url(context: Context, request_id: str, token: object) -> str:
    case, copy_id = await _found(context, request_id, token)
    url = await context.packages.download_url(
        copy_id, file_name=f"my-data-{request_id[:8]}.zip", minutes=context.limits.download_minutes
    )
    package = case.request.copies[copy_id]
    if package.downloaded_at is None:
        fetched = package.model_copy(update={"downloaded_at": context.clock.now()})
        await _save(context, case, case.request.with_copy(copy_id, fetched), "copy_fetched")
    return url


async def delete_copy(context: Context, request_id: str, token: object) -> None:
    """Delete the copy because its person says so. A second call finds it gone."""
    await settled(lambda: _delete_copy(context, request_id, token))


async def _delete_copy(context: Context, request_id: str, token: object) -> None:
    case, copy_id = await _found(context, request_id, token)
    await _remove(context, case, [copy_id])


async def remove_due(context: Context, case: Case) -> bool:
    """Delete a request's copies whose time is up and note it; False: there is none."""
    now = context.clock.now()
    due = [name for name, one in case.request.copies.items() if not one.deleted_at and one.expires_at <= now]
    if due:
        await _remove(context, case, due)
    return bool(due)


async def _remove(context: Context, case: Case, copy_ids: Sequence[str]) -> None:
    changed = case.request
    for copy_id in copy_ids:
        await context.packages.delete(copy_id)
        gone = changed.copies[copy_id].model_copy(update={"deleted_at": context.clock.now()})
        changed = changed.with_copy(copy_id, gone)
    if changed.is_final:  # an open request still has work to wake up for
        changed = changed.with_(wake_at=next_look(context, changed))
    await _save(context, case, changed, "copy_deleted")


async def _found(context: Context, request_id: str, token: object) -> tuple[Case, str]:
    """Return the case and the name of the copy that the token is for."""
    now = context.clock.now()
    copy_id = request_id
    try:
        tokens.check(context.keys, token, purpose=PACKAGE, request_id=request_id, now=now)
    except NotAllowed as error:
        if error.code != "token_invalid":
            raise
        tokens.check(context.keys, token, purpose=PORTABLE, request_id=request_id, now=now)
        copy_id = portable_id(request_id)
    case = await context.cases.load(request_id)
    package = case.request.copies.get(copy_id)
    if package is None or package.deleted_at is not None or now > package.expires_at:
        raise NotFound("package_gone")
    return case, copy_id


async def _save(context: Context, case: Case, changed: SubjectRequest, what: str) -> None:
    request, event = changed.noted(context.clock.now(), what)
    await context.cases.commit(
        request.request_id,
        [Write(document=request, etag=case.etags[request.id]), Write(document=event, etag=None)],
    )
