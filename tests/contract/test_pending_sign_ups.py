"""What every store of unconfirmed sign-ups must do."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent_ledger import Evidence
from shared.domain.errors import Conflict
from shared.domain.sign_ups import PendingSignUp
from shared.ports.pending_sign_ups import StoredSignUp

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sign_up(number: int = 1, **changes) -> PendingSignUp:
    """Return one that wakes now."""
    return PendingSignUp(
        **{
            "sign_up_id": f"{number:032x}",
            "email": "mette@people.example",
            "purpose_ids": ("member_newsletter",),
            "language": "da",
            "evidence": Evidence(policy_version="1", asked_at=NOW),
            "asked_at": NOW,
            "ends_at": NOW + timedelta(days=7),
            "wake_at": NOW,
            **changes,
        }
    )


async def test_one_is_read_as_it_was_written(pending_sign_ups):
    """With a moment's fractions."""
    wanted = sign_up(confirmed_at=NOW + timedelta(microseconds=1))
    await pending_sign_ups.write(StoredSignUp(sign_up=wanted, etag=None))
    found = await pending_sign_ups.read(wanted.sign_up_id)
    assert found.sign_up == wanted
    assert await pending_sign_ups.read("f" * 32) is None


async def test_who_read_before_somebody_wrote_is_refused(pending_sign_ups):
    """Also who takes one that is there for new."""
    first = await pending_sign_ups.write(StoredSignUp(sign_up=sign_up(), etag=None))
    second = await pending_sign_ups.write(StoredSignUp(sign_up=sign_up(attempts=1), etag=first.etag))
    assert second.etag != first.etag
    for etag in (first.etag, None):
        with pytest.raises(Conflict):
            await pending_sign_ups.write(StoredSignUp(sign_up=sign_up(attempts=2), etag=etag))
    assert (await pending_sign_ups.read(sign_up().sign_up_id)).sign_up.attempts == 1


async def test_one_is_taken_away_once(pending_sign_ups):
    """What is gone is no mistake."""
    await pending_sign_ups.write(StoredSignUp(sign_up=sign_up(), etag=None))
    for _ in range(2):
        await pending_sign_ups.remove(sign_up().sign_up_id)
    assert await pending_sign_ups.read(sign_up().sign_up_id) is None


async def test_those_wake_whose_time_has_come(pending_sign_ups):
    """One before, at and after it."""
    moments = [NOW - timedelta(microseconds=1), NOW, NOW + timedelta(microseconds=1)]
    for number, wake_at in enumerate(moments):
        await pending_sign_ups.write(StoredSignUp(sign_up=sign_up(number, wake_at=wake_at), etag=None))
    found = await pending_sign_ups.waking(NOW, limit=10)
    assert {one.sign_up.sign_up_id for one in found} == {f"{0:032x}", f"{1:032x}"}
    assert len(await pending_sign_ups.waking(NOW, limit=1)) == 1
