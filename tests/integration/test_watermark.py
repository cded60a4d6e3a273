"""A lesson with a watermarked face leaves nothing of it: in files, logs, metrics, or what the teacher's page gets."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import struct
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from lessonroom import logs
from lessonroom.app import App
from lessonroom.media.types import Observation, Sample
from lessonroom.policy import Mode
from lessonroom.simulate.client import play
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.simulate.sources import SHIPPED_CLIP, pictures_of
from tests.integration.serving import Page, Visitor, serving

RUN = 24
"""Neighbouring pixels of a row that nothing else has by chance."""
LOOKS = 6
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
        assert app._eyes is not None
        vision = app._eyes.vision
        self._look = vision._look
        vision._look = self.look
        self.pictures: list[np.ndarray] = []
        self.seen: list[Observation] = []

    def look(self, sample: Sample) -> Observation:
        self.pictures.append(sample.image.copy())
        self.seen.append(self._look(sample))
        return self.seen[-1]

    def traces(self) -> Iterator[bytes]:
        """What of it would give it away, in the forms in which it could be written."""
        for picture in self.pictures:
            for row in range(8, picture.shape[0], 16):
                for pixels in (picture[row, :, 0], picture[row].reshape(-1), cv2.cvtColor(picture, 6)[row]):
                    yield from runs(pixels)
        for observation in self.seen:
            for number in (*(observation.expression or {}).values(), *observation.shape.values()):
                if 0.001 < abs(number) % 1 < 0.999:
                    yield repr(float(number))[:8].encode()
                    yield struct.pack("<d", number)
            for pair in pairwise((observation.expression or {}).values()):
                yield struct.pack("<2f", *pair)


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
    tmp_path: Path, temporary: Path, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # of the libraries, too
    clip = watermarked(tmp_path / "clip")
    data = tmp_path / "data"
    told: list[str] = []
    async with serving(data, ice_loopback=True, strain_learning_seconds=1, hint_first_seconds=0) as app:
        eyes = Eyes(app)
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
                while len(eyes.seen) < LOOKS or not any(one.expression for one in eyes.seen):
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
    }
    assert "started" in log.getvalue()
    assert "lessonroom_samples_total" in metrics
    assert '"analysis"' in "".join(told)
    assert found(traces, places) == []
    assert pictures(places) == []
    assert {Path(name).name for name in running} <= FILES
    # and the search does find what is there
    for name, leak in (("picture", eyes.pictures[0].tobytes()), ("text", base64.b64encode(eyes.pictures[1].tobytes()))):
        (temporary / name).write_bytes(b"abc" + leak)
    jpeg = cv2.imencode(".jpg", eyes.pictures[0])[1].tobytes()
    for number, leak in enumerate((jpeg, base64.b64encode(jpeg), repr(jpeg).encode(), jpeg.hex().encode())):
        (temporary / f"encoded-{number}").write_bytes(b"abc" + leak)
    assert len(pictures(everything(temporary))) == 4
    (temporary / "score").write_text(str(next(one.expression for one in eyes.seen if one.expression)))
    assert {Path(name).name for name in found(traces, everything(temporary))} >= {"picture", "score"}
