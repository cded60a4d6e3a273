"""The inference server's client: on real servers, and on one that misbehaves."""

from __future__ import annotations

import datetime
import ipaddress
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lessonroom import models
from lessonroom.errors import BadSetting, EngineDown
from lessonroom.media.kserve_engine import KserveEngine
from lessonroom.media.kserve_fallback import AGREED
from lessonroom.media.kserve_wire import MESSAGES
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.promises import difference, probe
from lessonroom.metrics import Metrics
from tests.contracts import tiny_models
from tests.contracts.engine import EngineContract
from tests.inference_servers import Served, serving
from tests.inference_servers.unruly import Behaviour, Unruly, double, refusing
from tests.ports import free_port

PATIENT = 20.0
"""Deadline where lateness is not what is tested."""
ONE = {"x": np.ones((1, 3), np.float32)}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_models.write(tmp_path)


class OnServer(EngineContract):
    """The contract on the tiny models of a real server."""

    @pytest.fixture
    def models_dir(self, served: Served) -> Path:
        return served.models_dir

    @pytest.fixture
    def engine(self, served: Served) -> Iterator[KserveEngine]:
        engine = KserveEngine(served.url, models_dir=served.models_dir, deadline=PATIENT)
        yield engine
        engine.close()


def start(kind: str, factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(kind, tiny_models.write(factory.mktemp("models")), factory.mktemp(kind)) as served:
        yield served


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from start("mlserver", tmp_path_factory)


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from start("triton", tmp_path_factory)


class TestOnMLServer(OnServer):
    @pytest.fixture
    def served(self, mlserver: Served) -> Served:
        return mlserver

    def test_what_is_no_number_is_no_answer(self, engine: KserveEngine) -> None:
        """MLServer cannot say NaN at all: it answers with an error of its own."""
        with pytest.raises(EngineDown, match="INTERNAL"):
            engine.infer("root", {"x": np.full((1, 3), -1.0, np.float32)})


class TestOnTriton(OnServer):
    @pytest.fixture
    def served(self, triton: Served) -> Served:
        return triton


@pytest.mark.parametrize("kind", ["mlserver", "triton"])
def test_the_shipped_models_answer_from_a_server_as_they_do_here(kind: str, tmp_path: Path) -> None:
    """At batch 2 and at batch 16, whose pictures are larger than gRPC's usual bound for a message."""
    with serving(kind, models.folder(), tmp_path) as served, OnnxEngine() as here:
        there = KserveEngine(served.url, deadline=PATIENT)
        there.ready()
        for card in here.cards:
            for inputs in (probe(card), {name: np.repeat(x, 8, axis=0) for name, x in probe(card).items()}):
                expected = here.infer(card.name, inputs)
                answer = there.infer(card.name, inputs)
                assert all(difference(answer[name], each) < AGREED / 10 for name, each in expected.items())
        there.close()


def asking(unruly: Unruly, tiny: Path, deadline: float = PATIENT) -> KserveEngine:
    return KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=deadline)


def counted(metrics: Metrics) -> dict[str, float]:
    """Calls by outcome."""
    samples = [one for family in metrics.registry.collect() for one in family.samples]
    name = "lessonroom_inference_server_calls_total"
    return {one.labels["outcome"]: one.value for one in samples if one.name == name}


def answers_timed(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("lessonroom_inference_server_seconds_count") or 0.0


def test_each_asking_is_counted_by_what_became_of_it_and_each_answer_is_timed_once(tiny: Path) -> None:
    """What was asked again shows as that: the counts say how often the server was asked, and for how many calls."""
    metrics = Metrics()
    with Unruly().running() as unruly:
        engine = KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=PATIENT, meter=metrics)
        for _ in range(10):
            engine.infer("double", ONE)
        unruly.behave = refusing(grpc.StatusCode.UNAVAILABLE, 1)
        engine.infer("double", ONE)
        for behave in (
            refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, 1),  # the one retry is spent
            refusing(grpc.StatusCode.INTERNAL, 1),
            broken("half"),
            broken("rows more"),
        ):
            unruly.behave = behave
            with pytest.raises(EngineDown):
                engine.infer("double", ONE)
        unruly.behave = unruly.hang
        engine._deadline = 0.05
        with pytest.raises(EngineDown):
            engine.infer("double", ONE)
        assert counted(metrics) == {"answered": 11, "retried": 1, "refused": 1, "failed": 1, "wrong": 2, "late": 1}
        assert answers_timed(metrics) == 11
        assert unruly.calls == sum(counted(metrics).values())


def test_a_call_that_closing_ends_says_nothing_of_the_server(tiny: Path) -> None:
    metrics, arrived = Metrics(), threading.Event()
    with Unruly().running() as unruly, ThreadPoolExecutor(1) as pool:
        unruly.behave = lambda request, context: (arrived.set(), unruly.hang(request, context))[1]
        engine = KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=60.0, meter=metrics)
        call = pool.submit(engine.infer, "double", ONE)
        assert arrived.wait(20)
        engine.close()
        with pytest.raises(EngineDown):
            call.result(20)
    assert counted(metrics) == {}


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_call_that_the_server_did_not_take_is_made_again(tiny: Path, code: grpc.StatusCode) -> None:
    with Unruly().running() as unruly:
        engine = asking(unruly, tiny)
        for _ in range(10):  # ten calls pay for one retry
            engine.infer("double", ONE)
        unruly.behave = refusing(code, 1)
        assert engine.infer("double", ONE)["y"][0, 0] == 2
        assert unruly.calls == 12


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ABORTED])
def test_what_may_have_begun_is_not_made_again_and_the_servers_words_stay_there(
    tiny: Path, code: grpc.StatusCode
) -> None:
    with Unruly().running() as unruly:
        engine = asking(unruly, tiny)
        for _ in range(10):
            engine.infer("double", ONE)
        unruly.behave = refusing(code, 1)
        with pytest.raises(EngineDown, match=code.name) as caught:
            engine.infer("double", ONE)
        assert "secret" not in str(caught.value)
        assert unruly.calls == 11


