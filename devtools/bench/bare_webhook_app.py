"""The app with one more function, which only stores a body: what the webhook's door is measured against.

Loaded by the local host for the benchmark, through `PYTHON_SCRIPT_FILE_NAME`. Never deployed.
"""

from __future__ import annotations

import os
import uuid

import azure.functions as func
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from function_app import app

CONTAINER = "webhooks"
_clients: dict[str, ContainerClient] = {}


@app.function_name("bare_webhook")
@app.route("bench/bare-webhook", methods=["POST"])
async def bare_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """Store the body and say so."""
    if CONTAINER not in _clients:
        service = BlobServiceClient.from_connection_string(os.environ["STORAGE_CONNECTION"])
        _clients[CONTAINER] = service.get_container_client(CONTAINER)
    await _clients[CONTAINER].upload_blob(f"bare-{uuid.uuid4().hex}", req.get_body())
    return func.HttpResponse(status_code=202)
