"""A crowd of lessons: rooms made, both members let in, their sockets open. One HTTP client for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import httpx

from lessonroom.bench import wire
from lessonroom.bench.ledger import Ledger
from lessonroom.bench.serving import IDLE_SECONDS, Server
from lessonroom.errors import EngineDown, Refused
from lessonroom.messages import ChatSend, Hello, dump
from lessonroom.progress import Show
from lessonroom.simulate.admission import Link

AT_ONCE: Final = 16
"""Members that are let in at the same time."""
REQUESTS: Final = 16
"""HTTP requests that are under way at the same time."""
WELCOME_SECONDS: Final = 30.0
TEXTS: Final = (
    "Good morning! I have done the exercise about the past tense.",
    "Could you explain once more why the verb comes last here, please?",
    "Спасибо, теперь понятно: глагол стоит в конце предложения.",
    "Yes 🙂",
    (
        "I read the whole chapter yesterday. The part about the old lighthouse was hard at first, because there were "
        "many words that I did not know, but then I saw that most of them stand for things on a ship, and the drawing "
        "on the second page helped me a lot. I have written ten sentences with the new words, as you asked."
    ),
)
"""Five shapes of what is said in lessons; none of them is anything to stop."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Pass:
    """A member who was let in: their link, and the cookie of their session."""

    link: Link
    cookie: str


class Door:
    """Exchanges links for sessions and sessions for tickets. Close it at the end."""

    def __init__(self, base: str) -> None:
        limits = httpx.Limits(max_connections=REQUESTS, keepalive_expiry=IDLE_SECONDS)
        # requests wait here, not in the client: its own queue is searched from the beginning for each of them
        self._turn = asyncio.Semaphore(REQUESTS)
        self._http = httpx.AsyncClient(base_url=base, headers={"Origin": base}, timeout=30.0, limits=limits)
        # cookies are handed in by us: a jar of a thousand would be searched for each request
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def enter(self, link: str) -> Pass:
        """Open a link. Raises Refused."""
        read = Link.read(link)
        answer = await self._post(read.member, "session", {"code": read.code}, {})
        return Pass(read, answer.headers["set-cookie"].partition(";")[0])

    @property
    def http(self) -> httpx.AsyncClient:
        """For what else goes over HTTP: WHIP."""
        return self._http

    async def ticket(self, who: Pass, purpose: str = "socket") -> str:
        """A ticket for ``socket`` or ``whip``. Raises Refused."""
        answer = await self._post(who.link.member, "tickets", {"purpose": purpose}, {"Cookie": who.cookie})
        return str(answer.json()["ticket"])

    async def _post(self, member: str, what: str, body: dict[str, str], headers: dict[str, str]) -> httpx.Response:
        async with self._turn:
            answer = await self._http.post(f"/api/members/{member}/{what}", json=body, headers=headers)
        if answer.is_error:
            raise Refused(f"expected a {what.removesuffix('s')}, got HTTP {answer.status_code}")
        return answer


class Talker:
    """One member's page. Writes down in the ledger what it says, what is answered, and what it gets."""

    def __init__(self, number: int, who: Pass, ledger: Ledger, clock: Clock) -> None:
        self._number = number
        self._who = who
        self._ledger = ledger
        self._clock = clock
        self._said = 0
        self._wire: wire.Wire | None = None
        self._welcome = asyncio.Event()
        self.dropped = False
        """Whether the server, or the network, has ended the socket."""

    async def come(self, door: Door) -> None:
        """Connect and wait for the welcome. Raises EngineDown."""
        link = self._who.link
        try:
            async with asyncio.timeout(WELCOME_SECONDS):
                ticket = await door.ticket(self._who)
                self._wire = await wire.connect(link.socket, link.origin, self._hear, self._lost)
                self._wire.say(dump(Hello(ticket=ticket, page=f"crowd-{self._number:05}")).encode())
                await self._welcome.wait()
        except (OSError, TimeoutError, httpx.HTTPError, Refused) as error:
            raise EngineDown(f"expected a page that gets into its room, got {type(error).__name__}") from None

    def talk(self) -> None:
        """Say the next thing, unless the socket is gone."""
        if self._wire is None or not self._wire.open:
            return
        self._said += 1
        name = f"crowd-{self._number:05}-{self._said:08}"
        frame = dump(ChatSend(id=name, text=TEXTS[(self._number + self._said) % len(TEXTS)])).encode()
        self._ledger.send(name, self._clock())
        self._wire.say(frame)

    def leave(self) -> None:
        """Go; a socket that ends from now on was not dropped."""
        if self._wire is not None:
            wire_, self._wire = self._wire, None
            wire_.close()

    def _hear(self, frame: bytes) -> None:
        message: dict[str, Any] = json.loads(frame)
        match message["type"]:
            case "chat.message":
                self._ledger.arrive(message["id"], self._clock())
            case "chat.ack":
                self._ledger.acknowledge(message["id"], self._clock(), relayed=message["state"] == "relayed")
            case "chat.refused":
                self._ledger.refuse(message["id"])
            case "welcome":
                self._welcome.set()

    def _lost(self, code: int | None) -> None:
        self.dropped = self._wire is not None


async def gather(server: Server, rooms: int, ledger: Ledger, clock: Clock, progress: Show) -> list[Talker]:
    """Make so many rooms without analysis and let both members of each in. Raises EngineDown."""
    door = Door(server.address)
    gate = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def lesson(number: int) -> Sequence[Talker]:
        nonlocal done
        async with gate:
            room = (await server.post("rooms", {"mode_cap": "M0"}))["room"]
            pair = []
            for place, role in enumerate(("teacher", "student")):
                link = (await server.post(f"rooms/{room}/members", {"role": role, "name": role}))["link"]
                pair.append(Talker(2 * number + place, await door.enter(link), ledger, clock))
                await pair[-1].come(door)
        done += 1
        progress("letting people in", done, rooms)
        return pair

    try:
        pairs = await asyncio.gather(*(lesson(number) for number in range(rooms)))
    finally:
        with suppress(httpx.HTTPError):
            await door.close()
    return [talker for pair in pairs for talker in pair]