def test_an_overloaded_server_is_asked_at_most_a_tenth_more_often(tiny: Path) -> None:
    with Unruly(refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, 10_000)).running() as unruly:
        engine = asking(unruly, tiny)
        for _ in range(100):
            with pytest.raises(EngineDown):
                engine.infer("double", ONE)
        assert unruly.calls == 110


def test_a_server_that_hangs_costs_the_deadline_and_no_more(tiny: Path) -> None:
    with Unruly().running() as unruly:
        unruly.behave = unruly.hang
        with pytest.raises(EngineDown, match="DEADLINE_EXCEEDED"):
            asking(unruly, tiny, deadline=0.05).infer("double", ONE)


def test_nobody_there_is_down(tiny: Path) -> None:
    engine = KserveEngine(f"grpc://127.0.0.1:{free_port()}", ["double"], models_dir=tiny, deadline=PATIENT)
    with pytest.raises(EngineDown, match="UNAVAILABLE"):
        engine.infer("double", ONE)


def test_closing_ends_calls_that_hang(tiny: Path) -> None:
    with Unruly().running() as unruly, ThreadPoolExecutor(1) as pool:
        arrived = threading.Event()
        unruly.behave = lambda request, context: (arrived.set(), unruly.hang(request, context))[1]
        engine = asking(unruly, tiny, deadline=60.0)
        call = pool.submit(engine.infer, "double", ONE)
        assert arrived.wait(20)
        engine.close()
        with pytest.raises(EngineDown):
            call.result(20)


def test_an_answer_that_is_not_raw_is_read_too(tiny: Path) -> None:
    """A server may answer with typed fields, whatever the question was."""

    def typed(request: Any, context: grpc.ServicerContext) -> Any:
        response = MESSAGES["ModelInferResponse"](model_name="double")
        output = response.outputs.add(name="y", datatype="FP32", shape=[1, 3])
        output.contents.fp32_contents.extend([2.0, 2.0, 2.0])
        return response

    with Unruly(typed).running() as unruly:
        np.testing.assert_array_equal(asking(unruly, tiny).infer("double", ONE)["y"], np.full((1, 3), 2, np.float32))


def broken(change: str) -> Behaviour:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        response = double(request, context)
        match change:
            case "half":
                response.raw_output_contents[0] = response.raw_output_contents[0][:5]
            case "short":
                response.raw_output_contents[0] = response.raw_output_contents[0][:8]
            case "empty":
                del response.outputs[:], response.raw_output_contents[:]
            case "name":
                response.outputs[0].name = "z"
            case "type":
                response.outputs[0].datatype = "BYTES"
            case "negative":
                response.outputs[0].shape[0] = -1
            case "shape":
                response.outputs[0].shape[:] = [3, 1]
            case "rows more":
                response.outputs[0].shape[0] = 2
                response.raw_output_contents[0] *= 2
            case "rows none":
                response.outputs[0].shape[0] = 0
                response.raw_output_contents[0] = b""
            case "more":
                response.raw_output_contents.append(b"1234")
        return response

    return answer


@pytest.mark.parametrize(
    "change", ["half", "short", "empty", "name", "type", "negative", "shape", "rows more", "rows none", "more"]
)
def test_an_answer_that_contradicts_itself_is_none(tiny: Path, change: str) -> None:
    with Unruly(broken(change)).running() as unruly, pytest.raises(EngineDown, match="expected"):
        asking(unruly, tiny).infer("double", ONE)


def test_a_server_that_is_not_ready_says_so(tiny: Path) -> None:
    with Unruly().running() as unruly:
        unruly.ready = False
        with pytest.raises(EngineDown, match="ready"):
            asking(unruly, tiny).ready()


def certificate(folder: Path) -> tuple[grpc.ServerCredentials, Path]:
    """Of 127.0.0.1, signed by itself, for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now)
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(signed)
    return grpc.ssl_server_credentials([(private, signed)]), folder / "ca.pem"


def test_pictures_go_over_tls_to_the_server_that_the_certificates_name_and_to_no_other(tiny: Path) -> None:
    credentials, ca = certificate(tiny)
    with Unruly().running(credentials=credentials) as unruly:
        url = unruly.url.replace("grpc:", "grpcs:")
        assert KserveEngine(url, ["double"], models_dir=tiny, deadline=PATIENT, ca=ca).infer("double", ONE)
        for stranger in (
            KserveEngine(url, ["double"], models_dir=tiny, deadline=2.0),
            KserveEngine(unruly.url, ["double"], models_dir=tiny, deadline=2.0),
        ):
            with pytest.raises(EngineDown):
                stranger.infer("double", ONE)
        assert unruly.calls == 1


def test_certificates_that_are_not_there_are_a_bad_setting(tiny: Path) -> None:
    with pytest.raises(BadSetting, match="inference_server_ca"):
        KserveEngine("grpcs://127.0.0.1:1", ["double"], models_dir=tiny, ca=tiny / "nobody.pem")


def test_a_proxy_of_the_environment_gets_no_pictures(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gRPC would send everything through it."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    with Unruly().running() as unruly:
        assert asking(unruly, tiny).infer("double", ONE)
