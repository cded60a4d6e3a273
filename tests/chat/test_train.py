"""Training on a slice: what is learned, what a margin becomes, and that nothing is measured on what was learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lessonroom.chat import train
from lessonroom.chat.calibration import MOST_LEAN, calibrate, calibrate_for, lean_of
from lessonroom.chat.classifier import ARRAYS, CLASSES, Arrays, NetworkClassifier, from_bytes, log_odds, to_bytes
from lessonroom.chat.dataset import FOREIGN, Row, corpus, folds
from lessonroom.chat.features import DAMPING, GROUPS, NAMES
from lessonroom.chat.network import Recipe, class_of, fit, margins
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import MAX_LENGTH, evidence, look
from lessonroom.chat.surroundings import in_talk
from lessonroom.chat.table import Table, tabulate
from lessonroom.chat.train import (
    CONVERSATION_WEIGHT,
    FOREIGN_WEIGHT,
    HARMLESS_WEIGHT,
    IN_TALK_WEIGHT,
    MADE_UP_WEIGHT,
    held_out_margins,
    sets_of,
    weights_of,
)
from lessonroom.chat.types import Kind, Line

POLICY = ChatPolicy()
SMALL = Recipe(least_steps=12, rate=0.04)
"""Enough for a slice. As wide as the model that serves, whose arrays have fixed shapes."""
NARROW = replace(SMALL, units=4)
"""For what holds at any width: a pass costs as much as a network is wide."""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """A slice of the corpus with both classes and some conversations: never all of it."""
    everything = corpus()
    return [*everything[::300], *[row for row in everything if row.context][::120]]


def counted(table: Table) -> np.ndarray:
    """Weights where every row was written for the corpus."""
    return weights_of(table, sets_of(table.rows, len(table.rows), len(table.rows), 0))


@pytest.fixture(scope="module")
def table(rows: list[Row]) -> Table:
    return tabulate(rows, POLICY)


@pytest.fixture(scope="module")
def arrays(table: Table) -> Arrays:
    """A network over all of the slice, for tests that only read it."""
    return fit(table, np.ones(len(table.rows), bool), SMALL, counted(table))


def test_a_table_has_the_evidence_of_every_row(rows: list[Row], table: Table) -> None:
    seen = evidence(look(rows[0].text, POLICY))
    assert table.dense.shape == (len(rows), len(NAMES))
    assert (table.dense[0] == seen.dense).all()
    for group, buckets, damping in zip(table.grams, seen.grams, DAMPING, strict=True):
        assert group.shape[0] == len(rows)
        assert set(group[0].indices) == set(buckets)
        assert group[0].data == pytest.approx(1 / math.sqrt(len(buckets) + damping))


def test_a_row_that_is_too_long_to_be_read_has_no_evidence() -> None:
    table = tabulate([Row("a" * (MAX_LENGTH + 1), 0), Row("мой тел 8 905 123 45 67", 1)], POLICY)
    assert not table.dense[0].any()
    assert all(not group[0].nnz for group in table.grams)
    assert table.dense[1].any()


def test_training_learns_to_tell_the_classes_apart(table: Table, arrays: Arrays) -> None:
    line = margins(table, arrays)
    assert line[table.labels == 1].mean() > line[table.labels == 0].mean() + 2


def test_a_family_that_was_held_out_gets_the_margin_of_a_model_that_never_saw_it(table: Table) -> None:
    weights = counted(table)
    part = folds(table.rows, 2)[1]
    others = np.ones(len(table.rows), bool)
    others[part] = False
    held_out = held_out_margins(table, NARROW, weights, 2)
    assert held_out[part] == pytest.approx(margins(table, fit(table, others, NARROW, weights))[part], abs=1e-3)


def test_the_model_that_serves_gives_the_margins_that_training_saw(
    rows: list[Row], table: Table, arrays: Arrays
) -> None:
    """One sum in two places, sparse and by lookup: they must be the same, or the calibration is of another model."""
    arrays = arrays | {key: np.zeros(ARRAYS[key], np.float32) for key in ("knots", "levels")}
    made, stored = NetworkClassifier(arrays, "1"), from_bytes(to_bytes(arrays), "1")
    for row, margin in list(zip(rows, margins(table, arrays), strict=True))[::9]:
        seen = evidence(look(row.text, POLICY, row.sender, row.context))
        assert log_odds(made.logits(seen)) == pytest.approx(margin, abs=2e-3)
        assert (stored.logits(seen) == made.logits(seen)).all()


def test_the_groups_of_grams_weigh_as_the_recipe_says(table: Table) -> None:
    everything = np.ones(len(table.rows), bool)
    arrays = fit(table, everything, replace(NARROW, grams=(1, 0, 0, 0, 0, 0)), counted(table))
    assert arrays["gram_scale"].tolist() == [1, 0, 0, 0, 0, 0]
    others = dict(table.__dict__) | {"grams": (table.grams[0], *(group * 0 for group in table.grams[1:]))}
    assert margins(Table(**others), arrays) == pytest.approx(margins(table, arrays))


def test_a_bucket_that_no_row_has_met_weighs_nothing(table: Table) -> None:
    """Networks start from random weights; what was never trained must not add noise to other people's messages."""
    some = np.arange(len(table.rows)) < 5
    weights = fit(table, some, NARROW, counted(table))["grams"]
    met = {bucket for group in table.grams for bucket in group[some].indices}
    assert set(np.flatnonzero(weights.any(axis=1))) <= met
    assert weights.any()


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (Row("a", 1, "phone"), "phone"),
        (Row("a", 1, "phone_number", family=FOREIGN + "x"), "phone"),
        (Row("a", 1, "something"), "solicit"),
        (Row("a", 0, "maths"), "harmless maths"),
        (Row("a", 0, "vocab"), "harmless vocabulary"),
        (Row("a", 0, "payment"), "harmless payment"),
        (Row("a", 0, "phone"), "harmless other"),
        (Row("a", 0, "maths", family=FOREIGN + "x"), "harmless real"),
    ],
)
def test_a_row_is_of_the_class_that_its_author_named(row: Row, name: str) -> None:
    assert CLASSES[class_of(row)] == name


