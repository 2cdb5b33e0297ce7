"""Answer other systems before they mail, profile, report or ship: one read of the controls, and the rules.

Nothing of the person is logged or stored, and nobody learns whether we know the person: whoever has no
controls is judged by the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.datamap.processing import (
    Operation,
    ProcessingDecision,
    decide,
    known_purpose,
    with_marks_of,
)
from shared.domain.controls import SWITCH_KEY, Controls
from shared.domain.errors import Invalid
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, Identifiers, parse_email
from shared.services.context import Context

MAX_VALUE_CHARACTERS = 254


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that can be answered, without the identifiers it was asked with.

    `consenting_keys`: whose consents count, the addresses where there are any.
    """

    subject_keys: tuple[str, ...]
    consenting_keys: tuple[str, ...]
    purpose_id: str
    operation: Operation


def question(context: Context, identifiers: Identifiers, purpose_id: str, operation: str) -> Question:
    """Check a question and turn its identifiers into pseudonyms.

    Raises:
        Invalid: `identifier_missing`, `identifier_unknown`, `identifier_shared` (an installation is no
            person), `identifier_invalid`, `email_invalid`, `purpose_unknown` or `operation_unknown`.
    """
    known_purpose(context.datamap, purpose_id)
    try:
        wanted = Operation(operation)
    except ValueError:
        raise Invalid("operation_unknown", f"one of: {', '.join(Operation)}", field="operation") from None
    keys = {
        kind: tuple(context.keys.subject_key(kind, _value(context, kind, value)) for value in values)
        for kind, values in identifiers.items()
    }
    everyone = tuple(dict.fromkeys(key for found in keys.values() for key in found))
    if not everyone:
        raise Invalid("identifier_missing", "say who it is about", field="identifier")
    return Question(
        subject_keys=everyone,
        consenting_keys=keys.get(EMAIL) or everyone,
        purpose_id=purpose_id,
        operation=wanted,
    )


async def decide_processing(
    context: Context, identifiers: Identifiers, purpose_id: str, operation: str
) -> ProcessingDecision:
    """Answer one question about one person; `identifiers` are all the asker has, and one that denies wins.

    Raises:
        Invalid: as `question` says.
        Retryable: the controls could not be read; do nothing with the data, and ask again.
        CannotTell: they could not be understood; do nothing with the data.
    """
    (decision,) = await decide_all(context, [question(context, identifiers, purpose_id, operation)])
    return decision


async def decide_all(context: Context, questions: Sequence[Question]) -> tuple[ProcessingDecision, ...]:
    """Answer questions in their order with one read for all of them.

    Scheduled deletion is also asked of the kill switch. Raises as `decide_processing` does; a question that
    could not be answered leaves none answered.
    """
    keys = dict.fromkeys(key for one in questions for key in one.subject_keys)
    if any(one.operation is Operation.ERASE for one in questions):
        keys[SWITCH_KEY] = None
    read = await context.controls.read(tuple(keys))
    found = {key: stored.controls for key, stored in zip(keys, read, strict=True)}
    return tuple(_decided(context, one, found) for one in questions)


def _decided(context: Context, asked: Question, found: dict[str, Controls]) -> ProcessingDecision:
    now = context.clock.now()
    everything = [found[key] for key in asked.subject_keys]
    if asked.operation is Operation.ERASE:
        everything.append(found[SWITCH_KEY])
    decisions = [
        decide(
            context.datamap,
            with_marks_of(found[key], everything),
            asked.purpose_id,
            asked.operation,
            now=now,
        )
        for key in asked.consenting_keys
    ]
    return next((one for one in decisions if not one.allowed), decisions[0])


def _value(context: Context, kind: str, value: str) -> str:
    if kind == EMAIL:
        return parse_email(value)
    try:
        known = context.datamap.identifier(kind)
    except KeyError:
        known = None
    if known is None or kind == SUBJECT_KEY:
        raise Invalid("identifier_unknown", "the data map has no such kind", field="identifier")
    if known.shared:
        raise Invalid("identifier_shared", "it belongs to several people", field="identifier")
    half = any("\ud800" <= one <= "\udfff" for one in value)  # half a character, which JSON can carry
    if half or not 0 < len(value) <= MAX_VALUE_CHARACTERS:
        raise Invalid("identifier_invalid", f"1 to {MAX_VALUE_CHARACTERS} characters", field="identifier")
    return value
