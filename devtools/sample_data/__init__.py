"""Made-up people in every system of record, the same for the same seed, and what a request should find."""

from devtools.sample_data.containers import BLOB_CONTAINERS, CONTAINERS, Container
from devtools.sample_data.everything import blobs, disclosures, documents
from devtools.sample_data.expectations import Expectations, StoreExpectation, expected
from devtools.sample_data.people import DEFAULT_SEED, by_role, people
from devtools.sample_data.person import (
    AS_OF,
    Address,
    Customer,
    Installation,
    Role,
    SamplePerson,
    Volume,
)
from devtools.sample_data.records import FileBlob, LineBlob, Record

__all__ = [
    "AS_OF",
    "BLOB_CONTAINERS",
    "CONTAINERS",
    "DEFAULT_SEED",
    "Address",
    "Container",
    "Customer",
    "Expectations",
    "FileBlob",
    "Installation",
    "LineBlob",
    "Record",
    "Role",
    "SamplePerson",
    "StoreExpectation",
    "Volume",
    "blobs",
    "by_role",
    "disclosures",
    "documents",
    "expected",
    "people",
]
