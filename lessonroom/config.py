"""Every setting: name, default, range, unit and help in one frozen object.

A setting ``chat_deadline`` is read from the environment as ``LESSONROOM_CHAT_DEADLINE``; only :mod:`lessonroom.cli`
looks at the environment and hands the mapping to :func:`load`. ``lessonroom settings`` prints them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from lessonroom.auth import Scope
from lessonroom.errors import BadSetting

PREFIX = "LESSONROOM_"


def _split(value: object) -> object:
    """Read ``"a, b"`` as a tuple, so that a list fits into one environment variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _like(pattern: str, expected: str) -> Callable[[str], str]:
    """A check of the whole text, whose error says what was expected and not what came."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise PydanticCustomError("form", "expected {expected}, got something else", {"expected": expected})
        return value

    return check


def _network(value: str) -> str:
    """A check that does not understand names: nobody would look them up, and so nobody would be believed."""
    try:
        ip_network(value)
    except ValueError:
        raise PydanticCustomError("network", "expected addresses such as 10.0.0.7 or 10.0.0.0/8, got others") from None
    return value


_NUMBER = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_PORT = rf"(:{_NUMBER})?"
_HOST = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)"
_ORIGIN = rf"(http(?!://[^/]*:80(/|$))|https(?!://[^/]*:443(/|$)))://{_HOST.replace('A-Z', '')}{_PORT}"
"""As browsers write it: small letters, without the scheme's own port."""

Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_split)]
PublicUrl = Annotated[
    str,
    AfterValidator(
        _like(
            rf"({_ORIGIN}(/[A-Za-z0-9._~/-]*)?)?",
            "http://HOST or https://HOST, in small letters, perhaps with a port other than the usual one and a path",
        )
    ),
]
Origin = Annotated[str, AfterValidator(_like(_ORIGIN, "origins such as https://HOST as a browser sends them"))]
Origins = Annotated[tuple[Origin, ...], BeforeValidator(_split)]
_SCOPE = f"({'|'.join(Scope)})"
KeyHash = Annotated[
    str,
    BeforeValidator(_lower),
    AfterValidator(
        _like(
            rf"[0-9a-f]{{64}}(:{_SCOPE}(\+{_SCOPE})*)?",
            f"64 hexadecimal digits for each key, perhaps with :SCOPE+SCOPE of {', '.join(Scope)}",
        )
    ),
]
KeyHashes = Annotated[tuple[KeyHash, ...], BeforeValidator(_split)]
StunUrl = Annotated[str, AfterValidator(_like(rf"stuns?:{_HOST}{_PORT}", "stun:HOST or stuns:HOST[:PORT] (RFC 7064)"))]
StunUrls = Annotated[tuple[StunUrl, ...], BeforeValidator(_split)]
TurnUrl = Annotated[
    str,
    AfterValidator(
        _like(rf"turns?:{_HOST}{_PORT}(\?transport=(udp|tcp))?", "turn:HOST[:PORT][?transport=udp|tcp] (RFC 7065)")
    ),
]
TurnUrls = Annotated[tuple[TurnUrl, ...], BeforeValidator(_split)]
InferenceUrl = Annotated[
    str, AfterValidator(_like(rf"(grpcs?://{_HOST}:{_NUMBER})?", "grpc://HOST:PORT, or grpcs://HOST:PORT for TLS"))
]
Place = Annotated[
    str,
    AfterValidator(_like(r"([A-Z]{2}(-[A-Z0-9]{1,3})?)?", "a country of ISO 3166 such as DE, or US-CA for a state")),
]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
Providers = Annotated[tuple[Literal["tensorrt", "cuda", "cpu"], ...], BeforeValidator(_split), Field(min_length=1)]


def _setting(default: Any, text: str, *, unit: str = "", ge: float | None = None, le: float | None = None) -> Any:
    return Field(default=default, description=text, ge=ge, le=le, json_schema_extra={"unit": unit})


