"""What every ledger of consents must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def event(key: str, **changes) -> ConsentEvent:
    """Return a consent with one thing changed."""
    return ConsentEvent(
        **{
            "event_id": "given-1",
            "subject_key": key,
            "purpose_id": "member_newsletter",
            "kind": EventKind.GIVEN,
            "at": NOW,
            "noted_at": NOW,
            "channel": "form",
            "evidence": Evidence(policy_version="1", wording_sha256="0" * 64, box_before="empty"),
            **changes,
        }
    )


@pytest.fixture
def key():
    """A pseudonym nobody else uses."""
    return f"k1-{uuid.uuid4().hex}"


async def test_events_are_returned_to_their_person_alone(consent_ledger, key):
    """Each as it was added, evidence and all."""
    wanted = {event(key), event(key, event_id="withdrawn-1", kind=EventKind.WITHDRAWN, evidence=Evidence())}
    for one in wanted:
        await consent_ledger.append(one)
    await consent_ledger.append(event(f"k1-{uuid.uuid4().hex}"))
    assert set(await consent_ledger.of_person((key, key))) == wanted


async def test_an_event_is_never_changed(consent_ledger, key):
    """The same id again, as a redelivered message brings it, leaves the first, and shows it."""
    assert await consent_ledger.append(event(key)) == event(key)
    again = event(key, at=NOW + timedelta(days=1), channel="import")
    assert await consent_ledger.append(again) == event(key)
    assert await consent_ledger.of_person((key,)) == (event(key),)


async def test_evidence_goes_event_by_event(consent_ledger, key):
    """What is named goes, also when it is named twice; the rest stays."""
    await consent_ledger.append(event(key))
    await consent_ledger.append(event(key, event_id="given-2"))
    await consent_ledger.forget(key, ["given-1", "given-1", "never-there"])
    assert [one.event_id for one in await consent_ledger.of_person((key,))] == ["given-2"]


async def test_who_gave_consent_to_a_purpose_is_named_once(consent_ledger, key):
    """Those who only withdrew, or consented to something else, are not."""
    purpose = f"purpose-{key}"
    for number in range(2):
        await consent_ledger.append(event(key, event_id=f"given-{number}", purpose_id=purpose))
    other = f"k1-{uuid.uuid4().hex}"
    await consent_ledger.append(event(other, purpose_id=purpose, kind=EventKind.WITHDRAWN))
    assert [one async for one in consent_ledger.given(purpose)] == [key]
