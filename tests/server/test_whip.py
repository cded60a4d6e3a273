"""WHIP by RFC 9725, over real HTTP and real WebRTC."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from lessonroom.errors import Busy, Refused
from lessonroom.media.peer import End
from lessonroom.server import whip_request
from tests.fakes_whip import ROOM, WhipClient, WhipServer, whip_server
from tests.rtc import MovingPicture, Sender

PATIENCE = 30.0
"""How long a test waits for something that must come, in seconds."""


@pytest.fixture
async def server() -> AsyncIterator[WhipServer]:
    async with whip_server() as running:
        yield running


@pytest.fixture
async def client(server: WhipServer) -> AsyncIterator[WhipClient]:
    made = WhipClient(server.endpoint, await server.ticket())
    yield made
    await made.close()


async def frames_of(server: WhipServer, number: int = 0) -> None:
    await asyncio.wait_for(server.hub.analysers[number].frames.take(), PATIENCE)


def code_of(response: httpx.Response) -> str:
    body = response.json()
    assert set(body) == {"code", "message"}
    return str(body["code"])


async def test_a_client_publishes_and_its_frames_arrive(server: WhipServer, client: WhipClient) -> None:
    response = await client.publish()
    assert response.status_code == 201
    assert response.headers["content-type"].startswith("application/sdp")
    assert response.headers["location"].startswith(f"/whip/{ROOM}/")
    assert len(response.headers["location"].rpartition("/")[2]) >= 32
    assert "etag" not in response.headers
    await frames_of(server)


async def test_deleting_ends_the_session_and_forgets_it(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    await frames_of(server)
    assert (await client.delete()).status_code == 200
    assert server.hub.analysers[0].ended is End.CLOSED
    assert server.sessions == 0
    response = await client.delete()
    assert (response.status_code, code_of(response)) == (404, "not_found")


async def test_deleting_a_session_that_the_server_has_just_ended_is_no_error(
    server: WhipServer, client: WhipClient
) -> None:
    """Both sides end a session when consent is taken back; whichever is second must not be told of a fault."""
    await client.publish()
    await frames_of(server)
    await server.hub.analysers[0].close()
    assert server.sessions == 0
    owner, client.bearer = client.bearer, await server.ticket()
    assert (await client.delete()).status_code == 401
    client.bearer = owner
    assert [(await client.delete()).status_code for _ in range(2)] == [200, 404]


async def test_a_client_that_leaves_without_deleting_is_forgotten_too(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    await frames_of(server)
    assert server.sessions == 1
    await client.sender.close()
    while server.sessions:
        await asyncio.sleep(0.01)
    assert server.hub.analysers[0].ended is End.LEFT


async def test_candidates_may_come_later(server: WhipServer, client: WhipClient) -> None:
    """The client learns no address of the server, so that only its own, trickled ones can connect the two."""
    whole = (await client.sender.offer()).split("\r\n")
    named = [line for line in whole if line.startswith("a=candidate")]
    ufrag = next(line for line in whole if line.startswith("a=ice-ufrag"))
    response = await client.post("\r\n".join(line for line in whole if "candidate" not in line))
    answer = [line for line in response.text.split("\r\n") if "candidate" not in line]
    await client.sender.answered("\r\n".join(answer))
    fragment = "\r\n".join([ufrag, "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", *named, "a=end-of-candidates", ""])
    trickled = await client.trickle(fragment)
    assert (trickled.status_code, trickled.content) == (204, b"")
    await frames_of(server)


async def test_an_ice_restart_is_refused_and_the_session_goes_on(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    await frames_of(server)
    restart = "a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4yAe6dPPAzAP9Gp5k\r\n"
    for headers in ({}, {"If_Match": '"*"'}, {"If_Match": "*"}):
        response = await client.trickle(restart, **headers)
        assert (response.status_code, code_of(response)) == (422, "no_ice_restart")
    assert (await client.trickle(restart, If_Match='"xyzzy"')).status_code == 412
    await frames_of(server)


async def test_a_ticket_opens_one_session(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    again = WhipClient(server.endpoint, client.bearer)
    response = await again.publish()
    assert (response.status_code, code_of(response)) == (401, "ticket_refused")
    assert len(server.hub.analysers) == 1
    await again.close()


@pytest.mark.parametrize("authorization", ["", "Bearer", "bearer  ,", "Basic dTpw", "Bearer nonsense", "ticket"])
async def test_without_a_good_ticket_nothing_is_looked_at(
    server: WhipServer, client: WhipClient, authorization: str
) -> None:
    client.bearer = ""
    for body in ("v=0", "x" * 200_000):
        response = await client.post(body, Authorization=authorization)
        assert (response.status_code, code_of(response)) == (401, "ticket_refused")
        assert response.headers["www-authenticate"] == "Bearer"
    assert server.hub.analysers == []


async def test_a_ticket_for_another_room_origin_or_purpose_is_refused(server: WhipServer) -> None:
    elsewhere = await server.ticket(room="room-0002")
    of_a_page = await server.ticket(origin="https://lessons.example")
    for bearer in (elsewhere, of_a_page):
        client = WhipClient(server.endpoint, bearer)
        assert (await client.publish()).status_code == 401
        await client.close()


async def test_only_the_bearer_that_opened_a_session_may_change_it(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    await frames_of(server)
    owner = client.bearer
    for bearer in ("", await server.ticket()):
        client.bearer = bearer
        assert (await client.trickle("a=end-of-candidates")).status_code == 401
        assert (await client.delete()).status_code == 401
    client.bearer = owner
    await frames_of(server)


@pytest.mark.parametrize("type_", ["", "text/plain", "application/json", "application/trickle-ice-sdpfrag"])
async def test_an_offer_of_another_type_is_refused_before_the_ticket_is_spent(
    server: WhipServer, client: WhipClient, type_: str
) -> None:
    response = await client.post(await client.sender.offer(), type_)
    assert (response.status_code, code_of(response)) == (415, "wrong_type")
    assert (await client.publish()).status_code == 201


async def test_a_content_type_may_carry_parameters(server: WhipServer, client: WhipClient) -> None:
    response = await client.post(await client.sender.offer(), "Application/SDP; charset=utf-8")
    assert response.status_code == 201


async def test_a_fragment_of_another_type_is_refused(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    response = await client.send("PATCH", client.location, "a=end-of-candidates", "application/sdp")
    assert (response.status_code, code_of(response)) == (415, "wrong_type")


@pytest.mark.parametrize("body", [b"", b"hello", b"v=0\r\n", b"\xff\xfe", b"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"])
async def test_an_offer_that_is_none_is_refused(server: WhipServer, client: WhipClient, body: bytes) -> None:
    response = await client.post(body)
    assert (response.status_code, code_of(response)) == (400, "bad_sdp")
    assert server.hub.analysers == []


@pytest.mark.parametrize(
    "body", ["", "hello", "v=0", "a=candidate:nonsense", "a=candidate:1 1 udp 1 8.8.8.8 1 typ host\n" * 40]
)
async def test_a_fragment_that_is_none_is_refused(server: WhipServer, client: WhipClient, body: str) -> None:
    await client.publish()
    response = await client.trickle(body)
    assert (response.status_code, code_of(response)) == (400, "bad_sdp")
    await frames_of(server)


async def test_a_body_is_read_no_further_than_it_may_be_long(server: WhipServer, client: WhipClient) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 65_536
            yield b"a" * 65_536

    headers = {"Authorization": f"Bearer {client.bearer}", "Content-Type": "application/sdp"}
    try:
        response = await client.http.post(client.endpoint, content=flood(), headers=headers)
    except httpx.TransportError:
        pass  # the server hung up in the middle of the flood
    else:
        assert (response.status_code, code_of(response)) == (413, "too_large")
    assert sent < 32 * 1024 * 1024


async def test_a_body_that_does_not_come_is_not_waited_for(
    server: WhipServer, client: WhipClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whip_request, "BODY_SECONDS", 0.2)

    url = httpx.URL(client.endpoint)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {url.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.bearer}\r\n"
    writer.write(f"{head}Content-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"}")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(("bearer", "type_", "status"), [("nonsense", "application/sdp", 401), ("", "text/plain", 415)])
async def test_a_client_that_is_refused_while_it_still_sends_learns_why(
    server: WhipServer, client: WhipClient, bearer: str, type_: str, status: int
) -> None:
    """As clients do that write the whole request before they read: a connection closed under them would be reset."""
    url = httpx.URL(client.endpoint)
    head = f"POST {url.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer or client.bearer}\r\n"
    head += f"Content-Type: {type_}\r\nContent-Length: 60000\r\n\r\n"

    def send() -> bytes:
        with socket.create_connection((url.host, url.port or 80), timeout=PATIENCE) as connection:
            for part in (head.encode(), b"v" * 30_000, b"v" * 30_000):
                connection.sendall(part)
                time.sleep(0.1)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    assert (await asyncio.to_thread(send)).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(("refusal", "status"), [(Refused("no consent"), 403), (Busy("full"), 503)])
@pytest.mark.parametrize("when", ["refusal", "late"])
async def test_what_the_room_does_not_want_is_not_begun_or_left_open(
    server: WhipServer, client: WhipClient, refusal: Refused, status: int, when: str
) -> None:
    setattr(server.hub, when, refusal)
    response = await client.publish()
    assert response.status_code == status
    assert ("retry-after" in response.headers) == (status == 503)
    assert all(analyser.ended for analyser in server.hub.analysers)
    if when == "late":
        assert server.sessions == 0


async def test_more_sessions_than_there_is_room_for_are_refused() -> None:
    async with whip_server(analysers=1) as server:
        clients = [WhipClient(server.endpoint, await server.ticket()) for _ in range(3)]
        statuses = [(await client.publish()).status_code for client in clients]
        assert statuses == [201, 201, 503]
        assert server.hub.told == ["no_capacity"]
        for client in clients:
            await client.close()


async def test_a_room_is_told_when_there_is_no_address_to_receive_on() -> None:
    """Else its indicator would say for ever that the analyser connects."""
    turn = {"turn_urls": "turn:127.0.0.1:9?transport=udp", "turn_secret": "s" * 16, "ice_relay_only": True}
    async with whip_server(**turn) as server:
        client = WhipClient(server.endpoint, await server.ticket())
        response = await client.publish()
        assert (response.status_code, code_of(response)) == (503, "busy")
        assert server.hub.told == ["connection_poor"]
        assert server.sessions == 0
        await client.close()


async def test_ice_servers_come_as_links_with_credentials_that_expire() -> None:
    turn = "turn:127.0.0.1:9?transport=udp"
    settings = {"stun_urls": "stun:127.0.0.1:9", "turn_urls": turn, "turn_secret": "s" * 16}
    async with whip_server(**settings) as server:
        client = WhipClient(server.endpoint, await server.ticket())
        links = (await client.post(await client.sender.offer())).headers.get_list("link")
        assert links[0] == '<stun:127.0.0.1:9>; rel="ice-server"'
        assert links[1].startswith(f'<{turn}>; rel="ice-server"; username="')
        assert ':student-1"; credential="' in links[1]
        assert links[1].endswith('; credential-type="password"')
        await client.close()


async def test_options_say_what_may_be_sent(server: WhipServer, client: WhipClient) -> None:
    await client.publish()
    client.bearer = ""
    on_endpoint = await client.send("OPTIONS", client.endpoint)
    assert (on_endpoint.status_code, on_endpoint.headers["accept-post"]) == (200, "application/sdp")
    on_session = await client.send("OPTIONS", client.location)
    assert on_session.headers["accept-patch"] == "application/trickle-ice-sdpfrag"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def test_other_methods_on_the_endpoint_are_not_allowed(client: WhipClient, method: str) -> None:
    assert (await client.send(method, client.endpoint)).status_code == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
async def test_other_methods_on_a_session_are_not_allowed(client: WhipClient, method: str) -> None:
    await client.publish()
    assert (await client.send(method, client.location)).status_code == 405


async def test_pages_of_allowed_origins_may_read_the_answers_and_no_others() -> None:
    async with whip_server(allowed_origins="https://lessons.example") as server:
        for origin, allowed in (("https://lessons.example", True), ("https://evil.example", False), ("null", False)):
            client = WhipClient(server.endpoint, await server.ticket(origin=origin))
            asked = {"Origin": origin, "Access_Control_Request_Method": "POST"}
            before = await client.send("OPTIONS", client.endpoint, **asked)
            after = await client.post(await client.sender.offer(), Origin=origin)
            bad = await client.post("v=0", Origin=origin)
            for response in (before, after, bad):
                assert (response.headers.get("access-control-allow-origin") == origin) is allowed
                assert response.headers["vary"] == "Origin"
            assert ("Location" in after.headers.get("access-control-expose-headers", "")) is allowed
            await client.close()


async def test_three_lessons_at_once_do_not_mix(server: WhipServer) -> None:
    clients = [
        WhipClient(server.endpoint, await server.ticket(), Sender(MovingPicture(width=320 + 64 * n))) for n in range(3)
    ]
    for client in clients:
        await client.publish()
    widths = [(await asyncio.wait_for(a.frames.take(), PATIENCE)).width for a in server.hub.analysers]
    assert widths == [320, 384, 448]
    for client in clients:
        await client.close()
