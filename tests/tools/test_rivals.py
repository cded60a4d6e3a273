"""The comparison with other networks must not favour ours: what is counted, and for whom."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lessonroom.media.scoring.evaluate import confusion
from lessonroom.media.types import EXPRESSIONS

TOOLS = Path(__file__).parents[2] / "tools" / "rivals"
TRUTH = np.array([0, 0, 1, 1, 7])


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rivals_{name}", TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


table, ask, pictures = tool("table"), tool("ask"), tool("pictures")


def sure(*answers: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[list(answers)]


def write(work: Path, network: str, cut: str, one: np.ndarray, other: np.ndarray) -> None:
    (work / network).mkdir(exist_ok=True)
    np.save(work / network / f"clean.{cut}.npy", np.stack([one, other]))


def test_another_network_counts_by_its_best_way_of_four(tmp_path: Path) -> None:
    write(tmp_path, "other", "aligned", sure(1, 1, 0, 0, 0), sure(1, 1, 0, 0, 0))
    write(tmp_path, "other", "cut", sure(0, 0, 1, 1, 0), sure(1, 1, 0, 0, 0) * 2)
    ways = table.readings(tmp_path, "other", "clean")
    assert len(ways) == 4
    assert table.best(TRUTH, ways).way == "cut, one look"


def test_ours_is_read_in_one_way_however_good_another_would_be(tmp_path: Path) -> None:
    write(tmp_path, "lessonroom", "aligned", sure(1, 1, 0, 0, 0), sure(1, 1, 0, 0, 0))
    write(tmp_path, "lessonroom", "cut", sure(0, 0, 1, 1, 7), sure(0, 0, 1, 1, 7))
    assert [way.way for way in table.readings(tmp_path, "lessonroom", "clean")] == ["aligned, two looks"]


def test_contempt_counts_among_eight_and_not_among_seven(tmp_path: Path) -> None:
    blind = table.Reading("other", "cut, one look", sure(0, 0, 1, 1, 0))
    row = table.table("clean", TRUTH, [table.Reading("lessonroom", "aligned, two looks", blind.said), blind])[-2]
    assert [cell.split(" ")[1] for cell in row.split("|")[3:9]] == ["80.0", "66.7", "60.0", "100.0", "100.0", "100.0"]


def test_calling_another_expression_contempt_is_wrong_among_seven() -> None:
    seven = table.without_contempt(confusion(TRUTH, sure(0, 7, 1, 1, 7)))
    assert table.f1_of_seven(seven) == pytest.approx((2 / 3 + 1) / 2)


def test_a_network_is_not_behind_itself_and_a_worse_one_is() -> None:
    truth = np.repeat(np.arange(7), 30)
    right, poor = sure(*truth), sure(*np.where(np.arange(210) % 3, truth, (truth + 1) % 7))
    assert table.behind(truth, right, right) == (0.0, 0.0, 0.0)
    gap, low, high = table.behind(truth, right, poor)
    assert 0.2 < low < gap < high < 0.5


def test_answers_come_in_our_order_and_nobody_else_knows_contempt() -> None:
    assert ask.OURS == EXPRESSIONS
    for labels in (ask.ARRIAGA, ask.FACE_API):
        said = ask.in_our_order(np.eye(7, dtype=np.float32), labels)
        assert [EXPRESSIONS[place] for place in said.argmax(axis=1)] == list(labels)
        assert not said[:, -1].any()


@pytest.mark.parametrize("name", [name for name in pictures.SPOILED if name != "clean"])
def test_spoiling_changes_a_face_and_keeps_its_size(name: str) -> None:
    clean = np.random.default_rng(3).integers(0, 256, (48, 48), np.uint8)
    spoiled = pictures.SPOILED[name](clean)
    assert (spoiled.shape, spoiled.dtype) == (clean.shape, clean.dtype)
    assert np.abs(spoiled.astype(int) - clean).mean() > 5
    assert np.array_equal(spoiled, pictures.SPOILED[name](clean))
