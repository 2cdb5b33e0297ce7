"""The default people, made once: they are frozen."""

from functools import cache

import pytest

from devtools.sample_data import Expectations, SamplePerson, people
from shared.datamap.loader import load
from shared.datamap.models import DataMap

WRITTEN_BY_THE_APP = frozenset(
    {
        "own_requests",
        "controls",
        "lookups",
        "correction_notes",
        "policy_displays",
        "consent_ledger",
        "newsletter_changes",
        "newsletter_leavings",
        "pending_sign_ups",
        "retention_watch",
        "activity_clocks",
        "membership_warnings",
    }
)
"""Stores in which the sample systems write nothing. The ledger is none: products write it, too."""


@cache
def _everyone() -> tuple[SamplePerson, ...]:
    return tuple(people())


@cache
def _expectations() -> Expectations:
    return Expectations(_everyone())


@pytest.fixture
def everyone() -> tuple[SamplePerson, ...]:
    return _everyone()


@pytest.fixture
def expectations() -> Expectations:
    return _expectations()


@pytest.fixture
def datamap() -> DataMap:
    return load()
