"""Work of strangers in small portions, places on the doorstep, and the parts of uvicorn that all this stands on."""

from __future__ import annotations

import asyncio
import inspect

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.server import ServerProtocol

from lessonroom.server.patience import Doorstep, Turns


async def test_between_two_portions_everybody_else_has_a_turn() -> None:
    turns, done = Turns(portion=0.0), []
    for number in range(5):
        turns.add(lambda number=number: done.append(number))  # type: ignore[misc]
    seen = []
    while len(done) < 5:
        await asyncio.sleep(0)
        seen.append(len(done))
    assert done == [0, 1, 2, 3, 4]
    assert len(seen) >= 5


async def test_small_works_share_a_portion() -> None:
    turns, done = Turns(portion=60.0), []
    for number in range(100):
        turns.add(lambda number=number: done.append(number))  # type: ignore[misc]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(done) == 100


async def test_a_work_that_fails_takes_nobody_elses_turn() -> None:
    turns, done, failed = Turns(), [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context["exception"]))
    turns.add(lambda: done.append(1 // 0))
    turns.add(lambda: done.append("other"))
    for _ in range(4):
        await asyncio.sleep(0)
    assert done == ["other"]
    assert [type(error) for error in failed] == [ZeroDivisionError]


def test_an_address_has_so_many_places_and_leaving_twice_frees_one() -> None:
    doorstep = Doorstep(2)
    one, two = doorstep.enter(("203.0.113.7", 1)), doorstep.enter(("203.0.113.7", 2))
    assert one
    assert two
    assert doorstep.enter(("203.0.113.7", 3)) is None
    assert doorstep.enter(("203.0.113.8", 3))
    one()
    one()
    assert doorstep.enter(("203.0.113.7", 4))
    assert doorstep.enter(("203.0.113.7", 5)) is None
    assert len(doorstep) == 3


def test_a_network_of_one_customer_is_one_address() -> None:
    doorstep = Doorstep(1)
    assert doorstep.enter(("2001:db8::1", 1))
    assert doorstep.enter(("2001:db8::2", 1)) is None
    assert doorstep.enter(("2001:db8:0:1::2", 1))


def test_proxies_and_local_sockets_are_not_counted() -> None:
    doorstep = Doorstep(1, ["10.0.0.9"])
    assert all(doorstep.enter(("10.0.0.9", port)) for port in range(5))
    assert all(doorstep.enter(None) for _ in range(5))
    assert len(doorstep) == 0


def test_a_network_of_proxies_is_not_counted_whichever_way_its_addresses_are_spelled() -> None:
    doorstep = Doorstep(1, ["10.0.0.0/8", "fd00::/8"])
    for address in ("10.0.0.9", "10.255.0.1", "::ffff:10.0.0.9", "fd00::7", "fd00:0:0:0::8"):
        assert all(doorstep.enter((address, port)) for port in range(3)), address
    assert len(doorstep) == 0
    for address in ("11.0.0.9", "::ffff:11.0.0.8", "fe80::7", "proxy"):
        assert doorstep.enter((address, 1)), address
        assert doorstep.enter((address, 2)) is None, address


def test_uvicorn_and_websockets_still_have_what_we_replace() -> None:
    """None of these is promised to stay; without them an update would silently take a limit away."""
    protocol = {"data_received", "connection_made", "connection_lost", "shutdown"}
    writing = {"pause_writing", "resume_writing"}
    assert {*protocol, *writing, "handle_websocket_upgrade", "on_response_complete"} <= set(vars(H11Protocol))
    handlers = {
        "handle_text",
        "handle_bytes",
        "handle_cont",
        "handle_ping",
        "handle_pong",
        "run_asgi",
        "send_receive_event_to_app",
        "receive",
        "send",
    }
    assert {*protocol, *handlers, "on_task_complete"} <= set(vars(WebSocketsSansIOProtocol))
    source = inspect.getsource(WebSocketsSansIOProtocol)
    for name in (
        "close_sent",
        "close_timer",
        "read_paused",
        "handshake_complete",
        "frames",
        "queue",
        "scope",
        "writable",
    ):
        assert f"self.{name}" in source, name
    assert "self.flow = FlowControl" in inspect.getsource(H11Protocol)
    assert "self.read_paused" in inspect.getsource(FlowControl)
    assert {"fail", "data_to_send"} <= set(dir(ServerProtocol))
    assert h11.Connection(h11.SERVER).their_state is h11.IDLE
