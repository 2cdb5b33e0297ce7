"""Vendor errors to our own, in one table. Messages of the vendor stay out: they hold URLs and ids."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from shared.domain.errors import ComplianceError, Conflict, NotFound, Permanent, Retryable

_CONFLICT = frozenset({409, 412})
_RETRYABLE = frozenset({408, 410, 424, 429, 449, 500, 502, 503, 504})
_NOT_FOUND = 404

# Storage answers 409 and 412 to much that reading again does not cure: only these codes mean a lost race.
_CHANGED_MEANWHILE = frozenset(
    {
        "AppendPositionConditionNotMet",
        "BlobAlreadyExists",
        "BlobOverwritten",
        "ConditionNotMet",
        "ContainerAlreadyExists",
        "QueueAlreadyExists",
        "ResourceAlreadyExists",
        "SequenceNumberConditionNotMet",
        "SnapshotsPresent",
        "SourceConditionNotMet",
        "TargetConditionNotMet",
    }
)
_PASSING = frozenset({"ContainerBeingDeleted", "QueueBeingDeleted", "SystemInUse"})
_ARCHIVED = frozenset({"BlobArchived", "BlobBeingRehydrated"})


def translated(error: AzureError, where: str) -> ComplianceError:
    """Return our error for a vendor's. `where` names the port and the call, such as `cases.commit`."""
    if isinstance(error, ResourceNotFoundError):
        return NotFound("not_found", where)
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return Retryable("service_unreachable", where)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status == _NOT_FOUND:
        return NotFound("not_found", where)
    if isinstance(error, HttpResponseError) and status in _CONFLICT:
        return _refused_state(error, where)
    if status in _RETRYABLE:
        return Retryable("service_busy", f"{where} {status}")
    return Permanent("service_refused", f"{where} {status}")


def _refused_state(error: HttpResponseError, where: str) -> ComplianceError:
    """Return what a 409 or 412 means: another writer came first, or something a person has to undo."""
    if isinstance(error, (CosmosHttpResponseError, CosmosBatchOperationError)):
        return Conflict("changed_meanwhile", where)
    code = error_code(error)
    if code in _CHANGED_MEANWHILE:
        return Conflict("changed_meanwhile", where)
    if code in _PASSING:
        return Retryable("service_busy", f"{where} {error.status_code}")
    if code in _ARCHIVED:
        return Permanent("blob_archived", where)
    if is_locked(code):
        return Permanent("blob_locked", where)
    return Permanent("service_refused", f"{where} {error.status_code}")


def is_locked(code: str) -> bool:
    """Tell whether a code of the storage service means a lease, a legal hold or an immutability policy."""
    return code.startswith("Lease") or "ImmutableDueTo" in code


def error_code(error: HttpResponseError) -> str:
    """Return the storage service's own code of an error, such as `InvalidBlockList`; empty: none given."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


@contextmanager
def translating(where: str) -> Iterator[None]:
    """Turn any vendor error inside into one of ours."""
    try:
        yield
    except AzureError as error:
        raise translated(error, where) from error
