"""What ``lessonroom chat ...`` does, as functions of parsed arguments and streams. The command line only calls them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from lessonroom.chat import classifier as shelf
from lessonroom.chat import dataset
from lessonroom.chat.evaluate import Judged, in_words, report
from lessonroom.chat.generator import generate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.report import page
from lessonroom.chat.screen import decide_by_rules, look, screen
from lessonroom.chat.types import Action, Line, Verdict
from lessonroom.errors import BadInput
from lessonroom.outfile import report_file
from lessonroom.progress import Show, unseen

Screener = Callable[[str, str, Sequence[Line]], Verdict]
"""Text, sender and earlier lines to a verdict."""


def screener(policy: ChatPolicy, models_dir: Path | None = None, *, rules_only: bool = False) -> Screener:
    """The filter as the gate runs it, without a deadline. Raises ModelRefused where there is no model."""
    if rules_only:
        return lambda text, sender, context: decide_by_rules(look(text, policy, sender, context), policy)
    model = shelf.load(models_dir)
    return lambda text, sender, context: screen(text, model, policy, sender, context)


def check(
    text: str | None,
    *,
    policy: ChatPolicy,
    out: TextIO,
    lines: TextIO | None = None,
    models_dir: Path | None = None,
    rules_only: bool = False,
    as_json: bool = False,
) -> None:
    """Screen one text, or every line of a JSONL stream: one answer a line, in order, flushed at once.

    ``lines`` have what was no UTF-8 as half surrogate pairs (``surrogateescape``).

    Raises BadInput, with the number of the line, for a line that is not ``{"id", "text"}`` or
    ``{"id", "conversation": [{"from", "text"}, ...]}``; every line before it has been answered.
    """
    ask = screener(policy, models_dir, rules_only=rules_only)
    if lines is None:
        if text is None:
            raise BadInput("chat check: expected a text or --jsonl, got neither")
        verdict = ask(text, "", ())
        out.write((json.dumps(answer(None, verdict), ensure_ascii=False) if as_json else _in_words(verdict)) + "\n")
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = _record(line, number)
        out.write(json.dumps(answer(record.get("id"), _ask(ask, record, number)), ensure_ascii=False) + "\n")
        out.flush()


def train(
    *,
    out_dir: Path,
    foreign_dir: Path | None,
    policy: ChatPolicy,
    version: str,
    out: TextIO,
    per_template: int = 6,
    compare: bool = False,
    progress: Show = unseen,
) -> None:
    """Train the model from the corpus and write ``contact_filter.npz`` and its sidecar into ``out_dir``.

    ``foreign_dir``: labelled JSONL of other people to train on as well, or None. ``compare``: print how an SVM,
    logistic regression and a neural network do on our 60/20/20 split by family, beside the article's figures.
    Raises BadInput for data that cannot be read.
    """
    from lessonroom.chat import card  # noqa: PLC0415  (scikit-learn takes a second to import: training alone wants it)
    from lessonroom.chat import compare as rivals  # noqa: PLC0415
    from lessonroom.chat import train as trainer  # noqa: PLC0415

    written, made_up = dataset.corpus(), list(generate(per_template, seed=1))
    others = list(dataset.foreign(foreign_dir)) if foreign_dir is not None else []
    if compare:
        for line in rivals.table([*written, *others], made_up, policy, progress):
            out.write(line + "\n")
    trained = trainer.build(written, made_up, others, policy, progress=progress)
    path = card.write(trained, out_dir, version, sorted({row.family for row in others}))
    out.write(f"{path.name}: {sum(trained.counts.values())} rows\n")
    for line in in_words(trained.figures["written"]):
        out.write(line + "\n")


def evaluate(
    path: Path,
    *,
    policy: ChatPolicy,
    models_dir: Path | None = None,
    rules_only: bool = False,
    html: Path | None = None,
    progress: Show = unseen,
) -> dict[str, Any]:
    """Measure the filter on a labelled JSONL file. ``html``: where to write a page with curves and tables, too.

    Raises BadInput for a file that is none, and before the work where the page cannot be written.
    """
    rows = list(dataset.read_rows(path))
    if not rows:
        raise BadInput(f"{path.name}: expected labelled messages, got an empty file")
    ask = screener(policy, models_dir, rules_only=rules_only)
    with report_file(html) as out:
        judged = []
        for number, row in enumerate(rows, start=1):
            verdict = ask(row.text, row.sender, row.context)
            talk = stops_talk(ask, row) if row.context else None
            judged.append(Judged.of(row, verdict.action, verdict.probability, talk))
            progress("screening", number, len(rows))
        figures = report(judged)
        if out is not None:
            by = "the rules alone" if rules_only else f"model {shelf.load(models_dir).version}"
            out.truncate(0)
            out.write(page(path.name, judged, figures, threshold=policy.block_from(), model=by))
    return figures


def stops_talk(ask: Screener, row: dataset.Row) -> bool:
    """Whether a lesson would have stopped any message of a conversation: each is screened after those before it."""
    said = (*row.context, Line(row.sender, row.text))
    return any(ask(line.text, line.sender, said[:i]).action is not Action.RELAY for i, line in enumerate(said))


def tell(figures: dict[str, Any], out: TextIO, *, as_json: bool) -> None:
    """Write the figures of :func:`evaluate`, as one JSON object or in words."""
    if as_json:
        out.write(json.dumps(figures) + "\n")
        return
    for line in in_words(figures):
        out.write(line + "\n")


def answer(key: object, verdict: Verdict) -> dict[str, Any]:
    """A verdict as the stream gives it. Spans are in code points of the original text, half-open."""
    findings = [
        {"kind": f.kind.value, "start": f.start, "end": f.end, "evidence": f.evidence} for f in verdict.findings
    ]
    kinds = list(dict.fromkeys(f.kind.value for f in verdict.findings))
    record: dict[str, Any] = {} if key is None else {"id": key}
    record |= {
        "action": verdict.action.value,
        "probability": round(verdict.probability, 6),
        "kinds": kinds,
        "findings": findings,
    }
    return record | ({"degraded": True} if verdict.degraded else {})


def _record(line: str, number: int) -> Mapping[str, Any]:
    try:
        line.encode()
        record = json.loads(line)
    except UnicodeEncodeError:
        raise BadInput(f"line {number}: expected UTF-8, got another encoding") from None
    except (ValueError, RecursionError):
        raise BadInput(f"line {number}: expected one JSON object, got something else") from None
    if not isinstance(record, dict):
        raise BadInput(f"line {number}: expected a JSON object, got {type(record).__name__}")
    return record


def _ask(ask: Screener, record: Mapping[str, Any], number: int) -> Verdict:
    if "conversation" in record:
        said = list(conversation(record["conversation"], number))
        last = said.pop()
        return ask(last.text, last.sender, said)
    if not isinstance(record.get("text"), str):
        raise BadInput(f"line {number}: expected a string under text, got {type(record.get('text')).__name__}")
    return ask(record["text"], "", ())


def conversation(raw: object, number: int) -> Iterator[Line]:
    """The lines of a conversation, oldest first. Raises BadInput."""
    if not isinstance(raw, list) or not raw:
        raise BadInput(f"line {number}: expected a list of messages under conversation, got {type(raw).__name__}")
    for said in raw:
        if not isinstance(said, dict) or not isinstance(said.get("text"), str):
            raise BadInput(f'line {number}: expected messages like {{"from", "text"}}, got {type(said).__name__}')
        yield Line(str(said.get("from", "")), said["text"])


def _in_words(verdict: Verdict) -> str:
    told = "; ".join(f"{f.kind.value} at {f.start}-{f.end}: {f.evidence}" for f in verdict.findings)
    return f"{verdict.action.value}  p={verdict.probability:.3f}" + (f"  {told}" if told else "")
