"""The protocol's document and its models say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from lessonroom import messages as m
from lessonroom.media.types import Unseen
from lessonroom.server import figures
from lessonroom.server.capacity import CAN_BE_FULL, PARTS

DOCUMENT = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text()


def part(title: str) -> str:
    """The text below a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found.group(1)


def sections(title: str) -> dict[str, str]:
    pieces = re.split(r"^### (.+)\n", part(title), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def types_of(union: Any) -> dict[str, type[BaseModel]]:
    return {model.model_fields["type"].default: model for model in get_args(get_args(union)[0])}


@pytest.mark.parametrize(("title", "union"), [("From the page", m.FromPage), ("To the page", m.ToPage)])
def test_every_message_has_a_section_and_every_section_a_message(title: str, union: Any) -> None:
    assert sections(title).keys() == types_of(union).keys()


@pytest.mark.parametrize(
    ("title", "read"), [("From the page", m.parse), ("To the page", m.parse_to_page)], ids=["from", "to"]
)
def test_every_example_is_a_message_of_its_section(title: str, read: Any) -> None:
    for name, text in sections(title).items():
        examples = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
        assert examples, name
        for example in examples:
            assert read(example).type == name


def test_every_field_of_a_message_stands_in_an_example_or_in_its_text() -> None:
    for title, union in (("From the page", m.FromPage), ("To the page", m.ToPage)):
        for name, model in types_of(union).items():
            for field in model.model_fields:
                assert field in sections(title)[name], f"{name}.{field}"


def test_every_close_code_is_explained() -> None:
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)` \|", part("Close codes"), re.MULTILINE)
    assert rows == [(str(code.value), code.name) for code in m.CloseCode]


def test_every_reason_of_the_indicator_is_explained() -> None:
    for reason in {*Unseen} - {Unseen.NOT_LOOKED}:
        assert f"`{reason}`" in part("Rules")


def test_the_snapshot_in_the_document_has_the_fields_of_a_real_one() -> None:
    example = json.loads(re.findall(r"```text\n(.*?)```", part("`/ws/operations`"), re.DOTALL)[0])
    source = Path(figures.__file__).read_text()
    for key in [*example, *example["table"][0], *example["history"][0], *example["cpu"], *example["health"]]:
        assert f'"{key}"' in source, key
    plain = ("all_well", "store_down", "vision_down", "no_vision", "analysers_taken")
    for key in (*plain, *(f"{one}_full" for one in CAN_BE_FULL), *(f"{one}_busy" for one in PARTS)):
        assert f"`{key}`" in part("`/ws/operations`")
