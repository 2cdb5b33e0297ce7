"""Vendor errors to our own, in one table. Messages of the vendor stay out: they hold URLs and ids."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.domain.errors import ComplianceError, Conflict, NotFound, Permanent, Retryable

_CONFLICT = frozenset({409, 412})
_RETRYABLE = frozenset({408, 410, 424, 429, 449, 500, 502, 503, 504})
_NOT_FOUND = 404


def translated(error: AzureError, where: str) -> ComplianceError:
    """Return our error for a vendor's. `where` names the port and the call, such as `cases.commit`."""
    if isinstance(error, ResourceNotFoundError):
        return NotFound("not_found", where)
    if isinstance(error, (ResourceExistsError, ResourceModifiedError)):
        return Conflict("changed_meanwhile", where)
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return Retryable("service_unreachable", where)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status == _NOT_FOUND:
        return NotFound("not_found", where)
    if status in _CONFLICT:
        return Conflict("changed_meanwhile", where)
    if status in _RETRYABLE:
        return Retryable("service_busy", f"{where} {status}")
    return Permanent("service_refused", f"{where} {status}")


@contextmanager
def translating(where: str) -> Iterator[None]:
    """Turn any vendor error inside into one of ours."""
    try:
        yield
    except AzureError as error:
        raise translated(error, where) from error
