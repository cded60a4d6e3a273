"""Inference on another machine by the Open Inference Protocol (KServe v2) over gRPC: Triton, KServe, MLServer.

The server answers for the files of ``models/`` under the same names; what it answers is held to the same sidecars.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import grpc
from numpy.typing import NDArray

from lessonroom import models
from lessonroom.errors import BadSetting, EngineDown, NotFound
from lessonroom.media import kserve_wire as wire
from lessonroom.media import promises
from lessonroom.media.engine import Arrays
from lessonroom.media.kserve_patience import RetryBudget
from lessonroom.media.meter import UNMETERED, Meter

PROVIDER: Final = "server"
RETRIED: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""What may be asked again: the server did not begin with the call."""
BACKOFF: Final = 0.02
"""Seconds before the first retry, twice as long each time, and by chance between a half and the whole of it."""
_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),  # retries have a budget here
    ("grpc.enable_http_proxy", 0),  # pictures of people go where the setting says and nowhere else
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),  # the breaker decides when to try; its trials must not find a closed door
)


class Outcome(StrEnum):
    """What became of asking a server once; a call that is retried asks more than once."""

    ANSWERED = "answered"
    WRONG = "wrong"
    """It answered, with another shape, without a part, or with no numbers."""
    RETRIED = "retried"
    """It did not take the call, and was asked again."""
    REFUSED = "refused"
    """It did not take the call, or is not there, and was not asked again."""
    LATE = "late"
    FAILED = "failed"


class KserveEngine:
    """Implements :class:`~lessonroom.media.engine.Engine`.

    ``server``: ``grpc://HOST:PORT``, or ``grpcs://HOST:PORT`` for TLS, checked with the certificates in ``ca`` (PEM;
    None: those that gRPC brings). ``names``: the models it serves, None for all networks of the folder. ``deadline``:
    seconds for one :meth:`infer` with all its retries. Nothing is connected before the first call.
    Raises BadSetting, and ModelRefused for a sidecar.
    """

    def __init__(
        self,
        server: str,
        names: Iterable[str] | None = None,
        *,
        models_dir: Path | None = None,
        deadline: float = 0.25,
        ca: Path | None = None,
        meter: Meter = UNMETERED,
    ) -> None:
        self._meter = meter
        chosen = list(names) if names is not None else list(models.networks(models_dir))
        self._cards = {name: models.load(name, models_dir).card for name in chosen}
        self._server = server
        self._deadline = deadline
        self._budget = RetryBudget()
        self._closed = threading.Event()
        self._channel = _channel(server, ca)
        self._infer = self._method("ModelInfer")
        self._server_ready = self._method("ServerReady")
        self._model_ready = self._method("ModelReady")

    @property
    def provider(self) -> str:
        """Where inference runs: ``"server"``; what it runs on, it keeps to itself."""
        return PROVIDER

    @property
    def reason(self) -> str:
        """Why there, in one line."""
        return f"inference_server is {self._server}"

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that are asked for, sorted."""
        return tuple(sorted(self._cards))

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Ask for one model; see :meth:`lessonroom.media.engine.Engine.infer`. Takes no longer than the deadline."""
        self._expect_open()
        card = self._cards.get(model)
        if card is None:
            raise NotFound(f"expected one of the served models ({', '.join(self.models)}), got another name")
        arrays = promises.keep_inputs(card, inputs)
        began = time.monotonic()
        response = self._ask(model, wire.infer_request(card, arrays), began + self._deadline)
        try:
            answer = promises.keep_outputs(card, wire.answers(card, response))
            _expect_rows(model, answer, arrays[0].shape[0])
        except EngineDown:
            self._meter.server_called(Outcome.WRONG)
            raise
        self._meter.server_called(Outcome.ANSWERED)
        self._meter.server_answered(time.monotonic() - began)
        return answer

    def ready(self) -> None:
        """Ask whether the server and each model are ready. Raises EngineDown, which says what is not."""
        self._expect_open()
        asked = wire.MESSAGES["ServerReadyRequest"]()
        if not self._once("the server", self._server_ready, asked, self._deadline).ready:
            raise EngineDown("expected an inference server that is ready, got one that is not")
        for name in self.models:
            asked = wire.MESSAGES["ModelReadyRequest"](name=name)
            if not self._once(name, self._model_ready, asked, self._deadline).ready:
                raise EngineDown(f"{name}: expected an inference server with this model ready, got one without")

    def close(self) -> None:
        """Hang up: calls that are under way end with EngineDown."""
        self._closed.set()
        self._channel.close()

    def _ask(self, model: str, request: Any, until: float) -> Any:
        """Call until there is an answer, an error that is final, no retry left, or no time."""
        self._budget.called()
        pause = BACKOFF
        while True:
            try:
                return self._infer(request, timeout=max(0.0, until - time.monotonic()))
            except grpc.RpcError as error:
                code = error.code()
            except ValueError:  # what a closed channel raises
                code = grpc.StatusCode.CANCELLED
            wait = pause * random.uniform(0.5, 1.0)
            late = time.monotonic() + wait >= until
            if code not in RETRIED or late or not self._budget.take() or self._closed.wait(wait):
                self._missed(code)
                raise EngineDown(f"{model}: expected an answer of the inference server, got {code.name}")
            self._meter.server_called(Outcome.RETRIED)
            pause *= 2

    def _missed(self, code: grpc.StatusCode) -> None:
        if not self._closed.is_set():  # closing ends calls, which says nothing of the server
            late = code is grpc.StatusCode.DEADLINE_EXCEEDED
            refused = Outcome.REFUSED if code in RETRIED else Outcome.FAILED
            self._meter.server_called(Outcome.LATE if late else refused)

    def _once(self, what: str, method: Any, request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout)
        except (grpc.RpcError, ValueError) as error:
            code = error.code().name if isinstance(error, grpc.RpcError) else "a closed channel"
            raise EngineDown(f"{what}: expected to hear whether it is ready, got {code}") from None

    def _method(self, name: str) -> Any:
        kind = wire.MESSAGES[f"{name}Response"]
        return self._channel.unary_unary(
            wire.SERVICE + name,
            request_serializer=wire.MESSAGES[f"{name}Request"].SerializeToString,
            response_deserializer=kind.FromString,
        )

    def _expect_open(self) -> None:
        if self._closed.is_set():
            raise EngineDown("expected an open engine, got a closed one")


def _expect_rows(model: str, answer: Arrays, rows: int) -> None:
    """A sidecar leaves the batch free, so only the question says how many rows an answer must have."""
    for name, array in answer.items():
        if array.shape[:1] != (rows,):
            raise EngineDown(f"{model}.{name}: expected {rows} rows as in the input, got shape {array.shape}")


def _channel(server: str, ca: Path | None) -> Any:
    scheme, _, address = server.partition("://")
    if scheme == "grpc":
        return grpc.insecure_channel(address, options=_OPTIONS)
    try:
        trusted = ca.read_bytes() if ca is not None else None
    except OSError as error:
        raise BadSetting(f"inference_server_ca: expected a file of certificates, got: {error.strerror}") from None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted), options=_OPTIONS)
