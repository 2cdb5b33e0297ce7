"""Doors for the policy: its versions for everybody, and for our other systems what was shown to whom."""

from datetime import date
from typing import Annotated

import azure.functions as func
from pydantic import Field

from functions._bodies import Body, Shown, query, read
from functions._door import Given, door
from functions._http import language_of, shown
from functions._system import require_system
from shared import bootstrap
from shared.datamap.models import NOT_STATED, PolicyVersion
from shared.datamap.versions import current_on
from shared.domain.displays import DisplayChannel
from shared.domain.errors import NotFound
from shared.domain.times import copenhagen_day
from shared.services import policy_display
from shared.services.context import Context

policy = func.Blueprint()

_MEDIA_TYPES = {"md": "text/markdown", "txt": "text/plain", "html": "text/html"}
_Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
_Number = Annotated[str, Field(min_length=1, max_length=20)]


class VersionAnswer(Shown):
    """A version of the policy. `valid_to`: its last day. `sha256`: of its text; null: no text is entered."""

    number: str
    language: str
    valid_from: date
    valid_to: date | None
    is_current: bool
    sha256: str | None


class VersionsAnswer(Shown):
    """Every version in every language."""

    versions: tuple[VersionAnswer, ...]


class VersionTextAnswer(VersionAnswer):
    """A version with its text as it was published; both null: nobody entered it."""

    media_type: str | None
    text: str | None


class LanguageQuery(Body):
    """The language of the text; without one, what the browser prefers or else what there is."""

    language: Annotated[str, Field(pattern=r"^([a-z]{2})?$")] | None = None  # an empty one is as none


class IdentifierBody(Body):
    """One identifier of a person: a kind of the data map that is one person's own, and its value."""

    kind: Annotated[str, Field(max_length=40)]
    value: Annotated[str, Field(min_length=1, max_length=254)]


class DisplayBody(Body):
    """Who stands before the screen, and where. `version`: the one that was shown just now, to be recorded."""

    identifier: IdentifierBody
    channel: DisplayChannel
    language: _Language = "en"
    version: _Number | None = None


class DisplayAnswer(Shown):
    """`must_show`: what to show before further use; null: nothing. `recorded`: whether this call did."""

    must_show: VersionAnswer | None
    recorded: bool


@door(
    policy,
    "policy_current",
    "GET",
    "policy",
    Given(answers={200: VersionTextAnswer}, query=LanguageQuery, problems=(400, 404)),
)
async def current(req: func.HttpRequest) -> func.HttpResponse:
    """Return the version of the privacy policy in force today."""
    context = bootstrap.app().context
    language = query(req, LanguageQuery).language
    return shown(_whole(context, policy_display.current(context, language or _preferred(context, req))))


@door(policy, "policy_versions", "GET", "policy/versions", Given(answers={200: VersionsAnswer}))
async def versions(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """List every version of the privacy policy with its days and the checksum of its text."""
    context = bootstrap.app().context
    listed = tuple(VersionAnswer(**_facts(context, one)) for one in context.datamap.policy.versions)
    return shown(VersionsAnswer(versions=listed))


@door(
    policy,
    "policy_version",
    "GET",
    "policy/versions/{number}",
    Given(answers={200: VersionTextAnswer}, query=LanguageQuery, problems=(400, 404)),
)
async def version(req: func.HttpRequest) -> func.HttpResponse:
    """Return one version of the privacy policy, current or earlier, as it was published."""
    context = bootstrap.app().context
    return shown(_whole(context, _wanted(context, req, query(req, LanguageQuery).language)))


@door(
    policy,
    "policy_displays",
    "POST",
    "policy/displays",
    Given(
        body=DisplayBody,
        answers={200: DisplayAnswer},
        problems=(400, 401, 404, 413, 415, 501),
        guard="system",
        takes_form=True,
    ),
)
async def displays(req: func.HttpRequest) -> func.HttpResponse:
    """Record that a version was shown to a person, where one is named, and tell what has to be shown now."""
    require_system(req)
    context = bootstrap.app().context
    body = read(req, DisplayBody)
    key = policy_display.subject_key_of(context, body.identifier.kind, body.identifier.value)
    if body.version is not None:
        await policy_display.record_shown(context, key, body.version, body.channel, language=body.language)
    wanted = await policy_display.must_show(context, key, body.channel, language=body.language)
    return shown(
        DisplayAnswer(
            must_show=None if wanted is None else VersionAnswer(**_facts(context, wanted)),
            recorded=body.version is not None,
        )
    )


def _whole(context: Context, found: PolicyVersion) -> VersionTextAnswer:
    suffix = found.text.rpartition(".")[2]
    return VersionTextAnswer(
        **_facts(context, found),
        media_type=None if found.text == NOT_STATED else _MEDIA_TYPES[suffix],
        text=found.content,
    )


def _preferred(context: Context, req: func.HttpRequest) -> str:
    """Return the browser's language where a version is in force in it, else one there is."""
    today = copenhagen_day(context.clock.now())
    there = [
        one.language
        for one in context.datamap.policy.versions
        if one is current_on(context.datamap, today, one.language)
    ]
    preferred = language_of(req)
    return preferred if preferred in there or not there else there[0]


def _wanted(context: Context, req: func.HttpRequest, language: str | None) -> PolicyVersion:
    number = req.route_params["number"]
    if language is not None:
        return policy_display.version(context, number, language)
    there = [one.language for one in context.datamap.policy.versions if one.number == number]
    if not there:
        raise NotFound("policy_version_unknown")
    preferred = language_of(req)
    return policy_display.version(context, number, preferred if preferred in there else there[0])


def _facts(context: Context, found: PolicyVersion) -> dict[str, object]:
    today = copenhagen_day(context.clock.now())
    return {
        "number": found.number,
        "language": found.language,
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
        "is_current": found is current_on(context.datamap, today, found.language),
        "sha256": found.sha256,
    }
