"""Write-once records in a blob container, such as the proofs in `evidence`."""

import json
from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContentSettings

from shared.adapters._azure_errors import error_code, is_locked, translating
from shared.adapters.storage import Storage

_RECORDED_BEFORE = "BlobAlreadyExists"


class BlobEvidence:
    """One container; in Azure the one of proofs is immutable."""

    def __init__(self, storage: Storage, container: str) -> None:
        self._storage = storage
        self._container = container

    async def record(self, name: str, proof: Mapping[str, Any]) -> None:
        data = json.dumps(proof, sort_keys=True, ensure_ascii=False, indent=1).encode()
        client = self._storage.container(self._container).get_blob_client(name)
        with translating("evidence.record"):
            try:
                await client.upload_blob(
                    data, overwrite=False, content_settings=ContentSettings(content_type="application/json")
                )
            except ResourceExistsError as error:
                code = error_code(error)
                if code == _RECORDED_BEFORE:
                    return
                # A policy may answer first for a proof it protects; a container may also refuse every proof.
                if not is_locked(code) or not await client.exists():
                    raise
