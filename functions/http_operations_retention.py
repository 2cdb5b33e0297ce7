"""Doors for staff: what scheduled deletion would do, what it did, and who has yet to see the policy."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import azure.functions as func

from functions._bodies import query
from functions._door import PAGE, Given, door
from functions._http import language_of, shown
from functions._retention_bodies import (
    DecidedLine,
    DoubtLine,
    DoubtsAnswer,
    DoubtsQuery,
    OwnDataLine,
    PreviewAnswer,
    PreviewQuery,
    RuleLine,
    RunLine,
    RunsAnswer,
    UndecidedLine,
    UnseenAnswer,
    UnseenLine,
    UnseenQuery,
)
from functions._staff import staff
from shared import bootstrap
from shared.datamap.models import DataMap
from shared.datamap.own_data import period_of
from shared.domain.errors import NotFound
from shared.domain.retention_runs import Run
from shared.domain.staff import Permission
from shared.rendering.chart import chart
from shared.rendering.run_report import Ahead, run_report, run_report_headers
from shared.services import looking_ahead, policy_display, previewing, retention_doubts
from shared.services.context import Context

operations_retention = func.Blueprint()

_READS = (400, 401, 403)
_SVG = "image/svg+xml"
_MOST_RUNS = 60


@door(
    operations_retention,
    "operations_retention_preview",
    "GET",
    "operations/retention/preview",
    Given(answers={200: PreviewAnswer}, query=PreviewQuery, problems=_READS, guard="staff"),
)
async def preview(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what scheduled deletion would erase by a day, and what is in the way. Nothing is changed."""
    await staff(req, Permission.PREVIEW)
    asked = query(req, PreviewQuery)
    app, language = bootstrap.app(), language_of(req)
    context = app.context
    found = await previewing.preview(context, asked.as_of, most=asked.most)
    lines = []
    for rule_id, one in found.rules.items():
        rule = context.datamap.rule(rule_id)
        lines.append(RuleLine(clause=rule.clause, title=rule.title.in_language(language), **vars(one)))
    undecided = tuple(
        UndecidedLine(
            activity_id=activity_id, title=context.datamap.activity(activity_id).title.in_language(language)
        )
        for activity_id in found.undecided
    )
    decided = tuple(_decided(context.datamap, language))
    own_data = tuple(
        OwnDataLine(
            id=one.id,
            title=one.title.in_language(language),
            kept=period_of(one, app.settings.days()),
            required=one.required,
        )
        for one in context.datamap.own_data
    )
    parts = {"rules": tuple(lines), "undecided": undecided, "decided": decided, "own_data": own_data}
    return shown(PreviewAnswer(**{**vars(found), **parts}))


def _decided(datamap: DataMap, language: str) -> Iterator[DecidedLine]:
    for rule in datamap.policy.retention_rules:
        for one in rule.decisions:
            yield DecidedLine(
                activity_id=one.activity,
                title=datamap.activity(one.activity).title.in_language(language),
                rule_id=rule.id,
                counts_from=one.trigger,
                **one.model_dump(exclude={"activity", "trigger"}),
            )


@door(
    operations_retention,
    "operations_retention_chart",
    "GET",
    "operations/retention/chart.svg",
    Given(answers={200: _SVG}, problems=(401, 403), guard="staff"),
)
async def outlook(req: func.HttpRequest) -> func.HttpResponse:
    """Draw what falls due in the next 24 months, by rule."""
    await staff(req, Permission.PREVIEW)
    found = await looking_ahead.outlook(bootstrap.app().context)
    drawn = chart(found.months, found.by_rule, found.overdue, language=language_of(req))
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return func.HttpResponse(drawn, mimetype=_SVG, charset="utf-8", headers=headers)


@door(
    operations_retention,
    "operations_retention_runs",
    "GET",
    "operations/retention/runs",
    Given(answers={200: RunsAnswer}, problems=(401, 403), guard="staff"),
)
async def runs(req: func.HttpRequest) -> func.HttpResponse:
    """List the last runs of scheduled deletion and what they came to."""
    await staff(req, Permission.PREVIEW)
    context = bootstrap.app().context
    past = await context.retention_runs.past(limit=_MOST_RUNS)
    names = set(RunLine.model_fields) - {"looked_at", "report_url"}
    lines = tuple(
        RunLine(
            looked_at=one.seen,
            report_url=f"{context.public_url}/operations/retention/runs/{one.day.isoformat()}",
            **one.model_dump(include=names),
        )
        for one in past
    )
    return shown(RunsAnswer(runs=lines))


@door(
    operations_retention,
    "operations_retention_report",
    "GET",
    "operations/retention/runs/{day:length(10)}",
    Given(answers={200: PAGE}, problems=(401, 403), codes=("run_unknown",), guard="staff"),
)
async def report(req: func.HttpRequest) -> func.HttpResponse:
    """Show the run of a day as a page: what went by each rule, what was kept and why, and what lies ahead."""
    await staff(req, Permission.PREVIEW)
    context, language = bootstrap.app().context, language_of(req)
    run = await _run_of(context, req.route_params["day"])
    found = await looking_ahead.outlook(context)
    ahead = Ahead(
        counted_at=context.clock.now(), months=found.months, by_rule=found.by_rule, overdue=found.overdue
    )
    html = run_report(context.datamap, run, ahead, language=language)
    return func.HttpResponse(html, mimetype=PAGE, charset="utf-8", headers=run_report_headers())


async def _run_of(context: Context, day: str) -> Run:
    with suppress(ValueError):
        if (found := await context.retention_runs.of_day(date.fromisoformat(day))) is not None:
            return found
    raise NotFound("run_unknown")


@door(
    operations_retention,
    "operations_retention_doubts",
    "GET",
    "operations/retention/doubts",
    Given(answers={200: DoubtsAnswer}, query=DoubtsQuery, problems=_READS, guard="staff"),
)
async def doubts(req: func.HttpRequest) -> func.HttpResponse:
    """List the records that scheduled deletion can neither delete nor let be, until somebody repairs them."""
    await staff(req, Permission.LIST)
    asked = query(req, DoubtsQuery)
    found = await retention_doubts.doubts(bootstrap.app().context, after=asked.cursor, limit=asked.limit)
    lines = tuple(DoubtLine(**vars(one)) for one in found.found)
    return shown(DoubtsAnswer(doubts=lines, cursor=found.cursor))


@door(
    operations_retention,
    "operations_policy_unseen",
    "GET",
    "operations/policy/unseen",
    Given(answers={200: UnseenAnswer}, query=UnseenQuery, problems=(*_READS, 404), guard="staff"),
)
async def unseen(req: func.HttpRequest) -> func.HttpResponse:
    """Tell to how many the current policy was shown, and list who saw an earlier version and not this one."""
    await staff(req, Permission.LIST)
    asked = query(req, UnseenQuery)
    found = await policy_display.unseen(
        bootstrap.app().context, language=asked.language, after=asked.cursor, limit=asked.limit
    )
    return shown(
        UnseenAnswer(
            number=found.version.number,
            language=found.version.language,
            shown=dict(found.shown),
            unseen=tuple(UnseenLine(**vars(one)) for one in found.people),
            cursor=found.cursor,
        )
    )
