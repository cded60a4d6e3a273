"""The corpus, its splits by family, the generator, the figures."""

from __future__ import annotations

import json
from random import Random

import pytest

from lessonroom.chat.dataset import FOREIGN, PARTS, Row, corpus, folds, part_of, split
from lessonroom.chat.evaluate import Judged, measure, report, wilson
from lessonroom.chat.generator import TEMPLATES, fill, generate
from lessonroom.chat.payloads import PAYLOADS
from lessonroom.chat.types import Kind


def test_every_language_has_both_classes_and_every_difficulty() -> None:
    rows = corpus()
    for lang in ("ru", "uk", "en"):
        for label in (0, 1):
            mine = [row for row in rows if row.lang == lang and row.label == label and not row.context]
            assert len(mine) >= 150
            assert {row.difficulty for row in mine} == {"easy", "medium", "hard"}


def test_contacts_name_their_kind_and_every_row_its_family() -> None:
    kinds = {kind.value for kind in Kind}
    for row in corpus():
        assert row.family
        assert row.text.strip()
        assert row.kind in kinds or row.label == 0


def test_no_message_is_in_the_corpus_twice_with_different_labels() -> None:
    seen: dict[str, int] = {}
    for row in corpus():
        if not row.context:
            assert seen.setdefault(row.text.lower(), row.label) == row.label


def test_a_family_is_never_on_two_sides_of_a_split() -> None:
    parts = split(corpus())
    families = [{row.family for row in parts[part]} for part, _ in PARTS]
    assert all(families)
    assert sum(map(len, families)) == len(set().union(*families))
    assert part_of("phone-plain") == part_of("phone-plain")


def test_folds_hold_every_row_once_and_families_whole() -> None:
    rows = corpus()
    parts = folds(rows, 5)
    assert sorted(i for part in parts for i in part) == list(range(len(rows)))
    families = [{rows[i].family for i in part} for part in parts]
    assert sum(map(len, families)) == len(set().union(*families))


def test_rows_of_other_people_are_dealt_out_one_by_one_and_the_same_text_always_together() -> None:
    """They are one family by name only: whole, it would make one fold of everything that people really wrote."""
    rows = [Row(f"line {number % 500}", 0, family=FOREIGN + "chat") for number in range(1000)]
    parts = folds(rows, 10)
    assert sorted(i for part in parts for i in part) == list(range(1000))
    assert min(map(len, parts)) > 50
    texts = [{rows[i].text for i in part} for part in parts]
    assert sum(map(len, texts)) == 500


def test_the_generator_repeats_itself_for_the_same_seed() -> None:
    assert list(generate(2, seed=3)) == list(generate(2, seed=3))
    assert list(generate(2, seed=3)) != list(generate(2, seed=4))


def test_every_template_can_be_filled() -> None:
    for line in TEMPLATES.read_text(encoding="utf-8").splitlines():
        family = json.loads(line)
        for template in family["templates"]:
            assert "{" not in fill(template, Random(1), family["lang"])


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("lang", ["ru", "uk", "en"])
def test_every_payload_makes_text_in_every_language(name: str, lang: str) -> None:
    assert all(PAYLOADS[name](Random(seed), lang).strip() for seed in range(30))


def test_wilsons_interval_is_the_published_one() -> None:
    """10 of 20: 0.299 to 0.701 (Newcombe 1998, method 3)."""
    low, high = wilson(10, 20)
    assert (round(low, 3), round(high, 3)) == (0.299, 0.701)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_matrix_counts_alarms() -> None:
    rows = [(1, True), (1, False), (0, True), (0, False), (0, False)]
    figures = measure([Judged(Row("x", label), alarm, float(alarm)) for label, alarm in rows])
    assert figures["matrix"] == {"tp": 1, "fn": 1, "fp": 1, "tn": 2}
    assert figures["precision"] == 0.5
    assert figures["false_alarms"]["of"] == 3


def test_a_report_of_a_perfect_filter_has_a_brier_score_of_zero() -> None:
    figures = report([Judged(Row("x", 1, "phone", "ru", "easy"), True, 1.0), Judged(Row("y", 0, "", "ru"), False, 0.0)])
    assert figures["calibration"]["brier"] == 0
    assert figures["kind"] == {"phone": measure([Judged(Row("x", 1, "phone"), True, 1.0)])}
