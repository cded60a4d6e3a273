"""JSON that says something twice is nothing that anybody may act on."""

from __future__ import annotations

import json

import pytest

from lessonroom import messages as m
from lessonroom.errors import BadMessage
from lessonroom.server.strict import read_message, says_it_twice


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"consent","agreed":false,"agreed":true}',
        '{"type":"consent","agreed":true,"agreed":true}',
        '{"type":"consent","type":"consent","agreed":true}',
        '{"type":"ping","type":"consent","agreed":true}',
        '{"type":"consent","agreed":false,"\\u0061greed":true}',
        '{"type":"chat.send","id":"message-1","text":"a","text":"b"}',
        '{"type":"signal","to":"member-01","page":"page-0001","candidate":{"candidate":"a","candidate":"b"}}',
        # what a later value of the same name hides is looked at, too
        '{"type":"hello","ticket":"' + "x" * 20 + '","page":"page-0001","after":' + "9" * 5000 + ',"after":1}',
    ],
)
def test_a_message_that_says_something_twice_is_refused(frame: str) -> None:
    """``agreed: false, agreed: true`` is a no to one reader and a yes to another."""
    with pytest.raises(BadMessage) as caught:
        read_message(frame)
    assert "agreed" not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        m.ConsentSend(agreed=False),
        m.ChatSend(id="message-1", text='{"a":1,"a":2}'),
        m.SignalSend(to="member-01", page="page-0001", candidate=m.Candidate(candidate="a", sdpMid="0")),
    ],
)
def test_honest_messages_are_read_as_they_are(message: m.FromPage) -> None:
    assert read_message(m.dump(message)) == message


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff", "nul"])
def test_what_is_no_json_is_said_so(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|decode|Expecting"):
        says_it_twice(text)


def test_the_same_name_in_two_objects_is_said_once_in_each() -> None:
    assert not says_it_twice(json.dumps({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}))
