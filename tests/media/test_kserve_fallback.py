"""An inference server that comes and goes under lessons that go on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from lessonroom.config import Settings
from lessonroom.errors import BadSetting, NoNumbers
from lessonroom.media.engines import open_engine
from lessonroom.media.kserve_engine import KserveEngine
from lessonroom.media.kserve_fallback import FallbackEngine
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.metrics import Metrics
from lessonroom.metrics_sum import Growth, Sum
from tests.contracts import tiny_models
from tests.contracts.engine import EngineContract
from tests.inference_servers import Served, serving
from tests.inference_servers.unruly import Behaviour, Unruly, answering, double
from tests.ports import free_port

PATIENT = 20.0
ONE = {"x": np.ones((1, 3), np.float32)}


class Opened:
    """A fallback engine whose changes a test waits for."""

    def __init__(self, url: str, models_dir: Path, names: list[str] | None = None, deadline: float = PATIENT) -> None:
        self.changes: queue.Queue[str] = queue.Queue()
        self.engine = FallbackEngine(
            KserveEngine(url, names, models_dir=models_dir, deadline=deadline),
            OnnxEngine(names, models_dir=models_dir),
            on_changed=lambda provider, reason: self.changes.put(provider),
        )

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self.engine.close()

    def changed(self) -> str:
        return self.changes.get(timeout=60)

    def ask(self) -> float:
        return float(self.engine.infer("double", ONE)["y"][0, 0])


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_models.write(tmp_path)


class TestWithNobodyThere(EngineContract):
    @pytest.fixture
    def engine(self, models_dir: Path) -> Iterator[FallbackEngine]:
        with Opened(f"grpc://127.0.0.1:{free_port()}", models_dir) as opened:
            yield opened.engine


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mlserver")
    with serving("mlserver", tiny_models.write(tmp_path_factory.mktemp("models")), folder) as server:
        yield server


class TestWithMLServer(EngineContract):
    @pytest.fixture
    def models_dir(self, served: Served) -> Path:
        return served.models_dir

    @pytest.fixture
    def engine(self, served: Served) -> Iterator[FallbackEngine]:
        with Opened(served.url, served.models_dir) as opened:
            assert opened.changed() == "server"
            yield opened.engine


class Interrupted(threading.Event):
    """Another thread closes the engine just before the trials forget what woke them."""

    def __init__(self, closing: threading.Event) -> None:
        super().__init__()
        self.closing = closing

    def clear(self) -> None:
        self.closing.set()
        self.set()
        super().clear()


def test_closing_at_any_moment_ends_the_trials(tiny: Path) -> None:
    """The process waits for them when it ends: for ever, where a server was in use."""
    with Opened(f"grpc://127.0.0.1:{free_port()}", tiny, ["double"]) as opened:
        engine = opened.engine
        waiting, engine._wake = engine._wake, Interrupted(engine._closing)
        engine._breaker.wait = lambda now: None  # type: ignore[method-assign]
        waiting.set()
        engine._trials.join(5)
        assert not engine._trials.is_alive()


def test_a_real_server_that_dies_and_comes_back_is_missed_by_nobody(tiny: Path, tmp_path: Path) -> None:
    """SIGKILL under a stream of calls: each is answered, from here while it is away, from there when it is back."""
    port, folder = free_port(), tmp_path / "server"
    folder.mkdir()
    with ExitStack() as stack:
        served = stack.enter_context(serving("mlserver", tiny, folder, port))
        opened = stack.enter_context(Opened(served.url, tiny, ["double"], deadline=1.0))
        assert opened.changed() == "server"
        served.process.kill()
        while opened.engine.provider == "server":
            assert opened.ask() == 2
        assert opened.changed() == "CPU"
        assert opened.ask() == 2
        stack.enter_context(serving("mlserver", tiny, folder, port))
        while opened.changed() != "server":  # while it starts, the reason why it is not used may change
            pass
        assert opened.ask() == 2


def test_lessons_do_not_wait_for_a_server_that_hangs(tiny: Path) -> None:
    """Three looks wait for the deadline, the others not at all; it is used again when it answers again."""
    with Unruly().running() as unruly, Opened(unruly.url, tiny, ["double"], deadline=0.2) as opened:
        assert opened.changed() == "server"
        unruly.behave = unruly.hang
        before = unruly.calls
        assert [opened.ask() for _ in range(50)] == [2.0] * 50
        assert opened.changed() == "CPU"
        assert "DEADLINE_EXCEEDED" in opened.engine.reason
        assert unruly.calls - before <= 4  # three looks, and perhaps the first trial
        unruly.behave = double
        unruly.let_go.set()
        assert opened.changed() == "server"


def test_a_server_with_other_weights_is_not_used(tiny: Path) -> None:
    """Names and shapes agree; the answers are those of another network."""

    def triple(request: Any, context: grpc.ServicerContext) -> Any:
        response = double(request, context)
        numbers = np.frombuffer(response.raw_output_contents[0], np.float32)
        response.raw_output_contents[0] = (numbers * 1.5).tobytes()
        return response

    with Unruly(triple).running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "CPU"
        assert "expected the answers of our own file" in opened.engine.reason
        assert opened.ask() == 2


def first_row(request: Any, context: grpc.ServicerContext) -> Any:
    """A server that answers for one row, whatever the batch."""
    response = double(request, context)
    response.outputs[0].shape[0] = 1
    response.raw_output_contents[0] = response.raw_output_contents[0][:12]
    return response


def test_a_server_that_answers_for_another_batch_is_not_used_until_it_does_better(tiny: Path) -> None:
    """The sidecar leaves the batch free, so nothing but the question tells that rows are missing."""
    with Unruly(first_row).running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "CPU"
        assert "expected 2 rows" in opened.engine.reason
        unruly.behave = double
        assert opened.changed() == "server"


def test_rows_that_are_missing_are_answered_from_here(tiny: Path) -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    with Unruly().running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "server"
        unruly.behave = first_row
        for _ in range(3):
            np.testing.assert_array_equal(opened.engine.infer("double", {"x": x})["y"], x * 2)
        assert opened.changed() == "CPU"


def test_an_error_that_nobody_foresaw_ends_a_trial_and_not_all_trials(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of such an error people read its class; its text may quote anything."""
    ready, surprises = KserveEngine.ready, [ValueError("secret")]

    def surprising(engine: KserveEngine) -> None:
        if surprises:
            raise surprises.pop()
        ready(engine)

    monkeypatch.setattr(KserveEngine, "ready", surprising)
    reasons: queue.Queue[str] = queue.Queue()
    with Unruly().running() as unruly:
        engine = FallbackEngine(
            KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=PATIENT),
            OnnxEngine(["double"], models_dir=tiny),
            on_changed=lambda provider, reason: reasons.put(reason),
        )
        try:
            assert "not used: ValueError; here" in reasons.get(timeout=20)
            assert reasons.get(timeout=20) == f"inference_server is {unruly.url}"
        finally:
            engine.close()
    assert "a trial of the inference server failed" in caplog.text
    assert "secret" not in caplog.text


