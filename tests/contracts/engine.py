"""What every engine must do. An implementation's test makes a subclass with an ``engine`` fixture.

The fixture serves the models of :mod:`tests.contracts.tiny_models` from ``models_dir``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lessonroom.errors import EngineDown, NotFound
from lessonroom.media.engine import Engine
from tests.contracts import tiny_models


class EngineContract:
    @pytest.fixture
    def models_dir(self, tmp_path: Path) -> Path:
        return tiny_models.write(tmp_path)

    @pytest.mark.parametrize("batch", [1, 2, 7])
    def test_it_answers_by_name_for_any_batch(self, engine: Engine, batch: int) -> None:
        x = np.arange(batch * 3, dtype=np.float32).reshape(batch, 3)
        answer = engine.infer("double", {"x": x})
        assert list(answer) == ["y"]
        np.testing.assert_array_equal(answer["y"], x * 2)

    def test_the_input_stays_as_it_was(self, engine: Engine) -> None:
        x = np.ones((2, 3), np.float32)
        engine.infer("double", {"x": x})
        np.testing.assert_array_equal(x, np.ones((2, 3), np.float32))

    def test_what_is_no_number_is_no_answer(self, engine: Engine) -> None:
        with pytest.raises(EngineDown, match="finite"):
            engine.infer("root", {"x": np.full((1, 3), -1.0, np.float32)})

    def test_a_shape_other_than_promised_is_no_answer(self, engine: Engine) -> None:
        with pytest.raises(EngineDown, match="shape"):
            engine.infer("liar", {"x": np.ones((1, 3), np.float32)})

    @pytest.mark.parametrize("inputs", [{}, {"z": np.ones((1, 3), np.float32)}, {"x": np.ones((1, 4), np.float32)}])
    def test_a_wrong_input_is_an_error_of_our_tree(self, engine: Engine, inputs: dict[str, np.ndarray]) -> None:
        with pytest.raises(EngineDown):
            engine.infer("double", inputs)

    def test_an_unknown_model_is_not_found(self, engine: Engine) -> None:
        with pytest.raises(NotFound):
            engine.infer("nobody", {"x": np.ones((1, 3), np.float32)})

    def test_it_goes_on_after_a_refusal(self, engine: Engine) -> None:
        with pytest.raises(EngineDown):
            engine.infer("root", {"x": np.full((1, 3), -1.0, np.float32)})
        assert engine.infer("root", {"x": np.full((1, 3), 4.0, np.float32)})["y"][0, 0] == 2.0

    def test_threads_do_not_get_one_anothers_answers(self, engine: Engine) -> None:
        def ask(number: int) -> bool:
            x = np.full((1, 3), number, np.float32)
            return bool((engine.infer("double", {"x": x})["y"] == 2 * number).all())

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(200)))

    def test_it_says_in_one_line_where_it_runs_and_why(self, engine: Engine) -> None:
        assert engine.provider in {"TensorRT", "CUDA", "CPU", "server"}
        assert engine.reason
        assert "\n" not in engine.reason

    def test_closed_means_down(self, engine: Engine) -> None:
        engine.close()
        engine.close()
        with pytest.raises(EngineDown):
            engine.infer("double", {"x": np.ones((1, 3), np.float32)})
