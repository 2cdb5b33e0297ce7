"""Doors for our other systems: may this be done with a person's data, and a new opt-in."""

from datetime import datetime
from typing import cast

import azure.functions as func

from functions._http import answer, answering, fields, language_of
from functions._system import require_system
from shared import bootstrap
from shared.datamap.processing import ProcessingDecision
from shared.domain.errors import Invalid
from shared.services import consents, enforcing
from shared.services.enforcing import Question

processing = func.Blueprint()

MOST_QUESTIONS = 100
MOST_IDENTIFIERS = 10
MOST_BYTES = 128 * 1024  # a hundred questions with long addresses
_ABOUT = frozenset({"identifier", "identifiers"})
_ASKED = frozenset({"purpose", "operation"})


@processing.function_name("processing_decisions")
@processing.route("processing-decisions", methods=["POST"])
@answering
async def processing_decisions(req: func.HttpRequest) -> func.HttpResponse:
    """Answer whether an `operation` on the data of the person with this `identifier` may serve a `purpose`.

    One question, or `questions`: up to 100, answered in their order. `identifier` is `{kind, value}`;
    `identifiers` are all that the asking system has of one person.
    """
    require_system(req)
    found = fields(req, most_bytes=MOST_BYTES)
    language = language_of(req)
    if "questions" not in found:
        (decision,) = await enforcing.decide_all(bootstrap.app().context, [_question(found)])
        return answer(_shown(decision, language))
    decisions = await enforcing.decide_all(bootstrap.app().context, _questions(found))
    return answer({"decisions": [_shown(one, language) for one in decisions]})


@processing.function_name("consents_record")
@processing.route("consents", methods=["POST"])
@answering
async def consents_record(req: func.HttpRequest) -> func.HttpResponse:
    """Note an opt-in: `email`, `purpose`, `policy_version`, `given_at`. `counts` false: send nothing."""
    require_system(req)
    found = fields(req)
    _require(found, frozenset({"email", "purpose", "policy_version", "given_at"}))
    counts = await consents.record_consent(
        bootstrap.app().context,
        _text(found, "email"),
        _text(found, "purpose"),
        _text(found, "policy_version"),
        _moment(found, "given_at"),
    )
    return answer({"purpose": found["purpose"], "counts": counts})


def _questions(found: dict[str, object]) -> list[Question]:
    """Return the questions of a batch; what is wrong with one is said with its place."""
    _require(found, frozenset({"questions"}))
    asked = found["questions"]
    if not isinstance(asked, list) or not 0 < len(asked) <= MOST_QUESTIONS:
        raise Invalid("questions_invalid", f"1 to {MOST_QUESTIONS} questions", field="questions")
    checked = []
    for place, one in enumerate(asked):
        try:
            checked.append(_question(_object(one, "question")))
        except Invalid as error:
            raise Invalid(error.code, error.detail, field=f"questions[{place}].{error.field}") from None
    return checked


def _question(found: dict[str, object]) -> Question:
    about = found.keys() & _ABOUT
    if len(about) != 1:
        raise Invalid("identifier_missing", "send identifier or identifiers", field="identifier")
    _require(found, _ASKED | about)
    given = found.get("identifiers", [found.get("identifier")])
    if not isinstance(given, list) or not 0 < len(given) <= MOST_IDENTIFIERS:
        raise Invalid("identifier_invalid", f"1 to {MOST_IDENTIFIERS} identifiers", field="identifiers")
    known: dict[str, tuple[str, ...]] = {}
    for each in given:
        one = _object(each, "identifier")
        _require(one, frozenset({"kind", "value"}))
        kind = _text(one, "kind")
        known[kind] = (*known.get(kind, ()), _text(one, "value"))
    return enforcing.question(
        bootstrap.app().context, known, _text(found, "purpose"), _text(found, "operation")
    )


def _shown(decision: ProcessingDecision, language: str) -> dict[str, object]:
    return {
        "decision": "allow" if decision.allowed else "deny",
        "code": decision.code,
        "reason": decision.reason.in_language(language),
        "clause": decision.clause,
        "until": None if decision.until is None else decision.until.isoformat(),
    }


def _require(found: dict[str, object], names: frozenset[str]) -> None:
    known = ", ".join(sorted(names))
    for name in sorted(names - found.keys()):
        raise Invalid("field_missing", f"needed: {known}", field=name)
    for name in sorted(found.keys() - names):
        raise Invalid("field_unknown", f"known fields: {known}", field=name[:40])


def _object(value: object, field: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Invalid("field_invalid", "an object is needed", field=field)
    return cast("dict[str, object]", value)


def _text(found: dict[str, object], name: str) -> str:
    value = found[name]
    if not isinstance(value, str):
        raise Invalid("field_invalid", "a text is needed", field=name)
    return value


def _moment(found: dict[str, object], name: str) -> datetime:
    try:
        return datetime.fromisoformat(_text(found, name))
    except ValueError:
        raise Invalid("given_at_invalid", "a time such as 2026-11-23T09:15:00Z", field=name) from None
