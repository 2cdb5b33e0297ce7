"""Doors for a finished copy: fetch it, delete it."""

import azure.functions as func

from functions._http import answer, answering, fields, is_form, language_of, page, redirect
from shared import bootstrap
from shared.rendering import outcomes, pages
from shared.services import downloads as service

downloads = func.Blueprint()

_PACKAGE = "requests/{request_id:length(32)}/package"


@downloads.function_name("package_page")
@downloads.route(_PACKAGE, methods=["GET"])
@answering
async def package_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page whose button fetches the copy; 410 when it is gone."""
    app = bootstrap.app()
    token = req.params.get("token", "")
    package = await service.find_copy(app.context, req.route_params["request_id"], token)
    origin = app.download_origin
    shown = pages.package_page(
        language=language_of(req),
        download_url="package",  # relative, so that it works behind any address
        delete_url="package/deletion",
        token=token,
        size_bytes=package.size_bytes,
        expires_at=package.expires_at,
        download_origin=origin,
    )
    return page(shown, download_origin=origin)


@downloads.function_name("package_fetch")
@downloads.route(_PACKAGE, methods=["POST"])
@answering
async def package_fetch(req: func.HttpRequest) -> func.HttpResponse:
    """Send the browser to a link that fetches the copy and lives for minutes."""
    token = fields(req).get("token")
    return redirect(
        await service.download_url(bootstrap.app().context, req.route_params["request_id"], token)
    )


@downloads.function_name("package_delete")
@downloads.route(f"{_PACKAGE}/deletion", methods=["POST"])
@answering
async def package_delete(req: func.HttpRequest) -> func.HttpResponse:
    """Delete the copy now."""
    request_id = req.route_params["request_id"]
    await service.delete_copy(bootstrap.app().context, request_id, fields(req).get("token"))
    if is_form(req):
        return page(outcomes.outcome_page("copy_deleted", language=language_of(req)))
    return answer({"request_id": request_id, "copy_available": False})
