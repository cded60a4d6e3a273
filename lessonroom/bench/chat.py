"""How fast the chat filter is on this machine: one core, the whole path from text to verdict."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine
from lessonroom.chat import classifier as shelf
from lessonroom.chat import dataset
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import MAX_LENGTH, screen
from lessonroom.progress import Show, unseen

HOSTILE: Final = (
    "1 ",
    "a.b@",
    "vk.com ",
    "@ ",
    "a.",
    "ab@",
    "vk a1 ",
    "gmail x1 ",
    "🐶1️⃣",
    "ул ленина 5 ",
    "a1_",
    "8\u0336",
    "один ",
    "(",
    "мой тел 8 905 ",
)
"""Pieces of which a text is made that asks for as much work as it can. Tests count the steps on the same ones."""
_LONG: Final = 65_536
_SHOWN_EVERY: Final = 500
"""Texts from one look at the progress bar to the next."""
_BESIDE: Final = 300
"""Texts of the comparison with another tool; each is screened by both, one after the other."""
ABSENT: Final = "not installed; `pip install presidio-analyzer` puts its figures here"


def measure(
    texts: Sequence[str] = (), models_dir: Path | None = None, seconds: float = 5.0, progress: Show = unseen
) -> dict[str, Any]:
    """Median, percentiles and rate over ``texts`` (the corpus by default); the worst of hostile texts.

    ``seconds``: at least; every text has its turn once, and so long a round is always ended.

    Times are milliseconds of the thread's own clock. Each text is screened as a message of a new sender. The lower
    bound is one pass over the text that only cuts it into words.
    """
    model, policy = shelf.load(models_dir), ChatPolicy()
    texts = texts or [row.text for row in dataset.corpus()]

    def path(text: str) -> object:
        return screen(text, model, policy)

    for text in texts[:500]:
        path(text)
    times = _times(path, texts, seconds, progress)
    bound = statistics.median(_times(str.split, texts, 0.5))
    median, p95, p99 = (statistics.quantiles(times, n=100)[share - 1] for share in (50, 95, 99))
    worst = max(_best(path, (piece * _LONG)[:size]) for piece in HOSTILE for size in (MAX_LENGTH, _LONG))
    figures: dict[str, Any] = {
        "bench": "chat",
        "machine": machine.describe(),
        "messages": len(times),
        "median_ms": round(median, 4),
        "p95_ms": round(p95, 4),
        "p99_ms": round(p99, 4),
        "per_second": round(1000 * len(times) / sum(times)),
        "hostile_64k_ms": round(worst, 2),
        "bound_ms": round(bound, 5),
        "ratios": {
            "median_to_bound": round(median / bound, 1),
            "p95_to_bound": round(p95 / bound, 1),
            "p99_to_bound": round(p99 / bound, 1),
            "hostile_64k_to_bound": round(worst / bound, 1),
        },
        "costs": {"median_ms": round(median, 4), "hostile_64k_ms": round(worst, 2)},
    }
    presidio = _presidio()
    figures["presidio"] = ABSENT if presidio is None else _beside(path, presidio, texts, seconds)
    return figures


def _beside(path: Callable[[str], object], presidio: _Presidio, texts: Sequence[str], seconds: float) -> dict[str, Any]:
    """Both on the same texts in turn, so that whatever slows the machine meanwhile slows both."""
    some = texts[:: max(len(texts) // _BESIDE, 1)]
    presidio.analyse(some[0])
    pairs = [(_once(path, text), _once(presidio.analyse, text)) for text in _again(some, seconds)]
    ours, theirs = ([pair[who] for pair in pairs] for who in (0, 1))
    return {
        "language_model": presidio.reads,
        "messages": len(pairs),
        "our_median_ms": round(statistics.median(ours), 4),
        "median_ms": round(statistics.median(theirs), 3),
        "p99_ms": round(statistics.quantiles(theirs, n=100)[98], 3),
        "ratio_of_medians": round(statistics.median(theirs) / statistics.median(ours), 1),
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title="From text to verdict, one core")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, figure in figures.items():
        if name in {"bench", "machine", "asked", "costs"}:
            continue
        parts = figure.items() if isinstance(figure, dict) else [("", figure)]
        for part, value in parts:
            table.add_row(f"{name} {part}".strip().replace("_", " "), f"{value}")
    console.print(table)


def _times(path: Callable[[str], object], texts: Sequence[str], seconds: float, progress: Show = unseen) -> list[float]:
    times: list[float] = []
    for text in _again(texts, seconds):
        times.append(_once(path, text))
        if len(times) % _SHOWN_EVERY == 0:  # outside of what is timed, and seldom
            progress("screening", len(times) % len(texts), len(texts))
    return times


def _again(texts: Sequence[str], seconds: float) -> Iterator[str]:
    """All texts, and all of them again, until the time is over."""
    end = time.perf_counter() + seconds
    while True:
        yield from texts
        if time.perf_counter() >= end:
            return


def _once(path: Callable[[str], object], text: str) -> float:
    start = time.thread_time_ns()
    path(text)
    return (time.thread_time_ns() - start) / 1e6


def _best(path: Callable[[str], object], text: str) -> float:
    """The best of three: a collection of garbage from elsewhere is not the text's doing."""
    return min(_once(path, text) for _ in range(3))


@dataclass(frozen=True, slots=True)
class _Presidio:
    """``reads``: the model of English behind it; with none it does not look for names, and is quicker."""

    analyse: Callable[[str], object]
    reads: str


def _presidio() -> _Presidio | None:
    """Presidio's analyser with its default recognisers, where somebody has installed it for comparison.

    Its own default is spaCy's large model, which it would fetch; here it gets the best that is installed, or none.
    """
    if importlib.util.find_spec("presidio_analyzer") is None:
        return None
    analyzer, spacy = importlib.import_module("presidio_analyzer"), importlib.import_module("spacy")
    installed = sorted(name for name in spacy.util.get_installed_models() if name.startswith("en_"))
    reads = next((name for size in ("_lg", "_md", "_sm") for name in installed if size in name), "")
    models = [{"lang_code": "en", "model_name": reads}]
    tokens = importlib.import_module("presidio_analyzer.nlp_engine").SpacyNlpEngine(models=models)
    if not reads:
        tokens.nlp = {"en": spacy.blank("en")}
    engine = analyzer.AnalyzerEngine(nlp_engine=tokens, supported_languages=["en"])
    return _Presidio(lambda text: engine.analyze(text=text, language="en"), reads or "none")
