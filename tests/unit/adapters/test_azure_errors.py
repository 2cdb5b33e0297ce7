"""Each answer of a service becomes the error that says what a caller can do about it."""

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
)
from azure.storage.blob import StorageErrorCode

from shared.adapters._azure_errors import translated
from shared.adapters.blob_evidence import BlobEvidence
from shared.domain.errors import Conflict, NotFound, Permanent, Retryable


def storage_error(status, code, kind=HttpResponseError):
    """Return an error as the storage SDK raises it."""
    error = kind(message="https://account.example/secret")
    error.status_code = status
    error.error_code = code
    return error


@pytest.mark.parametrize(
    "error",
    [
        storage_error(412, StorageErrorCode.CONDITION_NOT_MET, ResourceModifiedError),
        storage_error(412, "TargetConditionNotMet"),
        storage_error(409, "BlobAlreadyExists", ResourceExistsError),
        CosmosResourceExistsError(status_code=409, message="x"),
        CosmosAccessConditionFailedError(status_code=412, message="x"),
        CosmosHttpResponseError(status_code=409, message="x"),
        CosmosBatchOperationError(error_index=0, headers={}, status_code=412, message="x"),
    ],
)
def test_a_lost_race_is_a_conflict(error):
    """Reading again cures it."""
    found = translated(error, "a.b")
    assert type(found) is Conflict
    assert str(found) == "changed_meanwhile: a.b"


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (412, StorageErrorCode.LEASE_ID_MISSING, "blob_locked"),
        (412, "LeaseIdMismatchWithBlobOperation", "blob_locked"),
        (409, "BlobImmutableDueToPolicy", "blob_locked"),
        (409, "BlobImmutableDueToLegalHold", "blob_locked"),
        (409, "BlobArchived", "blob_archived"),
        (409, StorageErrorCode.BLOB_BEING_REHYDRATED, "blob_archived"),
        (409, "InvalidBlobType", "service_refused"),
        (409, "OperationNotAllowedOnIncrementalCopyBlob", "service_refused"),
        (409, "PendingCopyOperation", "service_refused"),
        (412, None, "service_refused"),
        (403, "AuthorizationPermissionMismatch", "service_refused"),
    ],
)
@pytest.mark.parametrize("kind", [HttpResponseError, ResourceExistsError, ResourceModifiedError])
def test_what_no_reading_cures_is_permanent(status, code, ours, kind):
    """A person has to look at it; the vendor's text, which holds a URL, stays out."""
    found = translated(storage_error(status, code, kind), "a.b")
    assert type(found) is Permanent
    assert found.code == ours
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (storage_error(409, "ContainerBeingDeleted", ResourceExistsError), Retryable),
        (storage_error(503, "ServerBusy"), Retryable),
        (ServiceRequestError("x"), Retryable),
        (storage_error(404, "BlobNotFound", ResourceNotFoundError), NotFound),
        (AzureError("x"), Permanent),
    ],
)
def test_other_answers_keep_their_meaning(error, ours):
    """A fault that passes, a thing that is gone, and what nobody foresaw."""
    assert type(translated(error, "a.b")) is ours


class ProofBlob:
    """A blob of which an upload is refused."""

    def __init__(self, code, *, is_there):
        self.code = code
        self.is_there = is_there

    def container(self, _):
        return self

    def get_blob_client(self, _):
        return self

    async def upload_blob(self, *_, **__):
        raise storage_error(409, self.code, ResourceExistsError)

    async def exists(self):
        return self.is_there


@pytest.mark.parametrize(
    ("code", "is_there"), [("BlobAlreadyExists", True), ("BlobImmutableDueToPolicy", True)]
)
async def test_a_proof_recorded_before_is_recorded(code, is_there):
    """A message delivered twice."""
    await BlobEvidence(ProofBlob(code, is_there=is_there), "evidence").record("a", {})


@pytest.mark.parametrize(
    ("code", "ours"), [("ContainerBeingDeleted", Retryable), ("BlobImmutableDueToPolicy", Permanent)]
)
async def test_a_proof_refused_is_never_taken_for_recorded(code, ours):
    """Nothing is there."""
    with pytest.raises(ours):
        await BlobEvidence(ProofBlob(code, is_there=False), "evidence").record("a", {})
