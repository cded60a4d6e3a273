"""The page of ``chat evaluate --html``, and the curves on it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from random import Random

import pytest

from lessonroom.chat.charts import Chart, counts, odds, percent, rare
from lessonroom.chat.dataset import Row
from lessonroom.chat.evaluate import Judged, Step, curve, report
from lessonroom.chat.report import MOST_POINTS, page
from lessonroom.chat.types import Line

SECRET = "мой телефон 8 905 123-45-67"


def judged(count: int = 400) -> list[Judged]:
    """Contacts mostly high, harmless mostly low, in two languages; some are conversations."""
    random = Random(1)
    out = []
    for number in range(count):
        label = number % 2
        probability = min(max(random.gauss(0.8 if label else 0.2, 0.25), 0.0), 1.0)
        context = (Line("a", SECRET),) if number % 5 == 0 else ()
        row = Row(SECRET, label, "phone", "ru" if number % 3 else "uk", "easy", "x", "a", context)
        out.append(Judged(row, probability >= 0.9, probability))
    return out


def told(rows: list[Judged]) -> str:
    return page("a & <b>.jsonl", rows, report(rows), threshold=10 / 11, model="<1.0>")


def pictures(text: str) -> list[ET.Element]:
    return [ET.fromstring(found) for found in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def test_it_needs_nothing_from_anywhere() -> None:
    text = told(judged()).replace("<!doctype html>", "")
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img|src=", text)


def test_no_message_stands_on_it() -> None:
    assert SECRET not in told(judged())
    assert "905" not in re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", told(judged()), flags=re.DOTALL)


def test_names_are_text_and_not_markup() -> None:
    text = told(judged())
    assert "a &amp; &lt;b&gt;.jsonl" in text
    assert "&lt;1.0&gt;" in text
    assert "<1.0>" not in text


def test_every_drawing_is_well_formed_and_has_a_title_of_its_own() -> None:
    found = pictures(told(judged()))
    titles = [root.find("title") for root in found]
    assert len(found) == 5
    assert len({title.get("id") for title in titles if title is not None}) == 5
    assert [root.get("aria-labelledby") for root in found] == [t.get("id") for t in titles if t is not None]


def test_everything_drawn_is_inside_its_picture() -> None:
    for root in pictures(told(judged())):
        width, height = map(float, str(root.get("viewBox")).split()[2:])
        for name, most in (("x", width), ("x1", width), ("cx", width), ("y", height), ("y2", height), ("cy", height)):
            assert all(0 <= float(each.get(name, 0)) <= most for each in root.iter())


def test_there_is_a_table_for_every_group_that_the_file_has_and_none_for_others() -> None:
    rows = judged()
    assert re.findall(r"<h2>(By \w+.*?)</h2>", told(rows)) == [
        "By threshold", "By language", "By kind of contact", "By difficulty",
    ]  # fmt: skip
    bare = [Judged(Row(SECRET, j.row.label), j.alarm, j.probability) for j in rows]
    assert re.findall(r"<h2>(By \w+.*?)</h2>", told(bare)) == ["By threshold"]


@pytest.mark.parametrize("label", [0, 1])
def test_a_file_with_one_class_only_is_told_without_the_figures_that_it_lacks(label: int) -> None:
    rows = [j for j in judged() if j.row.label == label]
    assert "–" in told(rows)
    assert len(pictures(told(rows))) == 5


def test_a_large_file_is_a_small_page() -> None:
    rows = judged(10_000)
    assert len(curve(rows)) > 10 * MOST_POINTS
    assert len(told(rows)) < 120_000


def test_the_curve_counts_everything_from_each_threshold_on() -> None:
    rows = [Judged(Row("", label), alarm=False, probability=p) for p, label in ((0.1, 0), (0.5, 1), (0.5, 0), (0.9, 1))]
    assert curve(rows) == [Step(0.1, 0.5, 1.0, 1.0), Step(0.5, 2 / 3, 1.0, 0.5), Step(0.9, 1.0, 0.5, 0.0)]


def test_the_curve_agrees_with_the_figures_at_the_threshold() -> None:
    rows = judged()
    step = next(step for step in curve(rows) if step.threshold >= 0.9)
    whole = report(rows)["all"]
    assert step.recall == pytest.approx(whole["recall"]["share"], abs=1e-5)
    assert step.false_alarms == pytest.approx(whole["false_alarms"]["share"], abs=1e-5)
    assert step.precision == pytest.approx(whole["precision"], abs=1e-5)


def test_the_curve_of_nothing_is_empty() -> None:
    assert curve([]) == []


@pytest.mark.parametrize("scale", [percent("a"), odds("a"), rare("a"), counts("a", 12_345)])
def test_a_scale_rises_and_keeps_its_ticks_inside(scale: object) -> None:
    places = [scale.place(tick) for tick, _ in scale.ticks]  # type: ignore[attr-defined]
    assert places == sorted(places)
    assert -1e-9 <= places[0] < places[-1] <= 1 + 1e-3


def test_what_lies_outside_is_drawn_on_the_edge() -> None:
    chart = Chart("a", "b", percent("x"), percent("y"))
    assert (chart.x(-1), chart.x(2)) == (chart.x(0), chart.x(1))
    assert (chart.y(-1), chart.y(2)) == (chart.y(0), chart.y(1))
