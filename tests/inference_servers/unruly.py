"""A gRPC server of the protocol that does what a test tells it: refuses, hangs, answers nonsense. Real on the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np

from lessonroom.media.engine import Engine
from lessonroom.media.kserve_wire import MESSAGES

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


def double(request: Any, context: grpc.ServicerContext) -> Any:
    """y = 2x, raw, as the tiny model ``double`` answers."""
    x = np.frombuffer(request.raw_input_contents[0], np.float32)
    response = MESSAGES["ModelInferResponse"](model_name=request.model_name)
    response.outputs.add(name="y", datatype="FP32", shape=request.inputs[0].shape)
    response.raw_output_contents.append((x * 2).tobytes())
    return response


def answering(engine: Engine) -> Behaviour:
    """Answer as ``engine`` does."""

    def behave(request: Any, context: grpc.ServicerContext) -> Any:
        arrays = {
            tensor.name: np.frombuffer(raw, np.float32).reshape(tuple(tensor.shape))
            for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        response = MESSAGES["ModelInferResponse"](model_name=request.model_name)
        for name, array in engine.infer(request.model_name, arrays).items():
            response.outputs.add(name=name, datatype="FP32", shape=array.shape)
            response.raw_output_contents.append(array.tobytes())
        return response

    return behave


def refusing(code: grpc.StatusCode, times: int) -> Behaviour:
    """Refuse with ``code`` and a text that must not be passed on, ``times`` times, then answer."""
    left = [times]

    def behave(request: Any, context: grpc.ServicerContext) -> Any:
        if left[0] > 0:
            left[0] -= 1
            context.abort(code, "secret text of the server")
        return double(request, context)

    return behave


class Unruly:
    """``behave`` answers ModelInfer; ``calls`` counts them; ``let_go`` ends those that hang."""

    def __init__(self, behave: Behaviour = double) -> None:
        self.behave = behave
        self.calls = 0
        self.ready = True
        self.let_go = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    def hang(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer when the test is over."""
        self.let_go.wait()
        return double(request, context)

    def infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls += 1
        return self.behave(request, context)

    @contextmanager
    def running(self, port: int = 0, credentials: grpc.ServerCredentials | None = None) -> Iterator[Unruly]:
        # without SO_REUSEPORT nobody else gets the port of a server that a test starts again
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("inference.GRPCInferenceService", self._handlers())]
        )
        address = f"127.0.0.1:{port}"
        self.port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
        server.start()
        try:
            yield self
        finally:
            self.let_go.set()
            server.stop(None).wait()

    def _handlers(self) -> dict[str, Any]:
        def is_ready(request: Any, context: grpc.ServicerContext) -> Any:
            return MESSAGES["ServerReadyResponse"](ready=self.ready)

        asked = {"ModelInfer": self.infer, "ServerReady": is_ready, "ModelReady": is_ready}
        return {
            name: grpc.unary_unary_rpc_method_handler(
                work,
                request_deserializer=MESSAGES[f"{name}Request"].FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for name, work in asked.items()
        }
