"""The doors of the command line: one line in, one line out, in order, flushed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lessonroom.chat import commands, dataset
from lessonroom.chat.policy import ChatPolicy
from lessonroom.errors import BadInput

POLICY = ChatPolicy()


class Watched(io.StringIO):
    """A stream that remembers how many lines it held whenever it was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue().count("\n"))


def ask(*records: object) -> list[dict[str, object]]:
    out = io.StringIO()
    lines = io.StringIO("".join(json.dumps(record) + "\n" for record in records))
    commands.check(None, policy=POLICY, out=out, lines=lines)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_is_answered_in_order_and_flushed() -> None:
    out = Watched()
    records = [{"id": i, "text": text} for i, text in enumerate(("привет", "мой тел 8 905 123 45 67", ""))]
    commands.check(None, policy=POLICY, out=out, lines=io.StringIO("\n".join(map(json.dumps, records)) + "\n"))
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert [answer["action"] for answer in answers] == ["relay", "block", "relay"]
    assert out.flushed == [1, 2, 3]


def test_an_answer_has_the_fields_of_the_contract() -> None:
    (answer,) = ask({"id": "x", "text": "мой тел 8 905 123 45 67"})
    assert set(answer) == {"id", "action", "probability", "kinds", "findings"}
    assert answer["kinds"] == ["phone"]
    finding = answer["findings"][0]  # type: ignore[index]
    assert set(finding) == {"kind", "start", "end", "evidence"}


def test_a_conversation_is_judged_by_its_last_message() -> None:
    said = [{"from": "a", "text": "мой номер 8905"}, {"from": "b", "text": "да"}, {"from": "a", "text": "1234567"}]
    blocked, passed = ask({"id": 1, "conversation": said}, {"id": 2, "conversation": said[:2]})
    assert blocked["action"] == "block"
    assert passed["action"] == "relay"


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[1]",
        '{"id": 1}',
        '{"id": 1, "text": 5}',
        '{"conversation": []}',
        '{"conversation": [{"from": "a"}]}',
    ],
)
def test_a_bad_line_is_named_by_its_number_and_not_quoted(line: str) -> None:
    out = io.StringIO()
    with pytest.raises(BadInput, match="line 2") as refused:
        commands.check(None, policy=POLICY, out=out, lines=io.StringIO('{"id": 1, "text": "ok"}\n' + line + "\n"))
    assert out.getvalue().count("\n") == 1
    assert "nonsense" not in str(refused.value)


def test_one_text_is_answered_in_words() -> None:
    out = io.StringIO()
    commands.check("мой тел 8 905 123 45 67", policy=POLICY, out=out)
    assert out.getvalue().startswith("block")
    assert "phone at" in out.getvalue()


def test_a_labelled_file_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    rows = [
        {"text": "мой тел 8 905 123 45 67", "label": 1, "lang": "ru", "kind": "phone", "difficulty": "easy"},
        {"text": "спасибо за урок", "label": 0, "lang": "ru"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out, shown = io.StringIO(), list[tuple[str, float, float]]()
    measured = commands.evaluate(path, policy=POLICY, progress=lambda *said: shown.append(said))
    commands.tell(measured, out, as_json=True)
    figures = json.loads(out.getvalue())
    assert shown == [("screening", 1, 2), ("screening", 2, 2)]
    assert figures["all"]["matrix"] == {"tp": 1, "fn": 0, "fp": 0, "tn": 1}
    assert figures["lang"]["ru"]["recall"]["share"] == 1.0


def test_a_talk_counts_as_stopped_when_any_of_its_messages_was(tmp_path: Path) -> None:
    """In a lesson the filter stands before every message; a line by itself is measured apart."""
    asked = [{"from": "a", "text": "мой тел 8 905 123 45 67"}, {"from": "b", "text": "ок"}]
    calm = [{"from": "a", "text": "спасибо за урок"}, {"from": "b", "text": "до завтра"}]
    path = tmp_path / "talks.jsonl"
    rows = [{"conversation": asked, "label": 0, "before": 1}, {"conversation": calm, "label": 0}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    figures = commands.evaluate(path, policy=POLICY)
    assert figures["all"]["matrix"] == {"tp": 0, "fn": 0, "fp": 0, "tn": 2}
    assert figures["talk"]["matrix"] == {"tp": 1, "fn": 0, "fp": 0, "tn": 1}


def test_a_file_that_is_no_labelled_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "no label"}\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"bad\.jsonl:1"):
        commands.evaluate(path, policy=POLICY)


@pytest.mark.parametrize(
    "line",
    [
        '{"text": 5, "label": 1}',
        '{"conversation": [{"from": "a", "text": null}], "label": 0}',
        '{"text": "hi", "label": 7}',
        '{"text": "hi", "label": 1, "before": -1}',
        "[" * 100_000,
    ],
    ids=["number", "null", "label", "before", "deep"],
)
def test_a_row_that_is_no_labelled_text_is_refused_with_its_line_and_not_quoted(line: str, tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text('{"text": "hi", "label": 0}\n' + line + "\n")
    with pytest.raises(BadInput, match=r"^labelled\.jsonl:2: expected [^\[\"]*$"):
        dataset.read_rows(path)


def test_a_text_with_unicode_line_separators_is_one_row(tmp_path: Path) -> None:
    """Chats have them; JSON does not escape them. Excel writes a byte order mark and ends lines as Windows does."""
    path = tmp_path / "labelled.jsonl"
    texts = ["one\u2028two\x85three", "four"]
    lines = [json.dumps({"text": text, "label": 0}, ensure_ascii=False) for text in texts]
    path.write_text("\r\n".join([*lines, ""]), encoding="utf-8-sig", newline="")
    assert [row.text for row in dataset.read_rows(path)] == texts
