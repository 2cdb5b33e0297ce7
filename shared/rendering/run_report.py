"""The record of a run of scheduled deletion, to be read: counts, reasons and days, and nobody's data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace

from markupsafe import Markup

from shared.datamap.models import DataMap
from shared.domain.retention_runs import Doubt, Run
from shared.rendering.chart import chart
from shared.rendering.dates import day_text, moment_text
from shared.rendering.templating import content_security_policy, render_page
from shared.rendering.words import words

_STYLES = ("base", "report")
_MINUTE, _HOUR = 60, 3_600

Row = tuple[str, str, int]
"""A name, a note beside it, and a number."""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What falls due in the months ahead, as `chart` takes it, counted at a moment."""

    counted_at: datetime
    months: Sequence[date]
    by_rule: Mapping[str, Sequence[int]]
    overdue: Mapping[str, int]


def run_report(datamap: DataMap, run: Run, ahead: Ahead, *, language: str) -> str:
    """Return the page of one run, with the chart of the months ahead. It names no person and no record."""
    w = words(language)
    content = {
        "day": day_text(run.day, language),
        "is_done": run.is_done,
        "facts": list(_facts(run, w, language)),
        "by_rule": [
            (f"{one.id} · {one.title.in_language(language)}", one.clause, run.by_rule.get(one.id, 0))
            for one in datamap.policy.retention_rules
        ],
        "erased": _erased(datamap, run, language),
        "kept": [
            (getattr(w, f"run_kept_{reason}", reason), "", number)
            for reason, number in sorted(run.kept.items())
        ],
        "doubts": [(getattr(w, f"run_doubt_{one}"), "", getattr(run, one)) for one in Doubt],
        "has_doubts": any(getattr(run, one) for one in Doubt),
        "drawn_at": moment_text(ahead.counted_at, language),
        "chart": Markup(  # noqa: S704 - our own drawing, every text of which is escaped there
            chart(ahead.months, ahead.by_rule, ahead.overdue, language=language)
        ),
    }
    return render_page("run_report.html.j2", {"w": w, "c": content}, language=language, styles=_STYLES)


def run_report_headers() -> dict[str, str]:
    """Return the headers the page is sent with; they repeat and widen what it says in its head."""
    return {
        "Content-Security-Policy": f"{content_security_policy(*_STYLES)}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _facts(run: Run, w: SimpleNamespace, language: str) -> Iterator[tuple[str, str]]:
    yield w.run_began, moment_text(run.started_at, language)
    if run.ended_at is not None:
        yield w.run_ended, moment_text(run.ended_at, language)
        yield w.run_took, _duration((run.ended_at - run.started_at).total_seconds())
    yield w.run_looked_at, str(run.seen)
    yield w.run_filed, str(run.filed)
    yield w.run_request_units, f"{run.request_units:.2f}"
    oldest = run.oldest_overdue_on
    if oldest is None:
        yield w.run_oldest, w.run_oldest_none
    else:
        yield (
            w.run_oldest,
            w.run_oldest_on.format(day=day_text(oldest, language), days=(run.day - oldest).days),
        )


def _erased(datamap: DataMap, run: Run, language: str) -> list[Row]:
    titles = {store.id: store.title.in_language(language) for _, store in datamap.stores()}
    return [(titles.get(name, name), "", number) for name, number in sorted(run.erased.items())]


def _duration(seconds: float) -> str:
    """Return `1:02:03`: hours, minutes, seconds."""
    whole = round(seconds)
    return f"{whole // _HOUR}:{whole % _HOUR // _MINUTE:02}:{whole % _MINUTE:02}"
