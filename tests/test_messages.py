"""The wire protocol: what is read, what is refused, and that a refusal never repeats the sender's words."""

from __future__ import annotations

import json

import pytest

from lessonroom import messages
from lessonroom.errors import BadMessage

SECRET = "vasya-pupkin-79123456789"


def test_every_message_of_a_page_survives_dump_and_parse() -> None:
    said = [
        messages.Hello(ticket="t" * 20, page="page-0001", after=7),
        messages.ChatSend(id="message-1", text="привет 👋"),
        messages.ChatSend(id="message-1", text="\n\ttwo\r\nlines\u2028\x01"),
        messages.ChatAppeal(id="message-1"),
        messages.SignalSend(to="member-01", page="page-0001", candidate=messages.Candidate(candidate="")),
        messages.ConsentSend(agreed=True),
        messages.Camera(on=False),
        messages.StuckSend(id="press-001"),
        messages.HintFeedback(hint="hint-0001", helpful=None),
        messages.HintsOn(on=False),
        messages.Leave(),
        messages.Ping(),
    ]
    for message in said:
        assert messages.parse(messages.dump(message)) == message


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "null",
        "7",
        '"hello"',
        "{",
        '{"type": "chat.send"}',
        json.dumps({"type": "chat.send", "id": SECRET * 9, "text": "x"}),
        json.dumps({"type": "chat.send", "id": "short", "text": SECRET}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": ""}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": f"{SECRET}\x00"}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": f"\n\x00{SECRET}"}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": f"{SECRET}\ud83d"}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": f"\udc4b{SECRET}"}),
        json.dumps({"type": "chat.send", "id": "message-1", "text": SECRET, SECRET: 1}),
        json.dumps({"type": SECRET, "id": "message-1"}),
        json.dumps({"type": "consent", "agreed": 1}),
        json.dumps({"type": "consent", "agreed": SECRET}),
        json.dumps({"type": "hello", "ticket": "t" * 20, "page": "page-0001", "after": -1}),
        json.dumps({"type": "hello", "ticket": "t" * 20, "page": "page-0001", "after": 2**63}),
        '{"type": "hello", "ticket": "tttttttttttttttttttt", "page": "page-0001", "after": NaN}',
        json.dumps({"type": "signal", "to": "member-01", "page": "page-0001", "candidate": {"candidate": SECRET * 99}}),
        "[" * 100_000,
    ],
)
def test_what_the_protocol_does_not_know_is_refused_without_the_senders_words(frame: str) -> None:
    with pytest.raises(BadMessage) as caught:
        messages.parse(frame)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
