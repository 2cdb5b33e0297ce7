"""Let another system of ours hand a person's data to a recipient, and write down that it did.

One call, right before the data leaves: it asks what forbids it, and what is let go stands in the ledger
before the caller hears so. A row may thus name a sending that its caller never made; no sending goes without
a row.
Source: policy 2.2.1, 3.1, 3.2; GDPR articles 5(2), 15(1)(c), 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.datamap.handing_on import decide_handing_on, known_recipient, operation_of, refused
from shared.datamap.processing import ProcessingDecision, known_purpose, with_marks_of
from shared.domain.errors import Invalid
from shared.domain.identifiers import Identifiers
from shared.domain.times import utc_text
from shared.services import enforcing
from shared.services.context import Context
from shared.services.enforcing import Question

_SAME = ("recipient", "purpose", "fields", "reference")


@dataclass(frozen=True, kw_only=True)
class Handing:
    """One sending about one person, without the identifiers it was told with.

    `handing_id`: the caller's own, which makes a second call the same one. `fields`: paths of the data map.
    """

    handing_id: str
    question: Question
    recipient_id: str
    purpose_id: str
    fields: tuple[str, ...]
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class HandingDecision:
    """Whether it may leave, and why. `is_noted`: it stands in the ledger."""

    decision: ProcessingDecision
    is_noted: bool


def handing(
    context: Context,
    identifiers: Identifiers,
    *,
    handing_id: str,
    recipient_id: str,
    purpose_id: str,
    fields: Sequence[str],
    reference: str | None,
) -> Handing:
    """Check one sending and turn its identifiers into pseudonyms.

    Raises:
        Invalid: `recipient_unknown`; `field_not_mapped`: a field that the purpose's activity has not; or as
            `enforcing.question` says.
    """
    known_recipient(context.datamap, recipient_id)
    activity, _ = known_purpose(context.datamap, purpose_id)
    paths = {field.path for store in activity.stores for field in store.fields}
    if not paths.issuperset(fields):
        raise Invalid("field_not_mapped", "name fields by their path in the data map", field="fields")
    operation = operation_of(context.datamap, recipient_id, purpose_id)
    return Handing(
        handing_id=handing_id,
        question=enforcing.question(context, identifiers, purpose_id, operation),
        recipient_id=recipient_id,
        purpose_id=purpose_id,
        fields=tuple(sorted(set(fields))),
        reference=reference,
    )


async def hand_on(context: Context, handings: Sequence[Handing]) -> tuple[HandingDecision, ...]:
    """Decide each sending in its order and note those that are let go, before this returns.

    What is let go is decided a second time when its row stands: whoever restricts the data meanwhile either
    finds the row, and the recipient is told, or is found here, and nothing leaves. A second call with the
    same id decides anew and changes no row. An id that stands for another sending is denied.

    Raises:
        Retryable: controls or ledger do not answer: send nothing, and ask again with the same ids.
        CannotTell: they could not be understood: send nothing.
    """
    found = [
        HandingDecision(decision=decision, is_noted=False) for decision in await _decided(context, handings)
    ]
    for place, one in enumerate(handings):
        if found[place].decision.allowed:
            found[place] = await _noted(context, one, found[place].decision)
    noted = [place for place, one in enumerate(found) if one.is_noted]
    again = await _decided(context, [handings[place] for place in noted])
    for place, decision in zip(noted, again, strict=True):
        found[place] = HandingDecision(decision=decision, is_noted=True)
    return tuple(found)


async def _decided(context: Context, handings: Sequence[Handing]) -> list[ProcessingDecision]:
    """Return a decision for each, with one read of the controls for all."""
    keys = tuple(dict.fromkeys(key for one in handings for key in one.question.subject_keys))
    read = await context.controls.read(keys) if keys else ()
    controls = {key: stored.controls for key, stored in zip(keys, read, strict=True)}
    now = context.clock.now()
    decisions = []
    for one in handings:
        everything = [controls[key] for key in one.question.subject_keys]
        each = [
            decide_handing_on(
                context.datamap,
                with_marks_of(controls[key], everything),
                one.recipient_id,
                one.purpose_id,
                now=now,
            )
            for key in one.question.consenting_keys
        ]
        decisions.append(next((decided for decided in each if not decided.allowed), each[0]))
    return decisions


async def _noted(context: Context, one: Handing, allowed: ProcessingDecision) -> HandingDecision:
    """Write the row under each pseudonym of the person, unless another one stands under this id."""
    row: dict[str, Any] = {
        "id": f"given-{one.handing_id}",
        "recipient": one.recipient_id,
        "purpose": one.purpose_id,
        "fields": list(one.fields),
        "reference": one.reference,
        "disclosed_at": utc_text(context.clock.now()),
        "clause": allowed.clause,
    }
    for key in one.question.subject_keys:
        stands = await context.own_records.add("disclosures", {**row, "subject_key": key})
        if any(stands.get(name) != row[name] for name in _SAME):
            used = refused(known_recipient(context.datamap, one.recipient_id), "id_used")
            return HandingDecision(decision=used, is_noted=False)
    return HandingDecision(decision=allowed, is_noted=True)