def test_a_listener_that_is_gone_ends_no_trials(tiny: Path) -> None:
    """A loop that is closed raises on whoever calls into it."""
    told: queue.Queue[str] = queue.Queue()

    def gone(provider: str, reason: str) -> None:
        told.put(provider)
        raise RuntimeError("Event loop is closed")

    with Unruly().running() as unruly:
        unruly.ready = False
        engine = FallbackEngine(
            KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=PATIENT),
            OnnxEngine(["double"], models_dir=tiny),
            on_changed=gone,
        )
        try:
            assert told.get(timeout=20) == "CPU"
            unruly.ready = True
            assert told.get(timeout=20) == "server"
        finally:
            engine.close()


def test_a_server_that_hangs_for_one_model_alone_is_down(tiny: Path) -> None:
    """Answers of the others in between must not make each look wait for the deadline for ever."""
    names = ["double", "root"]
    with (
        OnnxEngine(names, models_dir=tiny) as here,
        Unruly(answering(here)).running() as unruly,
        Opened(unruly.url, tiny, names, deadline=0.5) as opened,
    ):
        assert opened.changed() == "server"

        def partly(request: Any, context: grpc.ServicerContext) -> Any:
            return (unruly.hang if request.model_name == "double" else answering(here))(request, context)

        unruly.behave = partly
        for _ in range(3):
            assert opened.ask() == 2
            assert opened.engine.infer("root", ONE)["y"][0, 0] == 1
        assert opened.changed() == "CPU"


