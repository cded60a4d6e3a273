"""Retraining: what is learned from, what is compared, and when a candidate may not serve."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lessonroom.chat import dataset, retrain, train
from lessonroom.chat.classifier import NAME
from lessonroom.chat.dataset import Row
from lessonroom.chat.network import Recipe
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.releases import PACKAGED, Releases
from lessonroom.chat.retrain import DECISIONS, Material, Tally, Train, by_chance, compare, gather, objections, run, tell
from lessonroom.chat.types import Line
from lessonroom.errors import BadInput, ModelRefused
from lessonroom.progress import Show
from tests.chat.models import Fixed, copied, damage

POLICY = ChatPolicy()
NUMBER = "мой телефон 8 905 123-45-67, звоните"


def room(number: int, label: int = 1) -> Row:
    return Row(f"{NUMBER} {number}", label, "phone", "ru", family=f"room-{number}", sender="s")


def material(must: Sequence[Row] = (), frozen: Sequence[Row] = (), labels: Sequence[Row] = ()) -> Material:
    return Material(dataset.corpus()[::400], [], [], labels, {"frozen.jsonl": frozen} if frozen else {}, must)


def trains(version: str) -> Train:
    """In place of training: a model that is the packaged one."""

    def write(material: Material, policy: ChatPolicy, name: str, folder: Path, progress: Show) -> None:
        copied(version)(folder)

    return write


def tally(
    false_alarms: tuple[int, int] = (0, 0), lost: int = 0, gained: int = 0, broken: tuple[str, ...] = ()
) -> Tally:
    return Tally(100, 100, false_alarms, (50, 50 - lost + gained), lost, gained, broken)


@pytest.fixture(scope="module", autouse=True)
def corpus() -> Iterator[None]:
    """The corpus is read once for all of these tests: it takes longer than most of them."""
    rows = dataset.corpus()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "corpus", lambda: rows)
        yield


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


# --- what is learned from --------------------------------------------------------------------------------------------


def test_decisions_of_a_room_are_learned_from_or_held_out_but_never_both() -> None:
    rows = [room(number) for number in range(300) for _ in range(2)]
    known = material(labels=rows)
    learned, held = ({row.family for row in part} for part in (known.learned, known.held_out))
    assert not learned & held
    assert len(learned | held) == 300
    assert 60 < len(held) < 120


def test_a_room_that_was_held_out_once_is_held_out_for_ever() -> None:
    """Else a later candidate would be compared on what the current one has learned."""
    held = {row.family for row in material(labels=[room(number) for number in range(50)]).held_out}
    assert held <= {row.family for row in material(labels=[room(number) for number in range(500)]).held_out}


def test_the_sidecar_s_sources_name_decisions_and_no_room(tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text(json.dumps({"text": "hi", "label": 0}) + "\n")
    known = gather([room(number) for number in range(9)], tmp_path, [], per_template=1)
    assert known.sources == ["foreign-chat", DECISIONS]
    assert gather([], None, [], per_template=1).sources == []


def test_what_false_alarms_and_recall_are_compared_on_is_never_learned_from() -> None:
    """The lines that must never go wrong may be learned, as those of the article are: they are no measure."""
    known = gather([], None, [])
    learned = {row.text for row in (*known.written, *known.made_up, *known.others)}
    for rows in known.sets().values():
        assert not [row.family for row in rows if row.text in learned]


def test_further_files_are_compared_on_under_their_names(tmp_path: Path) -> None:
    path = tmp_path / "ours.jsonl"
    path.write_text(json.dumps({"text": "hi", "label": 0}) + "\n")
    assert list(gather([], None, [path], per_template=1).sets()) == ["frozen.jsonl", "ours.jsonl"]


# --- comparing -------------------------------------------------------------------------------------------------------


def test_two_models_are_counted_on_the_same_rows() -> None:
    rows = [Row(NUMBER, 1, family="contact"), Row(NUMBER, 0, family="harmless")]
    shy, bold = Fixed(0.0), Fixed(1.0)
    assert compare(rows, shy, bold, POLICY) == Tally(1, 1, (0, 1), (0, 1), 0, 1, ("harmless",))
    assert compare(rows, bold, shy, POLICY) == Tally(1, 1, (1, 0), (1, 0), 1, 0, ("contact",))
    assert compare(rows, bold, bold, POLICY).broken == ()


def test_earlier_lines_of_the_room_count() -> None:
    from lessonroom.chat import classifier

    said = (Line("s", "мой номер 8905"), Line("t", "да?"), Line("s", "123"))
    rows = [Row("45 67", 1, sender="s", context=said), Row("45 67", 0, sender="s")]
    model = classifier.load()
    found = compare(rows, model, model, POLICY)
    assert (found.found, found.false_alarms) == ((1, 1), (0, 0))


def test_a_candidate_that_does_as_well_meets_no_objection() -> None:
    assert list(objections(tally(), {"a": tally((3, 3), lost=5, gained=5), "b": tally((3, 0))})) == []


def test_a_line_that_must_never_go_wrong_is_enough_and_is_named_by_its_family() -> None:
    (why,) = objections(tally(broken=("article-dog",)), {})
    assert "article-dog" in why


def test_one_more_false_alarm_is_enough() -> None:
    (why,) = objections(tally(), {"frozen.jsonl": tally((2, 3))})
    assert why == "false alarms rise from 2 to 3 of 100 on frozen.jsonl"


@pytest.mark.parametrize(("lost", "gained", "refused"), [(5, 0, True), (4, 0, False), (20, 15, False), (40, 20, True)])
def test_a_clear_fall_of_recall_is_enough_and_chance_is_not(lost: int, gained: int, refused: bool) -> None:
    assert bool(list(objections(tally(), {"a": tally(lost=lost, gained=gained)}))) is refused


def test_the_sign_test_is_exact() -> None:
    assert by_chance(0, 0) == 1.0
    assert by_chance(5, 0) == pytest.approx(1 / 32)
    assert by_chance(3, 1) == pytest.approx(5 / 16)


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_a_candidate_that_may_serve_serves_and_its_sidecar_says_how_it_did(releases: Releases) -> None:
    known = material(must=[Row(NUMBER, 1, family="phone")], labels=[room(number) for number in range(20)])
    outcome = run(known, releases, POLICY, "next", training=trains("next"))
    assert not outcome.refused
    assert releases.pointer().current == "next"
    assert releases.load("next").version == "next"
    card = json.loads((releases.place("next") / f"{NAME}.json").read_text())
    assert card["compared"]["with"] == releases.load(PACKAGED).version
    assert card["compared"]["sets"]["must_pass"]["found"] == [1, 1]
    assert card["compared"]["learned_from"]["decisions"] == len(known.learned) > 0


def test_a_candidate_in_the_shadow_is_kept_and_has_no_say(releases: Releases) -> None:
    run(material(), releases, POLICY, "next", shadow=True, training=trains("next"))
    assert (releases.pointer().current, releases.pointer().shadow) == (PACKAGED, "next")


def test_a_candidate_with_an_objection_leaves_nothing_behind(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrain, "objections", lambda must, sets: ["it does worse"])
    outcome = run(material(), releases, POLICY, "next", training=trains("next"))
    assert outcome.refused == ["it does worse"]
    assert not releases.folder.exists()


def test_training_that_breaks_off_leaves_nothing_behind(releases: Releases) -> None:
    def broken(material: Material, policy: ChatPolicy, version: str, folder: Path, progress: Show) -> None:
        copied(version)(folder)
        damage(folder)

    with pytest.raises(ModelRefused):
        run(material(), releases, POLICY, "next", training=broken)
    assert not releases.folder.exists()


def test_a_version_that_is_there_already_is_told_before_the_work(releases: Releases) -> None:
    releases.add("next", copied("next"))

    def worked(*_: object) -> None:
        raise AssertionError("it was trained")

    with pytest.raises(BadInput, match="there already"):
        run(material(), releases, POLICY, "next", training=worked)


def test_when_another_release_came_meanwhile_nothing_is_released(releases: Releases) -> None:
    releases.add("quick", copied("quick"))

    def slow(material: Material, policy: ChatPolicy, version: str, folder: Path, progress: Show) -> None:
        copied(version)(folder)
        releases.switch("quick")

    with pytest.raises(ModelRefused, match="another meanwhile"):
        run(material(), releases, POLICY, "next", training=slow)
    assert releases.pointer().current == "quick"
    assert not releases.place("next").exists()


def test_it_is_compared_with_what_serves_in_place_of_a_damaged_release(releases: Releases) -> None:
    for version in ("good", "bad"):
        releases.add(version, copied(version))
        releases.switch(version)
    damage(releases.place("bad"))
    assert run(material(), releases, POLICY, "next", training=trains("next")).current == "good"


def test_a_real_candidate_that_was_taught_wrong_is_refused_in_numbers(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every label turned round: what must be stopped would pass."""
    monkeypatch.setattr(train, "FOLDS", 2)
    monkeypatch.setattr(train, "Recipe", partial(Recipe, least_steps=12, rate=0.04))
    wrong = [replace(row, label=1 - row.label) for row in dataset.corpus()[::200]]
    must = dataset.read_rows(retrain.MUST_PASS)
    known = Material(wrong, [], [], [], {"frozen.jsonl": must}, must)
    outcome = run(known, releases, POLICY, "wrong")
    assert outcome.must.found[1] < outcome.must.found[0] == outcome.must.contacts
    assert len(outcome.must.broken) >= outcome.must.lost > 0
    assert outcome.refused[0].split()[0] == str(len(outcome.must.broken))
    assert not releases.folder.exists()


@pytest.mark.parametrize("say", [tell, lambda outcome, out: out.write(str(outcome))])
def test_nobody_s_words_and_no_room_s_name_are_told(
    releases: Releases, say: Callable[[retrain.Outcome, io.StringIO], None]
) -> None:
    known = material(labels=[room(number, number % 2) for number in range(40)])
    out = io.StringIO()
    say(run(known, releases, POLICY, "next", training=trains("next")), out)
    assert not re.search(r"905|телефон", out.getvalue())
    assert "decisions" in out.getvalue()


def test_the_outcome_is_told_as_a_table_with_the_reasons_below(releases: Releases) -> None:
    outcome = retrain.Outcome("next", "now", tally(), {"a": tally((2, 3))}, {"written": 5}, ["false alarms rise"])
    out = io.StringIO()
    tell(outcome, out)
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"a +2 +3 of 100 +50 +50 of 100", lines[4])
    assert lines[5:] == ["refused: false alarms rise"]