def test_no_harmless_row_is_of_a_class_of_contacts_and_no_contact_of_another() -> None:
    assert len(set(CLASSES)) == len(CLASSES)
    assert all((class_of(row) < len(Kind)) == bool(row.label) for row in corpus())


def test_a_row_counts_in_training_by_its_weight(table: Table) -> None:
    """Rows that weigh next to nothing teach next to nothing."""
    weights = counted(table)
    contacts = table.labels == 1
    without = np.where(contacts, 1e-6, weights)
    everything = np.ones(len(table.rows), bool)
    even, told = (margins(table, fit(table, everything, NARROW, some))[contacts].mean() for some in (weights, without))
    assert told < even - 3


def test_networks_that_stand_side_by_side_say_the_mean_of_what_each_says(table: Table) -> None:
    """And they differ: each starts from weights of its own."""
    everything, weights = np.ones(len(table.rows), bool), counted(table)
    arrays = fit(table, everything, NARROW, weights)
    size = NARROW.units
    alone = []
    for number in range(NARROW.networks):
        part = slice(number * size, (number + 1) * size)
        zeros = np.zeros_like(arrays["output"])
        zeros[part] = arrays["output"][part] * NARROW.networks
        alone.append(np.abs(zeros).sum())
        assert np.abs(arrays["dense"][:, part] - arrays["dense"][:, :size]).max() > 0 or number == 0
    assert len(set(alone)) == NARROW.networks
    one = fit(table, everything, replace(NARROW, networks=1), weights)
    assert one["output"] == pytest.approx(arrays["output"][:size] * NARROW.networks, abs=1e-5)
    assert one["dense"] == pytest.approx(arrays["dense"][:, :size], abs=1e-5)


