"""A chart of counts by month, as SVG that is read aloud as well as seen. Nothing in it runs or loads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

_WIDTH, _HEIGHT = 960, 420
_LEFT, _TOP, _BOTTOM, _RIGHT = 64, 56, 88, 16
_COLOURS = ("#0b3c5d", "#d9822b", "#3a7d44", "#a23b72", "#6c757d", "#8d6a00", "#5f4bb6")
_TICKS = 4
_ROUND = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a chart: title, what the columns count, and the name of the first column."""

    title: str
    unit: str
    overdue: str
    nothing: str


ENGLISH = Words(
    title="What falls due in the next 24 months, by rule",
    unit="records",
    overdue="due",
    nothing="Nothing falls due.",
)
DANISH = Words(
    title="Hvad der skal slettes i de næste 24 måneder, efter regel",
    unit="registreringer",
    overdue="nu",
    nothing="Intet skal slettes.",
)


def chart(
    months: Sequence[date],
    by_rule: Mapping[str, Sequence[int]],
    overdue: Mapping[str, int],
    *,
    language: str = "en",
) -> str:
    """Return a whole SVG document: a stacked column for what is due already and one for each month.

    `by_rule`: a count for each month. Counts below nothing are taken for nothing. Equal counts give an equal
    chart. `title` and `desc` say in words what the columns show.
    """
    words = DANISH if language == "da" else ENGLISH
    rules = sorted({*by_rule, *overdue})
    names = [words.overdue, *(f"{month:%Y-%m}" for month in months)]
    columns = [[max(overdue.get(rule, 0), 0) for rule in rules]]
    columns += [
        [max(_at(by_rule.get(rule, ()), number), 0) for rule in rules] for number in range(len(months))
    ]
    top = _round_up(max((sum(column) for column in columns), default=0))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-labelledby="chart-title chart-desc" lang="{"da" if language == "da" else "en"}" '
            'font-family="sans-serif" font-size="12">'
        ),
        f'<title id="chart-title">{escape(words.title)}</title>',
        f'<desc id="chart-desc">{escape(_described(names, columns, rules, words))}</desc>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" font-size="15" font-weight="bold">{escape(words.title)}</text>',
        *_legend(rules),
        *_scale(top, words),
        *_columns(names, columns, top),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _at(counts: Sequence[int], number: int) -> int:
    return counts[number] if number < len(counts) else 0


def _round_up(highest: int) -> int:
    """Return a round number that is not below the highest column, and a multiple of the ticks."""
    size = 1
    while True:
        for step in _ROUND:
            top = step * size * _TICKS
            if top >= highest and top == int(top):
                return int(top)
        size *= 10


def _described(
    names: Sequence[str], columns: Sequence[Sequence[int]], rules: Sequence[str], words: Words
) -> str:
    said = [
        f"{name}: " + ", ".join(f"{rule} {count}" for rule, count in zip(rules, column, strict=True) if count)
        for name, column in zip(names, columns, strict=True)
        if any(column)
    ]
    return f"{words.unit}. {'; '.join(said)}." if said else words.nothing


def _legend(rules: Sequence[str]) -> list[str]:
    found = []
    for number, rule in enumerate(rules):
        x = _LEFT + number * 100
        found.append(f'<rect x="{x}" y="30" width="12" height="12" fill="{_colour(number)}"/>')
        found.append(f'<text x="{x + 18}" y="40">{escape(rule)}</text>')
    return found


def _scale(top: int, words: Words) -> list[str]:
    found = [f'<text x="8" y="{_TOP - 4}">{escape(words.unit)}</text>']
    for number in range(_TICKS + 1):
        value = top * number // _TICKS
        y = _y(value, top)
        found.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#d0d0d0"/>'
        )
        found.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    return found


def _columns(names: Sequence[str], columns: Sequence[Sequence[int]], top: int) -> list[str]:
    found = []
    step = (_WIDTH - _LEFT - _RIGHT) / len(columns)
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        x = _LEFT + place * step
        below = 0
        for number, count in enumerate(column):
            if count:
                y, height = _y(below + count, top), _y(below, top) - _y(below + count, top)
                found.append(
                    f'<rect x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" '
                    f'height="{height:.1f}" fill="{_colour(number)}"/>'
                )
                below += count
        middle = x + step / 2
        if below:
            found.append(
                f'<text x="{middle:.1f}" y="{_y(below, top) - 4:.1f}" text-anchor="middle" '
                f'font-size="10">{below}</text>'
            )
        y = _HEIGHT - _BOTTOM + 14
        found.append(
            f'<text x="{middle:.1f}" y="{y}" text-anchor="end" '
            f'transform="rotate(-60 {middle:.1f} {y})">{escape(name)}</text>'
        )
    return found


def _y(value: int, top: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / top


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
