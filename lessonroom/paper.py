"""Reports as pages that need nothing but themselves: no script, no font, no other host. Pure.

What all reports share: the frame, cards, figures, colours for light, dark and paper. Drawings take their colours from
the classes here, so that one drawing serves all three.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from typing import Final


def page(title: str, parts: Iterable[str], style: str = "") -> str:
    """The whole page. ``style``: rules of this report, beside those of all reports.

    The page forbids itself to load or run anything (Content Security Policy, level 3), so it is also served as it is
    by a site whose own policy knows nothing of it.
    """
    rules = STYLE + style + PAPER
    digest = b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)} – Lessonroom</title><style>{rules}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def head(title: str, about: str) -> str:
    """The top of the page; ``about`` is markup."""
    return f'<header><p class="product">Lessonroom</p><h1>{escape(title)}</h1><p class="about">{about}</p></header>'


def figures(pairs: Iterable[tuple[str, str]]) -> str:
    """Values with their meanings, large, in one row where there is room."""
    cells = (f"<div><strong>{escape(value)}</strong><span>{meaning}</span></div>" for value, meaning in pairs)
    return f'<section class="figures" aria-label="In short">{"".join(cells)}</section>'


def card(title: str, inside: str) -> str:
    """One part of the page; ``inside`` is markup."""
    return f'<section class="card"><h2>{title}</h2>{inside}</section>'


def legend(rows: Iterable[tuple[str, str]]) -> str:
    """What the marks mean: class of a swatch, words."""
    return f'<ul class="legend">{"".join(f"<li><i class={kind}></i>{text}</li>" for kind, text in rows)}</ul>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are markup."""
    top = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def foot(text: str) -> str:
    """The last words."""
    return f"<footer><p>{text}</p></footer>"


STYLE: Final = """
:root{--ground:#f6f4ef;--card:#fff;--ink:#1c2628;--soft:#546063;--rule:#e0dbd0;--accent:#0b6b63;--area:#0b6b6322;
--evidence:#c98a1b;--unseen:#aab0ad;--shade:#ece9e1;--hint:#1c2628;--hint-ink:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#131919;--card:#1c2424;--ink:#e8ecea;--soft:#a3b0ad;--rule:#2e3838;
--accent:#7fd1c4;--area:#7fd1c422;--evidence:#e0b04e;--unseen:#5d6866;--shade:#252e2e;--hint:#e8ecea;--hint-ink:#131919}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}
header{margin-bottom:1.75rem}
.product{margin:0;color:var(--accent);font-weight:600;letter-spacing:.01em}
h1{margin:.15rem 0 .25rem;font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 1rem;font-size:1.1rem}
.about{margin:0;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;margin-bottom:.75rem}
.figures div,.card{background:var(--card);border:1px solid var(--rule);border-radius:12px}
.figures div{padding:1rem 1.15rem}
.figures strong{display:block;font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);font-size:.9rem}
.card{padding:1.25rem 1.35rem;margin-bottom:.75rem;overflow-x:auto}
.plot,.track{fill:var(--shade);opacity:.45}
.grid{stroke:var(--rule)}
.tick,.axis,.state{fill:var(--soft)}
.threshold{stroke:var(--soft);stroke-dasharray:4 5}
.line{fill:none;stroke:var(--accent);stroke-width:2.25;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.5rem;margin:1rem 0 0;padding:0;list-style:none;color:var(--soft);
font-size:.875rem}
.legend i{display:inline-block;width:1.1rem;height:.7rem;border-radius:3px;margin-right:.5rem}
.swatch-line{background:linear-gradient(var(--accent),var(--accent)) center/100% 3px no-repeat}
.swatch-evidence{background:var(--evidence)}
.none{margin:0;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--soft);font-weight:500;font-size:.875rem}
th,td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--rule)}
tbody tr:last-child td{border-bottom:0}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--accent);padding:.6rem 0;min-height:44px}
footer{color:var(--soft);font-size:.9rem;max-width:46rem;padding-top:.75rem}
"""

PAPER: Final = """
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--accent:#08544e;--area:#08544e1a;
--evidence:#8a5c00;--unseen:#888;--shade:#eee;--hint:#000;--hint-ink:#fff}
main{padding:0;max-width:none}.card,.figures div{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
"""On paper; the last rules, so that they win."""
