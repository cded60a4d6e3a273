"""The frame of all reports: it needs nothing from anywhere, and says so to the browser."""

from __future__ import annotations

import base64
import hashlib
import re

from lessonroom import paper


def test_the_page_lets_nothing_in_but_its_own_style() -> None:
    text = paper.page("a", [paper.card("b", "c")], ".own{color:red}")
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert policy == [f"default-src 'none'; style-src 'sha256-{digest}'"]
    assert ".own{color:red}" in style[0]
    assert "<script" not in text
    assert not re.search(r"\sstyle=|\son\w+=", text)


def test_titles_and_values_are_text_and_not_markup() -> None:
    text = paper.page("<b>", [paper.head("<i>", "about"), paper.figures([("<u>", "meaning")])])
    assert not re.search("<b>|<i>|<u>", text)


def test_it_looks_right_in_light_in_the_dark_and_on_paper() -> None:
    text = paper.page("a", [])
    assert 'name="color-scheme" content="light dark"' in text
    assert text.index("prefers-color-scheme:dark") < text.index("@media print")


def test_a_table_has_a_row_for_each_and_cells_under_their_heads() -> None:
    text = paper.table(("one", "two"), [("1", "2"), ("3", "4")])
    assert re.findall(r"<th>(\w+)</th>", text) == ["one", "two"]
    assert re.findall(r"<td>(\d)</td>", text) == ["1", "2", "3", "4"]
