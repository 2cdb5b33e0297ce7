"""A changed policy is shown before further use, once a person, version and channel, and that is recorded."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.displays import DisplayChannel
from shared.domain.errors import Invalid, NotFound, Permanent, Retryable
from shared.domain.policy_versions import consent_covers
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import policy_display
from shared.services.policy_display import must_show, record_shown, subject_key_of
from tests.factories import World, contacts
from tests.fakes.messaging import TestClock
from tests.policy_versions import SECOND_DAY, version, versioned_map
from tests.unit.services.driving import ask, deliver, fulfil, letters, opened, rest

APP, CLOUD = DisplayChannel.APPLICATION, DisplayChannel.CONTENT_CLOUD


def _world(*versions, now: datetime | None = None, **changes) -> tuple[World, dict[str, str]]:
    clock = TestClock(now) if now else TestClock()
    world = World(datamap=versioned_map(*versions), clock=clock, **changes)
    return world, world.add_person("ane")


def _key(world: World, person: dict[str, str]) -> str:
    return subject_key_of(world.context, "user_id", person["user_id"])


async def _asked(world: World, key: str, channel: DisplayChannel = APP) -> str | None:
    wanted = await must_show(world.context, key, channel, language="en")
    return wanted and wanted.number


@pytest.mark.case(25)
@pytest.mark.clause("8.1", "9.1", "head")
async def test_case_25_a_new_policy_version_is_shown_recorded_and_changes_no_consent():
    """Each end user sees it at the next start or visit; the old one stays; no answer without contacts."""
    world, ane = _world(now=datetime(2025, 12, 31, 22, 59, tzinfo=UTC))
    bo = world.add_person("bo")
    context = world.context
    for person in (ane, bo):
        await record_shown(context, _key(world, person), "1", APP, language="en")
        assert await _asked(world, _key(world, person)) is None

    world.clock.advance(seconds=60)  # the new year begins in Copenhagen, and version 2 with it
    for person in (ane, bo):
        assert await _asked(world, _key(world, person)) == "2"
    await record_shown(context, _key(world, ane), "2", APP, language="en")
    assert await _asked(world, _key(world, ane)) is None
    assert await _asked(world, _key(world, ane), CLOUD) == "2"
    assert await _asked(world, _key(world, bo)) == "2"

    old = policy_display.version(context, "1", "en")
    assert (old.content, policy_display.current(context, "en").content) == ("Old words.\n", "New words.\n")
    versions = context.datamap.policy.versions
    assert not consent_covers("serve", "1", versions)
    assert consent_covers("serve", "2", versions)

    world.context = replace(context, contacts=contacts(authority_address=""))
    request_id = await ask(world, ane["email"], Right.ACCESS)
    with pytest.raises(Permanent, match="contacts_incomplete"):
        await deliver(world)
    assert set(letters(world, request_id)) == {"letter-verify-0"}
    world.context = replace(world.context, contacts=contacts())
    await rest(world)
    assert world.cases.request(request_id).state is RequestState.COMPLETED
    shown = json.loads(opened(world, request_id)["about.json"])["policy_versions"]
    assert [(one["number"], one["shown_to_you"]) for one in shown] == [
        ("1", True),
        ("2", True),
        ("3", False),
    ]


async def test_a_repeated_record_keeps_the_first_time():
    """A retry of the app is no second showing."""
    world, ane = _world()
    key = _key(world, ane)
    await record_shown(world.context, key, "2", APP, language="en")
    first = await world.displays.shown((key,))
    world.clock.advance(seconds=3600)
    await record_shown(world.context, key, "2", APP, language="en")
    assert await world.displays.shown((key,)) == first


async def test_the_record_names_nobody():
    """A pseudonym, what was shown and when."""
    world, ane = _world()
    await record_shown(world.context, _key(world, ane), "2", CLOUD, language="en")
    (row,) = world.documents.bodies("policy_displays")
    assert not [mark for mark in ane.values() if mark.lower() in json.dumps(row).lower()]
    assert row["sha256"] == policy_display.version(world.context, "2", "en").sha256
    assert (row["id"], row["channel"]) == ("2-content_cloud", "content_cloud")


async def test_a_copy_shows_the_rows_whatever_identifier_the_app_named():
    """They are found from the confirmed address through the linked user id; nobody else's are."""
    world, ane = _world()
    other = subject_key_of(world.context, "user_id", "user-of-somebody-else")
    for key in (_key(world, ane), other):
        await record_shown(world.context, key, "2", APP, language="en")
    files = opened(world, await fulfil(world, ane["email"], Right.ACCESS))
    everything = b"".join(files.values()).decode("utf-8", "replace")
    assert _key(world, ane) in everything
    assert other not in everything