def test_a_class_that_was_never_met_is_never_the_answer(table: Table) -> None:
    """Its weights would be random."""
    some = np.array([CLASSES[class_of(row)] != "phone" for row in table.rows])
    arrays = fit(table, some, NARROW, counted(table))
    place = CLASSES.index("phone")
    assert not arrays["output"][:, place].any()
    assert arrays["bias"][place] < -20


def test_rows_of_one_class_teach_nothing() -> None:
    rows = [Row("a", 0), Row("b", 0), Row("c", 1, "phone")]
    table = tabulate(rows, POLICY)
    with pytest.raises(ValueError, match="3 classes"):
        fit(table, np.ones(3, bool), SMALL, counted(table))


def test_a_row_counts_by_its_class_and_by_who_wrote_it() -> None:
    """Harmless rows and talks more than contacts; of other people, copied into talk and made up less than written."""
    rows = [
        Row("a", 1, family="x"),
        Row("a", 0, family="x"),
        Row("a", 0, family=FOREIGN + "y"),
        Row("a", 1),
        Row("a", 1),
    ]
    rows.insert(0, Row("a", 1, family="x", context=(Line("b", "hi"),)))
    table = tabulate(rows, POLICY)
    weights = weights_of(table, sets_of(rows, written=3, alone=4, around=1))
    expected = [
        CONVERSATION_WEIGHT,
        1.0,
        HARMLESS_WEIGHT,
        HARMLESS_WEIGHT * FOREIGN_WEIGHT,
        IN_TALK_WEIGHT,
        MADE_UP_WEIGHT,
    ]
    assert weights.tolist() == pytest.approx(expected)
    assert max(FOREIGN_WEIGHT, IN_TALK_WEIGHT, MADE_UP_WEIGHT) < 1 < HARMLESS_WEIGHT


# --- from margin to probability --------------------------------------------------------------------------------------


