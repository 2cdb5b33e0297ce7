"""Write-once records in a blob container, such as the proofs in `evidence`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContentSettings

from shared.adapters._azure_errors import error_code, is_locked, translating
from shared.adapters.storage import Storage
from shared.domain.errors import CannotTell
from shared.domain.times import moment_of
from shared.ports.evidence import ProofPage

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

    async def proofs_since(self, moment: datetime, *, cursor: str | None, limit: int) -> ProofPage:
        container = self._storage.container(self._container)
        found: list[tuple[str, Mapping[str, Any]]] = []
        with translating("evidence.proofs_since"):
            pages: Any = container.list_blobs(results_per_page=limit).by_page(cursor)
            async for page in pages:
                # A proof is written after the work it proves, so an older blob needs no reading.
                names = [blob.name async for blob in page if blob.last_modified >= moment]
                for name in names:
                    proof = _read(await (await container.download_blob(name)).readall())
                    if _proved_since(proof, moment):
                        found.append((name, proof))
                return ProofPage(proofs=tuple(found), cursor=pages.continuation_token or None)
        return ProofPage(proofs=(), cursor=None)


def _read(data: bytes) -> dict[str, Any]:
    try:
        proof = json.loads(data)
    except ValueError:
        proof = None
    if not isinstance(proof, dict):
        raise CannotTell("proof_unreadable")
    return proof


def _proved_since(proof: Mapping[str, Any], moment: datetime) -> bool:
    proved_at = moment_of(proof.get("proved_at"))
    return proved_at is not None and proved_at >= moment
