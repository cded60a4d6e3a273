"""A lesson with a watermarked face leaves nothing of it: in files, logs, metrics, or what the teacher's page gets."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import json
import logging
import re
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lessonroom import logs
from lessonroom.app import App
from lessonroom.media.types import Observation, Sample
from lessonroom.messages import parse_to_page
from lessonroom.policy import Mode
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Live
from lessonroom.simulate import client
from lessonroom.simulate.client import play
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.simulate.sources import SHIPPED_CLIP, pictures_of
from tests.integration.serving import Page, Visitor, serving

RUN = 24
"""Neighbouring pixels of a row that nothing else has by chance."""
LOOKS = 6
WRITTEN = 11
"""Characters of a number as Python writes it that no other number has by chance, however many there are."""
DECIMAL = re.compile(r"(?<![\d.:])\d?\.\d{3,8}(?![\d.Z])")
"""A number with a few digits behind the point, and no part of a time, an address or a version."""
NEAR, TOGETHER = 400, 4
"""So many scores of one look within so many characters stand nowhere by chance."""
FILES = {"lessonroom.sqlite3", "lessonroom.sqlite3-wal", "lessonroom.sqlite3-shm", "signing.key"}
"""All that a server may write."""


def watermarked(folder: Path) -> Path:
    """Pictures of a face under a pattern of 64 random bits, as blocks that survive the way through VP8."""
    folder.mkdir()
    bits = np.random.default_rng(7).integers(0, 2, (8, 8))
    for number, (frame, _) in enumerate(islice(pictures_of(SHIPPED_CLIP), 3)):
        picture = frame.to_ndarray(format="bgr24")
        height, width = picture.shape[:2]
        blocks = cv2.resize(bits.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)[..., None]
        marked = np.clip(picture * 0.8 + 40 * blocks, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:03}.png"), marked)
    return folder


class Eyes:
    """Remembers what the server's own eyes saw, by standing before them."""

    def __init__(self, app: App) -> None:
        assert app._analysis.eyes is not None
        vision = app._analysis.eyes.vision
        self._look = vision._look
        vision._look = self.look
        self.pictures: list[np.ndarray] = []
        self.seen: list[Observation] = []

    def look(self, samples: Sequence[Sample]) -> Sequence[Observation]:
        self.pictures += [sample.image.copy() for sample in samples]
        seen = self._look(samples)
        self.seen += seen
        return seen

    def traces(self) -> Iterator[bytes]:
        """What of it would give it away, in the forms in which it could be written."""
        for picture in self.pictures:
            for row in range(8, picture.shape[0], 16):
                for pixels in (picture[row, :, 0], picture[row].reshape(-1), cv2.cvtColor(picture, 6)[row]):
                    yield from runs(pixels)
        for observation in self.seen:
            for number in (*(observation.expression or {}).values(), *observation.shape.values()):
                written = repr(float(number))
                if len(written) > WRITTEN:
                    yield written[:WRITTEN].encode()
                    yield struct.pack("<d", number)
            for pair in pairwise((observation.expression or {}).values()):
                yield struct.pack("<2f", *pair)

    def looks(self) -> list[list[float]]:
        """The scores of each look, without those that a rounded number can be by chance: 0, 1 and what is near them."""
        all_ = ([*(one.expression or {}).values(), *one.shape.values(), one.change or 0.0] for one in self.seen)
        return [[abs(score) for score in look if 0.001 < abs(score) % 1 < 0.999] for look in all_]


def rounded(scores: Iterable[float]) -> dict[str, float]:
    """How scores look with a few digits, and which one it is."""
    return {f"{score:.{digits}f}": score for score in scores for digits in range(3, WRITTEN - 2)}


def told_alone(scores: Iterable[float], text: str) -> list[str]:
    """Rounded scores in a text that has few numbers of its own."""
    return sorted({match.group() for match in DECIMAL.finditer(text)} & set(rounded(scores)))


def told_together(looks: Iterable[list[float]], text: str) -> list[list[str]]:
    """Rounded scores of one look that stand near one another, in a text that is full of other numbers."""
    numbers = [(match.start(), match.group()) for match in DECIMAL.finditer(text)]
    told = []
    for look in looks:
        known = rounded(look)
        hits = [(at, number) for at, number in numbers if number in known]
        for at, _ in hits:
            near = [number for other, number in hits if at <= other < at + NEAR]
            if len({known[number] for number in near}) >= TOGETHER:
                told.append(near)
    return told


