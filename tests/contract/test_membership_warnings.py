"""What every store of warnings of members must do."""

import uuid
from datetime import UTC, date, datetime

import pytest

from shared.domain.errors import Conflict
from shared.domain.membership_warnings import MembershipWarning
from shared.ports.membership_warnings import StoredWarning

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def warning():
    """One of a person nobody else uses."""
    return MembershipWarning(
        subject_key=f"k1-{uuid.uuid4().hex}", warning_id=uuid.uuid4().hex, erase_on=date(2026, 3, 11)
    )


async def test_a_warning_is_read_as_it_was_written(membership_warnings, warning):
    """And before that there is none."""
    assert await membership_warnings.read(warning.subject_key, warning.warning_id) is None
    claimed = warning.model_copy(update={"claimed_at": NOW, "attempts": 1})
    etag = await membership_warnings.write(StoredWarning(warning=claimed, etag=None))
    read = await membership_warnings.read(warning.subject_key, warning.warning_id)
    assert read == StoredWarning(warning=claimed, etag=etag)


async def test_of_two_claims_the_second_is_refused(membership_warnings, warning):
    """So that one letter goes out."""
    etag = await membership_warnings.write(StoredWarning(warning=warning, etag=None))
    with pytest.raises(Conflict):
        await membership_warnings.write(StoredWarning(warning=warning, etag=None))
    sent = warning.model_copy(update={"sent_at": NOW})
    await membership_warnings.write(StoredWarning(warning=sent, etag=etag))
    with pytest.raises(Conflict):
        await membership_warnings.write(
            StoredWarning(warning=warning.model_copy(update={"attempts": 2}), etag=etag)
        )