async def test_an_erasure_takes_the_rows_and_the_policy_is_shown_again():
    """What is gone was not shown, as far as anybody can tell."""
    world, ane = _world()
    await record_shown(world.context, _key(world, ane), "2", APP, language="en")
    await fulfil(world, ane["email"], Right.ERASURE)
    assert world.documents.bodies("policy_displays") == []
    assert await _asked(world, _key(world, ane)) == "2"


async def test_a_text_nobody_entered_is_never_taken_for_shown():
    """Neither asking nor recording answers."""
    world, ane = _world(version("2", None, valid_from=SECOND_DAY))
    key = _key(world, ane)
    with pytest.raises(NotFound, match="policy_text_missing"):
        await _asked(world, key)
    with pytest.raises(NotFound, match="policy_text_missing"):
        await record_shown(world.context, key, "2", APP, language="en")
    assert world.documents.bodies("policy_displays") == []


@pytest.mark.parametrize(("number", "language"), [("4", "en"), ("2", "da"), ("", "en")])
async def test_a_version_there_is_not_is_not_recorded(number, language):
    """In this language."""
    world, ane = _world()
    with pytest.raises(NotFound, match="policy_version_unknown"):
        await record_shown(world.context, _key(world, ane), number, APP, language=language)


async def test_a_version_to_come_is_not_recorded_before_its_first_day():
    """The last second of the old year, and the first of the new one."""
    world, ane = _world(now=datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))
    key = _key(world, ane)
    with pytest.raises(Invalid, match="policy_version_not_in_force"):
        await record_shown(world.context, key, "3", APP, language="en")
    world.clock.advance(seconds=1)
    await record_shown(world.context, key, "3", APP, language="en")
    assert await _asked(world, key) is None


async def test_a_former_version_shown_late_does_not_stand_for_the_current_one():
    """An app with an old text in its cache is told to show the new one."""
    world, ane = _world()
    await record_shown(world.context, _key(world, ane), "1", APP, language="en")
    assert await _asked(world, _key(world, ane)) == "2"


async def test_before_the_first_version_there_is_none_to_show():
    """As in the three days of 2018."""
    world, ane = _world(now=datetime(2018, 5, 27, 21, 59, 59, tzinfo=UTC))
    with pytest.raises(NotFound, match="policy_version_unknown"):
        await _asked(world, _key(world, ane))
    world.clock.advance(seconds=1)
    assert await _asked(world, _key(world, ane)) == "1"


async def test_a_register_that_cannot_be_read_is_an_error():
    """Never "not shown", never "shown"."""

    async def fail(name: str) -> None:
        if name == "displays.shown":
            raise Retryable("service_busy", name)

    world, ane = _world(turn=fail)
    with pytest.raises(Retryable):
        await _asked(world, _key(world, ane))


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("email", "nobody", "email_invalid"),
        ("user_id", "", "identifier_invalid"),
        ("user_id", "x" * 255, "identifier_invalid"),
        ("subject_key", "k1-0", "identifier_unknown"),
        ("shoe_size", "42", "identifier_unknown"),
    ],
)
def test_an_identifier_that_is_none_is_refused(kind, value, code):
    """With a code of its own."""
    world, _ = _world()
    with pytest.raises(Invalid) as caught:
        subject_key_of(world.context, kind, value)
    assert caught.value.code == code
    assert value == "" or value not in str(caught.value)


def test_an_identifier_as_long_as_allowed_is_taken_and_an_address_in_any_case():
    """The pseudonym is that of the requests."""
    world, _ = _world()
    assert subject_key_of(world.context, "user_id", "x" * 254)
    keys = world.context.subject_keys({"email": ("ane@people.example",)})
    assert (subject_key_of(world.context, "email", " Ane@People.example"),) == keys