class Settings(BaseModel):
    """The settings of one process. Frozen; built once by the composition root and handed down."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    # where and how to listen
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8400, "port to listen on; 0 picks a free one", ge=0, le=65535)
    data_dir: Path = _setting(Path("data"), "folder of the database and the signing key")
    public_url: PublicUrl = _setting("", "address under which browsers reach the server; empty: http://HOST:PORT")
    allowed_origins: Origins = _setting((), "further origins under which browsers reach this server, comma separated")
    log_json: bool = _setting(False, "log lines as JSON instead of text")
    log_level: LogLevel = _setting("info", "lowest level that is logged: debug, info, warning or error")

    # storage
    database_url: str = _setting("", "SQLAlchemy address of the database; empty: SQLite in data_dir")
    database_deadline: float = _setting(5.0, "longest wait for one record", unit="s", ge=0.1, le=60)
    store_queue: int = _setting(2000, "records that may wait for the database; more are refused", ge=1, le=100_000)

    # admission
    admin_keys: KeyHashes = _setting(
        (), "SHA-256 of the keys for the admin API, hex, comma separated; HASH:SCOPE+SCOPE for one that may not do all"
    )
    ticket_seconds: float = _setting(30.0, "life of a ticket", unit="s", ge=1, le=30)
    link_hours: float = _setting(24.0, "life of a link's one-time code", unit="h", ge=0.01, le=24 * 31)
    session_hours: float = _setting(6.0, "life of a member's session after the link was opened", unit="h", ge=0.1)

    trusted_proxies: Networks = _setting(
        (), "addresses or networks of proxies whose X-Forwarded-For is believed, comma separated"
    )
    connections_per_address: int = _setting(
        1200, "connections of one address that have not said hello yet, and as many that may ask for more", ge=1
    )
    refusals_per_minute: int = _setting(30, "refused attempts of one address in a minute, then none is taken", ge=1)
    tickets_per_minute: int = _setting(30, "tickets that one member may ask for in a minute", ge=1)

    # policy and consent
    policy_table: Path | None = _setting(None, "file with a policy table of your own; empty: that of the package")
    provider_place: Place = _setting("", "country that the platform works from, such as DE or US-CA; empty: unknown")
    server_place: Place = _setting("", "country that this server stands in; empty: unknown")
    impact_assessment: str = _setting("", "reference of the recorded impact assessment; empty: there is none")
    consent_days: float = _setting(365, "life of a consent", unit="d", ge=1, le=3660)
    guardian_days: float = _setting(30, "life of a guardian's link and session", unit="d", ge=1, le=366)

    # retention: 0 keeps for ever
    close_rooms_hours: float = _setting(
        24, "a room that nobody is in or can come into closes so long after the last thing stored of it", unit="h", ge=0
    )
    keep_messages_days: float = _setting(180, "life of a message of a closed room", unit="d", ge=0)
    keep_waiting_days: float = _setting(365, "life of a message that waits for a person", unit="d", ge=0)
    keep_held_days: float = _setting(30, "life of a stopped message after a person has decided on it", unit="d", ge=0)
    keep_hints_days: float = _setting(180, "life of a hint", unit="d", ge=0)
    keep_rooms_days: float = _setting(365, "life of a closed room with its members", unit="d", ge=0)
    keep_consents_days: float = _setting(1095, "life of a consent's record after its end", unit="d", ge=0)
    keep_sessions_days: float = _setting(7, "life of a session's hash after its end", unit="d", ge=0)
    keep_operators_days: float = _setting(90, "life of an operator's name after the end of the session", unit="d", ge=0)
    keep_standings_days: float = _setting(
        365, "life of the platform's word whether somebody pays, once no room of theirs is left", unit="d", ge=0
    )
    keep_sweeps_days: float = _setting(365, "life of a note of what was deleted", unit="d", ge=0)

    # sockets
    socket_queue: int = _setting(256, "messages that may wait for one reader; a slower one is closed", ge=8, le=10_000)
    outbox_bytes: int = _setting(
        2_097_152, "bytes that may wait for one reader; a slower one is closed", unit="byte", ge=65_536
    )
    socket_bytes: int = _setting(98_304, "largest message from a client", unit="byte", ge=4096, le=1_048_576)
    hello_seconds: float = _setting(10.0, "time for a new socket to say hello", unit="s", ge=0.1, le=60)
    hello_queue: int = _setting(500, "sockets that may be about to say hello; more are closed", ge=1, le=100_000)
    chat_length: int = _setting(4000, "longest chat message", unit="character", ge=1, le=4000)
    chat_per_minute: int = _setting(60, "chat messages that one member may send in a minute", ge=1, le=100_000)
    replay_limit: int = _setting(500, "messages sent at once after a reconnect; more come in further parts", ge=1)

    # too much to do: docs/operations.md
    overload_seconds: float = _setting(
        10, "a part that is at its limit for so long makes the server overloaded; 0: never", unit="s", ge=0, le=3600
    )
    overload_loop: float = _setting(0.25, "mean lateness of the event loop that is too much", unit="s", ge=0.01, le=10)
    overload_processor: float = _setting(0.97, "share of all cores that is too much, if our own", ge=0.1, le=1)
    overload_late: float = _setting(0.2, "share of looks without an answer in time that is too much", ge=0.01, le=1)

    # traces
    trace_url: str = _setting("", "where traces go, OTLP over HTTP (http://HOST:4318/v1/traces); empty: none are made")
    trace_share: float = _setting(0.01, "share of looks and messages that is traced", ge=0, le=1)

    # what reaches the other side
    stun_urls: StunUrls = _setting((), "STUN servers for browsers and analyser (stun:HOST), comma separated")
    turn_urls: TurnUrls = _setting((), "TURN servers for browsers and analyser, comma separated")
    turn_secret: str = _setting("", "secret shared with the TURN server for time-limited credentials")
    turn_hours: float = _setting(6.0, "life of a TURN credential", unit="h", ge=0.1, le=48)
    ice_relay_only: bool = _setting(False, "use TURN only, never a direct path")
    ice_loopback: bool = _setting(False, "accept candidates of this machine itself (a demo on one machine)")
    ice_private: bool = _setting(False, "accept candidates of private networks (a demo at home, a school's own)")

    # media
    analysers: int = _setting(64, "most lessons analysed at once; more are told that there is no capacity", ge=0)
    workers: int = _setting(
        0, "processes of their own for analysers and models; 0: they are in the server's process", ge=0, le=64
    )
    sample_rate: float = _setting(2.0, "samples per second and lesson when there is no load", unit="1/s", ge=0.1, le=10)
    sample_rate_least: float = _setting(0.5, "samples per second below which load is not shed", unit="1/s", ge=0.1)
    inference_deadline: float = _setting(2.0, "longest wait for one inference", unit="s", ge=0.05, le=30)
    inference_threads: int = _setting(1, "threads of one inference on the CPU", ge=1, le=64)
    inference_providers: Providers = _setting(
        ("tensorrt", "cuda", "cpu"), "where to run models, in order of preference"
    )
    inference_server: InferenceUrl = _setting(
        "", "server that speaks KServe v2 over gRPC (grpc://HOST:PORT, grpcs:// for TLS); empty: models run here alone"
    )
    inference_server_deadline: float = _setting(
        0.25, "longest wait for the inference server; then the answer is found here", unit="s", ge=0.01, le=10
    )
    inference_server_ca: Path | None = _setting(
        None, "file (PEM) with the certificates that the inference server's is checked with; empty: the public ones"
    )
    models_dir: Path | None = _setting(None, "folder of models; empty: those that came with the package")

    # strain and hints
    strain_head: Path | None = _setting(
        None, "folder of the strain head that `vision fit-strain` wrote; empty: that of the models"
    )
    strain_learning_seconds: float = _setting(45.0, "time to learn a student's own face", unit="s", ge=1, le=600)
    strain_clear_seconds: float = _setting(
        5.0, "time that a clear change of a quiet face must show for a hint", unit="s", ge=0.5, le=120
    )
    strain_face_weight: float = _setting(1.0, "weight of what the face shows; 0 leaves it out", ge=0, le=2)
    strain_button_weight: float = _setting(1.0, 'weight of the "I\'m stuck" button; 0 leaves it out', ge=0, le=2)
    strain_chat_weight: float = _setting(1.0, "weight of what the student writes; 0 leaves it out", ge=0, le=2)
    strain_exercise_weight: float = _setting(1.0, "weight of exercises that go badly; 0 leaves it out", ge=0, le=2)
    chat_silence_seconds: float = _setting(
        90.0,
        "time after a teacher's question in the chat from which it counts as open, weaker the later; 0: never",
        unit="s",
        ge=0,
        le=150,
    )
    hint_threshold: float = _setting(0.6, "strain at which a hint is due", ge=0.05, le=0.99)
    hint_hold_seconds: float = _setting(0.0, "time that strain must stay above the threshold", unit="s", ge=0, le=120)
    hint_first_seconds: float = _setting(120.0, "time from the start without hints", unit="s", ge=0)
    hint_pause_seconds: float = _setting(300.0, "least time between two hints", unit="s", ge=0)

    # chat filter
    chat_deadline: float = _setting(0.3, "longest wait for a verdict; then the rules decide", unit="s", ge=0.01, le=5)
    chat_processes: int = _setting(
        1, "processes that screen messages beside the server's own; 0: it screens them itself", ge=0, le=64
    )
    chat_cost_ratio: float = _setting(10.0, "cost of a false alarm over the cost of a miss", ge=0.1, le=1000)
    chat_hold_from: float = _setting(1.0, "probability from which a message is held; 1 never holds", ge=0, le=1)
    chat_block_kinds: Words = _setting(
        ("phone", "email", "messenger", "profile", "link", "find_me", "solicit", "payment", "address", "meeting"),
        "kinds of findings that stop a message, comma separated",
    )
    chat_hold_kinds: Words = _setting((), "kinds of findings that only hold a message, comma separated")
    chat_languages: Words = _setting(
        ("ru", "uk", "en"),
        "languages that the chat model judges, comma separated; of ru, uk, en",
    )
    chat_own_domains: Words = _setting((), "domains that may always be named, comma separated")
    chat_screen_paying: bool = _setting(False, "screen members who have paid, too")
    chat_context: int = _setting(12, "earlier messages that the filter looks at together", ge=0, le=50)
    chat_refuse_violators: bool = _setting(
        False, "refuse every message of a sender with a proven violation, for good; else it lowers their threshold"
    )

    training_consent: bool = _setting(
        True, "let `chat retrain` learn only from messages whose writers have agreed to training"
    )

    # review
    review_sample: float = _setting(0.01, "share of relayed messages that is offered for review", ge=0, le=1)

    @model_validator(mode="after")
    def _together(self) -> Self:
        """What no setting can know alone."""
        if self.turn_urls and not self.turn_secret:
            raise _wrong("turn_secret", "expected the secret of the servers in turn_urls, got none")
        if self.ice_relay_only and not self.turn_urls:
            raise _wrong("ice_relay_only", "expected turn_urls with it, got none")
        if self.inference_server and self.inference_server_deadline >= self.inference_deadline:
            raise _wrong("inference_server_deadline", "expected less than inference_deadline, got as much or more")
        if self.sample_rate_least > self.sample_rate:
            raise _wrong("sample_rate_least", "expected at most sample_rate, got more")
        return self


def _wrong(key: str, text: str) -> PydanticCustomError:
    """An error about settings that do not go together, told of the one that is to be changed."""
    return PydanticCustomError("together", "{text}", {"key": key, "text": text})


def load(environment: Mapping[str, str], **overrides: object) -> Settings:
    """Build the settings from an environment and from what the command line said, which goes first.

    Raises BadSetting with the key, what was expected, and never the value: it may be a secret.
    """
    known = Settings.model_fields
    given: dict[str, object] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in known:
            raise BadSetting(f"{name} is not a setting; `lessonroom settings` lists them")
        given[key] = value
    given.update({key: value for key, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = str(first["loc"][0] if first["loc"] else first["ctx"]["key"])
        raise BadSetting(f"{PREFIX}{key.upper()}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as ``lessonroom settings`` and the documentation show it."""

    key: str
    variable: str
    default: object
    unit: str
    text: str


def describe() -> Iterator[Described]:
    """Every setting in the order of this file."""
    for key, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        yield Described(key, PREFIX + key.upper(), field.default, unit, field.description or "")
