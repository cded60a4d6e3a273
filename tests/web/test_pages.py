"""The pages as files: nothing inline, nothing from elsewhere, addresses that work under a prefix, readable colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
PAGES = sorted(WEB.glob("*.html"))
MODULES = sorted((WEB / "js").glob("*.js"))
SHEETS = sorted((WEB / "css").glob("*.css"))
OURS = [*PAGES, *MODULES, *SHEETS, *WEB.glob("*.svg")]

READABLE = 4.5
"""WCAG 2.2, success criterion 1.4.3, ordinary text."""
SEEN = 3.0
"""Success criterion 1.4.11, edges of controls."""
TEXT_ON_GROUND = [
    ("ink", "ground"), ("ink", "surface"), ("ink", "sunken"), ("ink", "accent-soft"), ("ink", "warm-soft"),
    ("ink", "warm-mark"), ("ink-soft", "ground"), ("ink-soft", "surface"), ("ink-soft", "sunken"),
    ("ink-soft", "accent-soft"), ("accent-ink", "accent"), ("accent-ink", "accent-strong"),
    ("accent-text", "surface"), ("accent-text", "ground"), ("accent-text", "accent-soft"), ("accent-text", "sunken"),
    ("warm", "warm-soft"), ("warm", "surface"), ("stage-ink", "stage"), ("stage-ink", "stage-soft"),
]  # fmt: skip
EDGES = [
    ("line-strong", "surface"), ("line-strong", "ground"), ("accent", "surface"), ("accent", "ground"),
    ("good", "surface"), ("amber", "surface"), ("bad", "surface"),
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_is_inline(page: Path) -> None:
    """The content security policy would not run it."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_comes_from_another_host(path: Path) -> None:
    found = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", path.read_text(encoding="utf-8"))
    assert [address for address in found if "www.w3.org" not in address] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_addresses_are_relative_and_lead_to_files(page: Path) -> None:
    """The application may be mounted under a prefix, so no address may begin at the root."""
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.read_text(encoding="utf-8")):
        assert not address.startswith("/")
        assert (WEB / re.sub(r"^(\.\./)?static/", "", address)).is_file(), address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_ids_are_given_once_and_references_lead_to_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "for"):
        for value in re.findall(rf'\s{name}="([^"]+)"', text):
            assert set(value.split()) <= set(ids), f"{name}={value}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_test_ids_are_given_once(page: Path) -> None:
    names = re.findall(r'data-testid="([^"]+)"', page.read_text(encoding="utf-8"))
    assert len(names) == len(set(names))


def test_modules_find_every_id_that_they_ask_for() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    ids = set(re.findall(r'\sid="([^"]+)"', pages)) | {"announcer"}
    asked = {
        name for module in MODULES for name in re.findall(r'byId\("([^"]+)"\)', module.read_text(encoding="utf-8"))
    }
    assert asked <= ids, asked - ids


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_build_no_markup_from_text(module: Path) -> None:
    """A person's words reach the page as text only."""
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", module.read_text("utf-8"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_stay_small(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 290


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_is_readable(scheme: str, text: str, ground: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[text], colours[ground]) >= READABLE


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_controls_are_seen(scheme: str, edge: str, ground: str) -> None:
    colours = tokens(scheme)
    assert contrast(colours[edge], colours[ground]) >= SEEN


def tokens(scheme: str) -> dict[str, str]:
    """The colours of base.css in one scheme; the dark block only says what differs."""
    sheet = (WEB / "css" / "base.css").read_text(encoding="utf-8")
    light, dark = sheet.split("@media (prefers-color-scheme: dark)")[:2]
    found = dict(pairs(light))
    return found | dict(pairs(dark.partition("\n}\n")[0])) if scheme == "dark" else found


def pairs(block: str) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
