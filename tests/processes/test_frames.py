"""Messages between processes: whole however the bytes are cut, and nothing but what a process of ours says."""

from __future__ import annotations

import json
from struct import pack as binary

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.errors import BadMessage
from lessonroom.processes import frames
from lessonroom.processes.frames import Message, Unpacker, pack

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4), st.integers(1, 20))
def test_messages_come_out_whole_and_in_order_however_their_bytes_are_cut(messages: list[Message], size: int) -> None:
    data, unpacker = b"".join(map(pack, messages)), Unpacker()
    heard = [message for i in range(0, len(data), size) for message in unpacker.feed(data[i : i + size])]
    assert heard == messages


def test_half_a_pair_of_surrogates_comes_out_as_it_went_in() -> None:
    assert list(Unpacker().feed(pack({"text": "\ud83d!"}))) == [{"text": "\ud83d!"}]


@pytest.mark.parametrize("body", [b"x", b"[1]", b"\xff", b"1"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        list(Unpacker().feed(binary("!I", len(body)) + body))


def test_a_message_that_is_too_long_is_neither_said_nor_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LONGEST", 100)
    with pytest.raises(BadMessage):
        pack({"text": "x" * 100})
    with pytest.raises(BadMessage):
        list(Unpacker().feed(binary("!I", 101)))
    assert list(Unpacker().feed(pack({"a": 1}))) == [json.loads('{"a": 1}')]