def held_out(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Margins and labels of two classes that overlap."""
    random = np.random.default_rng(1)
    labels = (np.arange(count) % 2).astype(np.int64)
    return random.normal(np.where(labels == 1, 2.0, -2.0), 1.5), labels


def probability(curve: dict[str, np.ndarray], line: np.ndarray) -> np.ndarray:
    return np.interp(line, curve["knots"], curve["levels"])


def test_the_curve_never_falls_and_is_never_quite_sure() -> None:
    line, labels = held_out()
    curve = calibrate(line, labels, np.ones(len(line)))
    assert (np.diff(curve["levels"]) >= 0).all()
    assert (np.diff(curve["knots"]) > 0).all()
    assert 0 < curve["levels"].min() < curve["levels"].max() < 1


def test_a_probability_is_the_share_of_contacts_at_that_margin() -> None:
    line, labels = held_out()
    told = probability(calibrate(line, labels, np.ones(len(line))), line)
    for low in np.arange(0.05, 0.95, 0.1):
        bin_ = (told >= low) & (told < low + 0.1)
        if bin_.sum() > 60:
            assert labels[bin_].mean() == pytest.approx(told[bin_].mean(), abs=0.12)


def test_contacts_are_taken_to_be_rarer_until_no_set_has_more_false_alarms_than_it_may() -> None:
    line, labels = held_out()
    easy = np.arange(len(line)) % 3 == 0
    limits = {"some": (easy, 0.01), "all": (np.ones(len(line), bool), 0.002)}
    curve, rarity = calibrate_for(line, labels, np.ones(len(line)), limits)
    assert rarity > 1
    told = probability(curve, line) >= POLICY.block_from()
    for rows, most in limits.values():
        assert told[rows & (labels == 0)].mean() <= most
    assert told[labels == 1].mean() > 0.3
    before = calibrate(line, labels, np.where(labels == 1, 1.0, rarity / 1.1))
    assert (probability(before, line) >= POLICY.block_from())[labels == 0].mean() > 0.002


def test_contacts_stay_as_frequent_as_in_the_corpus_where_that_keeps_to_the_limits() -> None:
    line, labels = held_out()
    everything = np.ones(len(line), bool)
    nothing = np.zeros(len(line), bool)
    curve, rarity = calibrate_for(line, labels, np.ones(len(line)), {"all": (everything, 1.0), "none": (nothing, 0.0)})
    assert rarity == 1.0
    assert (curve["levels"] == calibrate(line, labels, np.ones(len(line)))["levels"]).all()


def test_limits_that_cannot_be_kept_end_the_search() -> None:
    """Harmless rows with the highest margins of all: no mixture lets every contact through and none of them."""
    line, labels = held_out(400)
    line[labels == 0] += 8
    _, rarity = calibrate_for(line, labels, np.ones(len(line)), {"all": (np.ones(len(line), bool), -1.0)})
    assert rarity > 1000


def test_a_row_of_other_people_that_was_copied_into_talk_counts_as_theirs_and_not_less() -> None:
    rows = [Row("a", 0), Row("a", 0, family=FOREIGN + "y", context=(Line("b", "hi"),)), Row("a", 0)]
    table = tabulate(rows, POLICY)
    weights = weights_of(table, sets_of(rows, written=1, alone=1, around=2))
    assert (weights / HARMLESS_WEIGHT).tolist() == pytest.approx([1, FOREIGN_WEIGHT, IN_TALK_WEIGHT])


@pytest.mark.parametrize(("shift", "most"), [(-1.0, 1.0), (-0.4, 0.4), (2.0, 0.0), (-9.0, MOST_LEAN)])
def test_conversations_lean_as_far_as_uses_up_their_own_false_alarms(shift: float, most: float) -> None:
    """Their harmless rows lie lower by ``shift``: so much may be added, never less than nothing, never too much."""
    line, labels = held_out(40_000)
    talk = np.arange(len(line)) % 4 >= 2
    line[talk] += shift
    lean = lean_of(line, labels, ~talk, talk, {"messages": 0.01, "conversations": 0.01})
    assert lean == pytest.approx(most, abs=0.15)


def test_conversations_that_may_cost_more_lean_further() -> None:
    line, labels = held_out(40_000)
    talk = np.arange(len(line)) % 4 >= 2
    even, more = (
        lean_of(line, labels, ~talk, talk, {"messages": 0.01, "conversations": share}) for share in (0.01, 0.05)
    )
    assert more > even + 0.3


def test_without_harmless_conversations_nothing_leans() -> None:
    line, labels = held_out(100)
    nothing = np.zeros(100, bool)
    assert lean_of(line, labels, ~nothing, nothing, {"messages": 0.01, "conversations": 0.01}) == 0.0


def test_a_lean_is_added_to_the_margin_of_messages_with_others_before_them_and_of_no_other(
    rows: list[Row], table: Table, arrays: Arrays
) -> None:
    before = margins(table, arrays)
    added = np.array([0.7 if row.context else 0.0 for row in rows])
    assert 0 < added.sum() < 0.7 * len(rows)
    assert margins(table, arrays | {"lean": np.full(1, 0.7)}) - before == pytest.approx(added, abs=1e-3)


# --- the whole of it, small ------------------------------------------------------------------------------------------


def test_a_build_measures_each_kind_of_rows_and_each_source_by_itself(
    rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "FOLDS", 2)
    others = [
        Row(f"ok, see you at {hour}", 0, lang="en", family=FOREIGN + source) for hour in range(4) for source in "pq"
    ]
    some, made_up = rows[::2], [Row("мой тел 8 905 123 45 67", 1, "phone", "ru", "easy", "generated")] * 3
    said: list[str] = []
    trained = train.build(some, made_up, others, POLICY, recipe=SMALL, progress=lambda what, *_: said.append(what))
    assert trained.counts == {"written": len(some), "made_up": 3, "others": len(others)}
    assert {key: value.shape for key, value in trained.arrays.items()} == ARRAYS
    assert trained.arrays["gram_scale"].shape == (len(GROUPS),)
    matrix = trained.figures["written"]["all"]["matrix"]
    assert sum(matrix.values()) == len(some)
    assert sum(trained.figures["others"]["all"]["matrix"].values()) == len(others)
    assert set(trained.figures["sources"]) == {"p", "q"}
    assert trained.figures["rarity"] >= 1
    assert dict.fromkeys(said) == dict.fromkeys(("reading", "folds", "sources"))


def test_of_a_source_that_is_measured_not_one_line_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its margins come from a model whose training left out the whole source, wherever the folds put its rows."""
    kinds = ["", "phone", "link", ""]
    rows = [
        Row("hello there", number % 2, kinds[number % 4], family=FOREIGN + "pq"[number % 4 // 2]) for number in range(8)
    ]
    table = tabulate(rows, POLICY)
    asked: list[list[str]] = []

    def watched(table: Table, chosen: np.ndarray, *rest: object) -> dict[str, np.ndarray]:
        asked.append(sorted({rows[i].family for i in np.flatnonzero(chosen)}))
        return arrays

    arrays = fit(table, np.ones(8, bool), NARROW, counted(table))
    arrays |= {"knots": np.linspace(-1, 1, 48, dtype=np.float32), "levels": np.linspace(0, 1, 48, dtype=np.float32)}
    monkeypatch.setattr(train, "fit", watched)
    figures = train.sources_held_out(table, NARROW, counted(table), arrays, POLICY, lambda *_: None)
    assert asked == [[FOREIGN + "q"], [FOREIGN + "p"]]
    assert [sum(figures[source]["matrix"].values()) for source in "pq"] == [4, 4]


def test_what_people_decided_is_held_to_no_limit_of_ordinary_lines() -> None:
    """Decisions are doubtful lines: a few of them would ask for a threshold that stops nothing any more."""
    rows = [Row("1", 0), Row("2", 0, family="room-1"), Row("3", 0, family=FOREIGN + "x")]
    sets = sets_of(rows, written=1, alone=3, around=0)
    assert not any(which[1] for which in sets.values())
    assert sets["others"].tolist() == [False, False, True]


def test_the_sets_of_rows_do_not_overlap_and_say_who_wrote_them() -> None:
    talk = (Line("a", "hi"),)
    rows = [
        Row("1", 0),
        Row("2", 0, context=talk),
        Row("3", 0, family=FOREIGN + "x"),
        Row("4", 0, context=talk),
        Row("5", 0),
    ]
    sets = sets_of(rows, written=2, alone=3, around=1)
    told = {name: np.flatnonzero(which).tolist() for name, which in sets.items()}
    assert told == {
        "written": [0, 1], "messages": [0], "conversations": [1], "others": [2], "in_talk": [3], "made_up": [4],
    }  # fmt: skip


# --- messages put into talk ------------------------------------------------------------------------------------------


def small(count: int = 200) -> Sequence[Row]:
    return [
        Row(f"text number {n}", n % 2, "phone", "en" if n % 3 else "ru", "easy", f"family-{n}") for n in range(count)
    ]


def test_about_half_of_the_messages_are_put_into_talk_and_stay_what_they_are() -> None:
    rows = small()
    copies = in_talk(rows, seed=1)
    assert 60 < len(copies) < 140
    known = {row.text: row for row in rows}
    for copy in copies:
        row = known[copy.text]
        assert (copy.label, copy.kind, copy.lang, copy.family) == (row.label, row.kind, row.lang, row.family)
        assert 1 <= len(copy.context) <= 6


def test_what_stands_around_is_harmless_and_of_the_same_language() -> None:
    rows = small()
    known = {row.text: row for row in rows}
    for copy in in_talk(rows, seed=1):
        for line in copy.context:
            assert known[line.text].label == 0
            assert known[line.text].lang == copy.lang


def test_the_same_seed_gives_the_same_talk() -> None:
    assert in_talk(small(), seed=1) == in_talk(small(), seed=1) != in_talk(small(), seed=2)


def test_a_conversation_is_left_as_it_is_and_a_language_without_harmless_lines_too() -> None:
    rows = [Row(f"text {n}", 1, lang="en", context=(Line("a", "hi"),) if n % 2 else ()) for n in range(50)]
    assert in_talk(rows, seed=1) == []