def without_sdp(frame: str) -> str:
    """A frame of the socket without what browsers and aiortc say to one another, which is full of numbers."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items() if key not in {"description", "candidate"}}
        return [clean(one) for one in value] if isinstance(value, list) else value

    return json.dumps(clean(json.loads(frame)))


def runs(pixels: np.ndarray) -> Iterator[bytes]:
    """The first run of a row that is not plain, as it is and in base64."""
    for start in range(0, len(pixels) - RUN, RUN):
        run = pixels[start : start + RUN]
        if len(np.unique(run)) > RUN // 3:
            yield run.tobytes()
            yield base64.b64encode(run.tobytes())
            return


def everything(*folders: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


ENCODED = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n",
    b"WEBPVP8",
    b"/9j/4AAQ",
    b"_9j_4AAQ",
    b"iVBORw0KGgo",
    b"\\xff\\xd8\\xff\\xe0",
    b"ffd8ffe0",
)
"""How files of JPEG, PNG and WebP begin: as they are, in base64 of either alphabet, as Python shows bytes, in hex."""


def pictures(places: dict[str, bytes]) -> list[str]:
    """Where a picture stands that was encoded anew: nothing of its pixels can be looked for."""
    return found(set(ENCODED), places)


def found(traces: set[bytes], places: dict[str, bytes]) -> list[str]:
    return [name for name, content in places.items() if any(trace in content for trace in traces)]


class Heard:
    """All that goes from the room to the student's own page, and every estimate that the room was told of."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames: list[str] = []
        self.levels: list[float] = []
        self._apply = app.hub.analysing._apply
        monkeypatch.setattr(client, "parse_to_page", self.frame)
        monkeypatch.setattr(app.hub.analysing, "_apply", self.event)

    def frame(self, frame: str | bytes) -> Any:
        self.frames.append(str(frame))
        return parse_to_page(frame)

    def event(self, live: Live, event: ev.Event) -> None:
        if isinstance(event, ev.StrainSeen) and event.strain.level is not None:
            self.levels.append(event.strain.level)
        self._apply(live, event)

    def all(self, told: list[str]) -> bool:
        """Whether there was an estimate, and both pages (``told``: the teacher's) have heard that they are watched."""
        return bool(self.levels) and all(any('"watching"' in frame for frame in page) for page in (self.frames, told))


async def hear(teacher: Page, told: list[str]) -> None:
    """Write down every frame that the teacher's page gets."""
    with suppress(asyncio.CancelledError):
        async for frame in teacher.socket:
            told.append(str(frame))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """All that the product logs, down to the smallest."""
    stream = io.StringIO()
    monkeypatch.setattr(logs._output, "stream", stream)
    monkeypatch.setattr(logs._output, "level", logging.DEBUG)
    return stream


async def test_nothing_of_a_watermarked_face_is_found_anywhere(
    tmp_path: Path,
    temporary: Path,
    log: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)  # of the libraries, too
    clip = watermarked(tmp_path / "clip")
    data = tmp_path / "data"
    told: list[str] = []
    async with serving(data, ice_loopback=True, strain_learning_seconds=1, hint_first_seconds=0) as app:
        eyes, heard = Eyes(app), Heard(app, monkeypatch)
        room = await app.admission.make_room(Mode.M3, SETTING)
        links = [
            (await app.admission.make_member(room, role, name, about=ADULT)).link
            for role, name in (("teacher", "Tina"), ("student", "Sam"))
        ]
        visitor = Visitor(app.admission.public_url, links[0])
        await visitor.enter()
        async with visitor.page("page-t001") as teacher:
            ears = asyncio.create_task(hear(teacher, told))
            playing = asyncio.create_task(play(links[1], clip))
            async with asyncio.timeout(60):
                while len(eyes.seen) < LOOKS or not any(one.expression for one in eyes.seen) or not heard.all(told):
                    await asyncio.sleep(0.05)
            metrics = (await visitor.http.get("/metrics")).text
            running = everything(data, temporary)
            playing.cancel()
            ears.cancel()
            await asyncio.gather(playing, ears, return_exceptions=True)
    traces = set(eyes.traces())
    assert len(traces) > 100
    places = {
        **{f"{name}, while it runs": content for name, content in running.items()},
        **everything(data, temporary),
        "log": log.getvalue().encode(),
        "the libraries' logs": caplog.text.encode(),
        "metrics": metrics.encode(),
        "the teacher's page": "\n".join(told).encode(),
        "the student's page": "\n".join(heard.frames).encode(),
    }
    assert "started" in log.getvalue()
    assert "lessonroom_samples_total" in metrics
    assert '"analysis"' in "".join(told)
    assert found(traces, places) == []
    assert pictures(places) == []
    assert {Path(name).name for name in running} <= FILES
    # nor rounded: one alone where no other numbers are, several of one look where many are
    looks, scores = eyes.looks(), [*itertools.chain(*eyes.looks()), *heard.levels]
    assert any('"watching"' in frame for frame in heard.frames)
    pages = [without_sdp(frame) for frame in (*told, *heard.frames)]
    assert [page for page in pages if re.search(r"\d\.\d", page)] == []
    assert told_alone(scores, log.getvalue()) == []
    for name, content in places.items():
        assert told_together(looks, content.decode("latin-1")) == [], name
    # and the search does find what is there
    for name, leak in (("picture", eyes.pictures[0].tobytes()), ("text", base64.b64encode(eyes.pictures[1].tobytes()))):
        (temporary / name).write_bytes(b"abc" + leak)
    jpeg = cv2.imencode(".jpg", eyes.pictures[0])[1].tobytes()
    for number, leak in enumerate((jpeg, base64.b64encode(jpeg), repr(jpeg).encode(), jpeg.hex().encode())):
        (temporary / f"encoded-{number}").write_bytes(b"abc" + leak)
    assert len(pictures(everything(temporary))) == 4
    leak = next(look for look in looks if len(look) >= TOGETHER)
    assert told_alone(scores, f"seen  score={leak[0]:.3f} room=1")
    assert told_alone(scores, json.dumps({"level": round(heard.levels[-1], 4)}))
    assert told_together(looks, metrics + " ".join(f'lessonroom_seen{{of="{n}"}} {s:.4f}' for n, s in enumerate(leak)))
    (temporary / "score").write_text(str(next(one.expression for one in eyes.seen if one.expression)))
    assert {Path(name).name for name in found(traces, everything(temporary))} >= {"picture", "score"}
