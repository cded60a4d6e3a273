"""How a client without a browser gets in: the link's code for a session, the session for tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from lessonroom.errors import BadInput, Refused


@dataclass(frozen=True, slots=True)
class Link:
    """``http://HOST:PORT/PREFIX/lesson/MEMBER#CODE`` in its parts; ``root`` ends with a slash."""

    root: str
    origin: str
    member: str
    code: str

    @classmethod
    def read(cls, text: str) -> Link:
        """Raises BadInput, without a word of the link: it is a key."""
        url = urlsplit(text)
        prefix, lesson, member = url.path.rpartition("/lesson/")
        if url.scheme not in {"http", "https"} or not url.netloc or not (lesson and member and url.fragment):
            raise BadInput("expected a member's link (http://HOST/lesson/MEMBER#CODE), got something else")
        origin = f"{url.scheme}://{url.netloc}"
        return cls(f"{origin}{prefix}/", origin, member, url.fragment)

    @property
    def socket(self) -> str:
        """Address of the room's socket."""
        return f"ws{self.root.removeprefix('http')}ws/room"


class Admission:
    """A member's session with the server; use as an async context manager."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.room = ""
        self._http = httpx.AsyncClient(base_url=link.root, headers={"Origin": link.origin}, timeout=10.0)

    async def __aenter__(self) -> Admission:
        try:
            self.room = (await self._post("session", {"code": self.link.code}))["room"]
        except BaseException:
            await self._http.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def http(self) -> httpx.AsyncClient:
        """For what else goes over HTTP: WHIP."""
        return self._http

    async def ticket(self, purpose: str) -> str:
        """A single-use ticket for ``socket`` or ``whip``. Raises Refused, and httpx's errors of the network."""
        return str((await self._post("tickets", {"purpose": purpose}))["ticket"])

    async def _post(self, what: str, body: dict[str, str]) -> Any:
        response = await self._http.post(f"api/members/{self.link.member}/{what}", json=body)
        if response.is_error:
            raise Refused(f"expected a {what.removesuffix('s')}, got HTTP {response.status_code}")
        return response.json()