def test_closing_does_not_wait_for_an_inference_of_a_trial(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called on an event loop, where lessons go on while an engine ends."""
    infer, arrived, let_go = OnnxEngine.infer, threading.Event(), threading.Event()

    def slow(engine: OnnxEngine, model: str, inputs: Any) -> Any:
        arrived.set()
        let_go.wait()
        return infer(engine, model, inputs)

    monkeypatch.setattr(OnnxEngine, "infer", slow)
    with Unruly().running() as unruly, ThreadPoolExecutor(1) as pool:
        opened = Opened(unruly.url, tiny, ["double"])
        try:
            assert arrived.wait(20)
            pool.submit(opened.engine.close).result(10)
        finally:
            let_go.set()
        assert opened.changes.empty()


def test_half_precision_is_the_same_answer(tiny: Path) -> None:
    def half(request: Any, context: grpc.ServicerContext) -> Any:
        response = double(request, context)
        numbers = np.frombuffer(response.raw_output_contents[0], np.float32).astype(np.float16)
        response.raw_output_contents[0] = numbers.astype(np.float32).tobytes()
        return response

    with Unruly(half).running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "server"


def test_one_bad_answer_is_replaced_by_our_own_and_does_not_end_the_use(tiny: Path) -> None:
    def nonsense(request: Any, context: grpc.ServicerContext) -> Any:
        unruly.behave = double
        response = double(request, context)
        response.raw_output_contents[0] = np.full(3, np.nan, np.float32).tobytes()
        return response

    with Unruly().running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "server"
        for _ in range(5):  # more than would open the breaker, were they in a row
            unruly.behave = nonsense
            assert opened.ask() == opened.ask() == 2
            assert opened.engine.provider == "server"


def no_numbers(request: Any, context: grpc.ServicerContext) -> Any:
    """As Triton answers where a network gives NaN."""
    response = double(request, context)
    count = len(response.raw_output_contents[0]) // 4
    response.raw_output_contents[0] = np.full(count, np.nan, np.float32).tobytes()
    return response


def as_mlserver_says_it(request: Any, context: grpc.ServicerContext) -> Any:
    """It has no words for NaN, and answers with an error of its own."""
    context.abort(grpc.StatusCode.INTERNAL, "Out of range float values are not JSON compliant")


@pytest.mark.parametrize("behave", [no_numbers, as_mlserver_says_it])
def test_an_odd_picture_that_gives_no_numbers_here_either_is_not_the_servers_fault(
    tiny: Path, behave: Behaviour
) -> None:
    """One camera must not take the server from all lessons, however many odd pictures it sends."""
    odd = {"x": np.full((1, 3), -1.0, np.float32)}
    with (
        OnnxEngine(["root"], models_dir=tiny) as here,
        Unruly(answering(here)).running() as unruly,
        Opened(unruly.url, tiny, ["root"]) as opened,
    ):
        assert opened.changed() == "server"
        unruly.behave = behave
        for _ in range(5):
            with pytest.raises(NoNumbers):
                opened.engine.infer("root", odd)
        assert opened.engine.provider == "server"


def test_a_server_that_alone_gives_no_numbers_is_down(tiny: Path) -> None:
    """Half precision that overflows, for example: the same pictures are well here."""
    with Unruly().running() as unruly, Opened(unruly.url, tiny, ["double"]) as opened:
        assert opened.changed() == "server"
        unruly.behave = no_numbers
        assert [opened.ask() for _ in range(3)] == [2.0] * 3
        assert opened.changed() == "CPU"
        assert "expected finite numbers" in opened.engine.reason


def test_trials_are_counted_and_a_media_worker_s_figures_reach_the_server(tiny: Path) -> None:
    ours, theirs = Metrics(), Metrics()
    with Unruly().running() as unruly:
        unruly.ready = False
        changes: queue.Queue[str] = queue.Queue()
        settings = Settings(inference_server=unruly.url, models_dir=tiny, inference_server_deadline=1.5)
        engine = open_engine(settings, ["double"], on_changed=lambda where, why: changes.put(where), meter=theirs)
        try:
            assert changes.get(timeout=20) == "CPU"
            unruly.ready = True
            assert changes.get(timeout=20) == "server"
            engine.infer("double", ONE)
        finally:
            engine.close()
    Sum(ours).add(Growth(theirs).next())
    text = ours.render().decode()
    assert 'lessonroom_inference_server_trials_total{outcome="passed"} 1.0' in text
    assert 'lessonroom_inference_server_trials_total{outcome="failed"}' in text
    assert 'lessonroom_inference_server_calls_total{outcome="answered"} 2.0' in text  # the trial's, and ours
    assert "lessonroom_inference_server_seconds_count 2.0" in text


def test_the_settings_open_it(tiny: Path) -> None:
    changes: queue.Queue[str] = queue.Queue()
    with Unruly().running() as unruly:
        settings = Settings(inference_server=unruly.url, models_dir=tiny, inference_server_deadline=1.5)
        engine = open_engine(settings, ["double"], on_changed=lambda provider, reason: changes.put(provider))
        try:
            assert changes.get(timeout=60) == "server"
            assert engine.reason == f"inference_server is {unruly.url}"
        finally:
            engine.close()


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:1", "grpc://[::1]:1", "grpc://localhost:1", "grpcs://[::1]:1"])
def test_nothing_is_said_of_encryption_where_pictures_stay_here_or_go_over_tls(
    tiny: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    open_engine(Settings(inference_server=url, models_dir=tiny), ["double"]).close()
    assert "unencrypted" not in caplog.text


def test_pictures_that_would_leave_this_machine_unencrypted_are_warned_of(
    tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """0.0.0.0 leads to this machine, too, but its name does not promise that."""
    open_engine(Settings(inference_server="grpc://0.0.0.0:1", models_dir=tiny), ["double"]).close()
    assert "unencrypted" in caplog.text


def test_without_grpc_a_server_in_the_settings_is_a_bad_setting(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gRPC is an extra; whoever names a server without it must read what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadSetting, match=r"lessonroom\[kserve\]"):
        open_engine(Settings(inference_server="grpc://127.0.0.1:1", models_dir=tiny), ["double"])


def test_without_a_server_in_the_settings_models_run_here(tiny: Path) -> None:
    engine = open_engine(Settings(models_dir=tiny, inference_providers=("cpu",)), ["double"])
    assert isinstance(engine, OnnxEngine)
    engine.close()
