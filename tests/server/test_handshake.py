"""The first steps of a socket, where the server below has no limits of its own."""

from __future__ import annotations

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from lessonroom import messages as m
from lessonroom.errors import BadMessage
from lessonroom.server.handshake import read


def socket_that_gets(text: str) -> WebSocket:
    """An accepted socket whose page says this, as any ASGI server hands it over."""
    said: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": text}]

    async def receive() -> Message:
        return said.pop(0)

    async def send(message: Message) -> None:
        assert message["type"] == "websocket.accept"

    return WebSocket({"type": "websocket", "headers": []}, receive, send)


async def read_of(text: str, most: int) -> m.FromPage:
    socket = socket_that_gets(text)
    await socket.accept()
    return await read(socket, most)


@pytest.mark.parametrize("character", ["x", "я", "\U0001f600"])
async def test_a_frame_is_measured_in_bytes_whoever_serves_it(character: str) -> None:
    """Mounted into another server, nobody else enforces the setting socket_bytes."""
    text = m.dump(m.ChatSend(id="message-1", text=character * 1000))
    size = len(text.encode())
    assert isinstance(await read_of(text, size), m.ChatSend)
    with pytest.raises(BadMessage, match=f"at most {size - 1} bytes"):
        await read_of(text, size - 1)
