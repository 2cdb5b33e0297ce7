"""Doors for a finished copy: fetch it, delete it."""

import azure.functions as func

from functions._bodies import query, read
from functions._door import PAGE, Given, door
from functions._http import is_form, language_of, page, redirect, shown
from functions._request_bodies import CopyAnswer, TokenBody, TokenQuery
from shared import bootstrap
from shared.rendering import outcomes, pages
from shared.services import downloads as service

downloads = func.Blueprint()

_PACKAGE = "requests/{request_id:length(32)}/package"
_GONE = ("request_unknown", "package_gone")


@door(
    downloads,
    "package_page",
    "GET",
    _PACKAGE,
    Given(answers={200: PAGE}, query=TokenQuery, codes=_GONE, guard="token"),
)
async def package_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page whose button fetches the copy; 410 when it is gone."""
    app = bootstrap.app()
    token = query(req, TokenQuery).token
    package = await service.find_copy(app.context, req.route_params["request_id"], token)
    origin = app.download_origin
    html = pages.package_page(
        language=language_of(req),
        download_url="package",  # relative, so that it works behind any address
        delete_url="package/deletion",
        token=token,
        size_bytes=package.size_bytes,
        expires_at=package.expires_at,
        download_origin=origin,
    )
    return page(html, download_origin=origin)


@door(
    downloads,
    "package_fetch",
    "POST",
    _PACKAGE,
    Given(
        body=TokenBody,
        answers={303: None},
        codes=_GONE,
        guard="token",
        takes_form=True,
    ),
)
async def package_fetch(req: func.HttpRequest) -> func.HttpResponse:
    """Send the browser to a link that fetches the copy and lives for minutes."""
    request_id = req.route_params["request_id"]
    return redirect(
        await service.download_url(bootstrap.app().context, request_id, read(req, TokenBody).token)
    )


@door(
    downloads,
    "package_delete",
    "POST",
    f"{_PACKAGE}/deletion",
    Given(
        body=TokenBody,
        answers={200: CopyAnswer},
        codes=_GONE,
        guard="token",
        takes_form=True,
    ),
)
async def package_delete(req: func.HttpRequest) -> func.HttpResponse:
    """Delete the copy now."""
    request_id = req.route_params["request_id"]
    await service.delete_copy(bootstrap.app().context, request_id, read(req, TokenBody).token)
    if is_form(req):
        return page(outcomes.outcome_page("copy_deleted", language=language_of(req)))
    return shown(CopyAnswer(request_id=request_id, copy_available=False))
