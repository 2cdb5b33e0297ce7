"""The commands, one for each door of the operations API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One value. In the path, else in the body, or in the query of a GET.

    Attributes:
        name: As the API spells it.
        help: For the usage text.
        kind: How it is given and sent.
        is_required: Whether the command asks for it.
        in_path: Whether it is part of the path.
    """

    name: str
    help: str
    kind: Literal["text", "number", "list", "yes"] = "text"
    is_required: bool = True
    in_path: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One command: the method and path of its door, below `/api/operations/`."""

    method: Literal["GET", "POST"]
    path: str
    summary: str
    arguments: tuple[Argument, ...] = ()


_CASE = Argument(name="request_id", help="id of the case", in_path=True)
_REASON = Argument(name="reason", help="why; kept with the decision")
_PROVISION = Argument(name="provision", help="by which provision, such as 'GDPR article 12(5)'")
_PURPOSE = Argument(name="purpose", help="what it is looked up for; shown to the person")
_EMAIL = Argument(name="email", help="the person's address")


def _optional(name: str, text: str, kind: Literal["text", "number", "list", "yes"] = "text") -> Argument:
    return Argument(name=name, help=text, kind=kind, is_required=False)


OPERATIONS = {
    "list": Operation(
        method="GET",
        path="cases",
        summary="list cases, the most urgent first",
        arguments=(
            _optional("state", "only in this state"),
            _optional("cursor", "where the page before ended"),
        ),
    ),
    "show": Operation(
        method="GET",
        path="cases/{request_id}",
        summary="show a case with its plan and what happened; the look is logged",
        arguments=(_CASE, _PURPOSE),
    ),
    "approve": Operation(
        method="POST",
        path="cases/{request_id}/approval",
        summary="let exactly this plan run",
        arguments=(
            _CASE,
            Argument(name="plan_digest", help="digest of the plan as shown"),
            _optional("reason", "why; kept with the decision"),
            _optional("provision", "by which provision"),
        ),
    ),
    "refuse": Operation(
        method="POST",
        path="cases/{request_id}/refusal",
        summary="refuse with a reason and a provision, by letter",
        arguments=(_CASE, _REASON, _PROVISION),
    ),
    "extend": Operation(
        method="POST",
        path="cases/{request_id}/extension",
        summary="take one or two months more, by letter with the reasons",
        arguments=(_CASE, Argument(name="months", help="1 or 2", kind="number"), _REASON),
    ),
    "ask": Operation(
        method="POST",
        path="cases/{request_id}/question",
        summary="ask the person one question by letter",
        arguments=(
            _CASE,
            Argument(name="kind", help="identity or clarification"),
            Argument(name="text", help="the question, in the person's language"),
        ),
    ),
    "lift": Operation(
        method="POST",
        path="cases/{request_id}/lifting",
        summary="announce that a restriction ends, by letter, and end it then",
        arguments=(_CASE, _REASON),
    ),
    "retry": Operation(
        method="POST",
        path="cases/{request_id}/retry",
        summary="take up a case that was stopped",
        arguments=(_CASE,),
    ),
    "holds": Operation(
        method="GET",
        path="holds",
        summary="list legal holds, the next review first",
        arguments=(_optional("cursor", "where the page before ended"),),
    ),
    "hold": Operation(
        method="POST",
        path="holds",
        summary="place a legal hold on a person",
        arguments=(
            _EMAIL,
            Argument(name="ground", help="legal_claim, criminal_report, authority_order, …"),
            _REASON,
            Argument(name="review_on", help="the day it is looked at again, such as 2027-01-31"),
            _optional("activity_id", "only data of this activity"),
        ),
    ),
    "release": Operation(
        method="POST",
        path="holds/{hold_id}/release",
        summary="release a hold and take up what it deferred",
        arguments=(Argument(name="hold_id", help="id of the hold", in_path=True),),
    ),
    "redrive": Operation(
        method="POST",
        path="poison/redrive",
        summary="send messages that failed for good once more",
        arguments=(Argument(name="queue", help="name of the queue they came from"),),
    ),
    "pause": Operation(
        method="POST", path="pause", summary="stop all erasing, everywhere", arguments=(_REASON,)
    ),
    "resume": Operation(method="POST", path="resume", summary="let erasing go on"),
    "enter": Operation(
        method="POST",
        path="requests",
        summary="enter a request that came by post, phone or mail",
        arguments=(
            _EMAIL,
            Argument(name="rights", help="a right it asks for", kind="list"),
            Argument(name="channel", help="post, phone or mail"),
            Argument(name="received_on", help="the day it was received, such as 2026-11-02"),
            _optional("language", "en or da"),
            _optional("is_known", "whether the person's identity is certain", "yes"),
        ),
    ),
    "forecast": Operation(
        method="GET", path="forecast", summary="show which cases will be late at the present pace"
    ),
}
