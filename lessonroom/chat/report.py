"""The report of ``chat evaluate --html``: curves, calibration and tables on one page that needs nothing else. Pure.

It holds figures only, never a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from lessonroom import paper
from lessonroom.chat.charts import STYLE, Chart, counts, odds, percent, rare
from lessonroom.chat.evaluate import Judged, Step, curve, wilson

BINS: Final = 20
"""Bars of the histogram."""
MOST_POINTS: Final = 300
"""Points of a curve; one with more is thinned."""
_CHOSEN: Final = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Thresholds of the table below the curves."""
_GROUPS: Final = {
    "lang": "By language",
    "kind": "By kind of contact",
    "difficulty": "By difficulty",
    "form": "Single messages and conversations",
}


def page(name: str, judged: Sequence[Judged], figures: Mapping[str, Any], *, threshold: float, model: str) -> str:
    """The page. ``figures``: of :func:`~lessonroom.chat.evaluate.report` on the same rows; ``model``: who judged."""
    whole = figures["all"]
    steps = curve(judged)
    charts = [
        _card("Precision and recall", _precision(steps, whole), "recall across, precision up"),
        _card("Recall by threshold", _recalls(steps, threshold), "share of contacts that are found"),
        _card("False alarms by threshold", _alarms(steps, threshold), "share of harmless messages that are stopped"),
        _card("Reliability", _reliability(figures["calibration"]["table"]), _brier(figures["calibration"])),
        _card("Scores", _histogram(judged), "messages by probability; every line is ten times as many", _LEGEND),
    ]
    tables = [paper.card(title, _table(figures[key])) for key, title in _GROUPS.items() if figures[key]]
    parts = (
        paper.head(name, f"{whole['rows']:,} labelled messages, judged by {escape(model)}"),
        paper.figures(_figures(whole, figures["calibration"])),
        f'<div class="charts">{"".join(charts)}</div>',
        paper.card("By threshold", _steps_table(steps, threshold)),
        *tables,
        paper.foot(_FOOT),
    )
    return paper.page(name, parts, STYLE)


def _card(title: str, drawing: str, words: str, more: str = "") -> str:
    return paper.card(title, f'{drawing}<p class="none">{words}</p>{more}')


_LEGEND: Final = paper.legend((("swatch-contacts", "contacts"), ("swatch-evidence", "harmless")))
_FOOT: Final = (
    "To hold a message counts as an alarm. Intervals are Wilson's, 95 %. The curves are of the probability alone; what "
    "the filter did, and the figures in the tables, also depend on which kinds are let through by setting."
)


def _figures(whole: Mapping[str, Any], calibration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _percent(whole["recall"]["share"]), "of contacts are found (recall)"
    yield _percent(whole["false_alarms"]["share"]), "of harmless messages are stopped (false alarms)"
    yield _percent(whole["precision"]), "of what is stopped is a contact (precision)"
    yield f"{whole['f1']:.3f}" if whole["f1"] is not None else "–", "F1"
    yield f"{calibration['brier']:.4f}" if calibration["brier"] is not None else "–", "Brier score"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


# --- drawings --------------------------------------------------------------------------------------------------------


def _precision(steps: Sequence[Step], whole: Mapping[str, Any]) -> str:
    chart = Chart("precision", "Precision against recall", percent("recall"), percent("precision"))
    known = [(step.recall, step.precision) for step in _thin(steps)]
    chart.line((recall, precision) for recall, precision in known if recall is not None and precision is not None)
    if whole["precision"] is not None and whole["recall"]["share"] is not None:
        words = f"here the filter works: recall {whole['recall']['share']:.2%}, precision {whole['precision']:.2%}"
        chart.mark(whole["recall"]["share"], whole["precision"], words)
    return chart.draw()


def _recalls(steps: Sequence[Step], threshold: float) -> str:
    chart = Chart("recall", "Recall by threshold", odds("threshold"), percent("recall"))
    chart.line((step.threshold, step.recall) for step in _thin(steps) if step.recall is not None)
    chart.threshold(threshold)
    return chart.draw()


def _alarms(steps: Sequence[Step], threshold: float) -> str:
    chart = Chart("alarms", "False alarms by threshold", odds("threshold"), rare("false alarms"))
    points = ((step.threshold, step.false_alarms) for step in _thin(steps))
    chart.line(((at, share) for at, share in points if share is not None), "line other")
    chart.threshold(threshold)
    return chart.draw()


def _reliability(rows: Sequence[Mapping[str, Any]]) -> str:
    chart = Chart(
        "reliability", "Share of contacts by probability", percent("probability that was told"), percent("contacts")
    )
    chart.line(((0.0, 0.0), (1.0, 1.0)), "even")
    for row in rows:
        low, high = wilson(round(row["contacts"] * row["rows"]), row["rows"])
        words = f"told {row['mean']:.1%}, were contacts {row['contacts']:.1%} of {row['rows']:,}"
        chart.measured(row["mean"], row["contacts"], low, high, words)
    return chart.draw()


def _brier(calibration: Mapping[str, Any]) -> str:
    return f"on the dotted line what is told is what is; Brier score {calibration['brier']}"


def _histogram(judged: Sequence[Judged]) -> str:
    found = {label: [0] * BINS for label in (0, 1)}
    for one in judged:
        found[one.row.label][min(int(one.probability * BINS), BINS - 1)] += 1
    most = max(*found[0], *found[1])
    chart = Chart("scores", "Messages by probability", percent("probability"), counts("messages", most))
    for number in range(BINS):
        for label, kind in ((0, "harmless"), (1, "contacts")):
            if count := found[label][number]:
                left = (number + 0.08 + 0.44 * label) / BINS
                words = f"{count:,} {kind} from {number / BINS:.2f} to {(number + 1) / BINS:.2f}"
                chart.bar(left, left + 0.4 / BINS, count, kind, words)
    return chart.draw()


def _thin(steps: Sequence[Step]) -> Sequence[Step]:
    """Some of the steps, the last one always."""
    every = -(-len(steps) // MOST_POINTS)
    return [*steps[::every], steps[-1]] if every > 1 else steps


# --- tables ----------------------------------------------------------------------------------------------------------


def _table(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each group; a column only where there is something to say."""
    columns = {"Recall": "recall", "False alarms": "false_alarms"}
    told = [head for head, key in columns.items() if any(part[key]["of"] for part in groups.values())]
    rows = (
        (escape(name), f"{part['rows']:,}", *(_share(part[columns[head]]) for head in told))
        for name, part in groups.items()
    )
    return paper.table(("", "Rows", *told), rows)


def _share(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return "–"
    return f"{share['share']:.2%} of {share['of']:,} &nbsp;[{share['low']:.2%}, {share['high']:.2%}]"


def _steps_table(steps: Sequence[Step], threshold: float) -> str:
    rows = []
    for at in sorted({*_CHOSEN, threshold}):
        step = next((step for step in steps if step.threshold >= at), None)
        cells = (step.recall, step.false_alarms, step.precision) if step is not None else (0.0, 0.0, None)
        told = f"{at:.3f}" + (" (set)" if at == threshold else "")
        rows.append((told, *map(_percent, cells)))
    return paper.table(("Threshold", "Recall", "False alarms", "Precision"), rows)
