"""Hand a finished copy to its person, and delete it when they have it or its time is up."""

from shared.domain import tokens
from shared.domain.cases import Package
from shared.domain.errors import NotFound
from shared.ports.cases import Case, Write
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.links import PACKAGE


async def find_copy(context: Context, request_id: str, token: object) -> Package:
    """Return the copy a link stands for, without noting anything: mail scanners open links.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: `package_gone`: deleted, or its time is up.
    """
    return (await _package(context, request_id, token))[1]


async def download_url(context: Context, request_id: str, token: object) -> str:
    """Return a link that fetches the copy within minutes, and note that it was asked for.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: `package_gone`: deleted, or its time is up.
    """
    return await settled(lambda: _download_url(context, request_id, token))


async def _download_url(context: Context, request_id: str, token: object) -> str:
    case, package = await _package(context, request_id, token)
    url = await context.packages.download_url(
        request_id, file_name=f"my-data-{request_id[:8]}.zip", minutes=context.limits.download_minutes
    )
    if package.downloaded_at is None:
        await _save(context, case, package.model_copy(update={"downloaded_at": context.clock.now()}))
    return url


async def delete_copy(context: Context, request_id: str, token: object) -> None:
    """Delete the copy because its person says so. A second call finds it gone."""
    await settled(lambda: _delete_copy(context, request_id, token))


async def _delete_copy(context: Context, request_id: str, token: object) -> None:
    case, _ = await _package(context, request_id, token)
    await remove(context, case)


async def remove(context: Context, case: Case) -> None:
    """Delete a request's copy and note it; also one whose time is up."""
    package = case.request.package
    await context.packages.delete(case.request.request_id)
    if package is None:
        return
    await _save(context, case, package.model_copy(update={"deleted_at": context.clock.now()}))


async def _package(context: Context, request_id: str, token: object) -> tuple[Case, Package]:
    now = context.clock.now()
    tokens.check(context.keys, token, purpose=PACKAGE, request_id=request_id, now=now)
    case = await context.cases.load(request_id)
    package = case.request.package
    if package is None or package.deleted_at is not None or now > package.expires_at:
        raise NotFound("package_gone")
    return case, package


async def _save(context: Context, case: Case, package: Package) -> None:
    what = "copy_deleted" if package.deleted_at else "copy_fetched"
    changed = case.request.with_(package=package)
    if package.deleted_at and changed.is_final:  # an open request still has work to wake up for
        changed = changed.with_(wake_at=None)
    request, event = changed.noted(context.clock.now(), what)
    await context.cases.commit(
        request.request_id,
        [Write(document=request, etag=case.etags[request.id]), Write(document=event, etag=None)],
    )
