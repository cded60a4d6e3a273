"""Scores of single pictures: what a record holds, that order holds, and that one bad picture ends nothing."""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lessonroom import models
from lessonroom.config import Settings
from lessonroom.errors import EngineDown
from lessonroom.media import expression, faces, mesh, strain_head
from lessonroom.media.engine import Arrays
from lessonroom.media.observe import observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.scoring import score, stills
from lessonroom.media.scoring.score import Record, Scorer
from lessonroom.media.scoring.tables import Asked
from lessonroom.media.shots import MOST_SIDE
from lessonroom.media.types import EXPRESSIONS, Image, Sample
from tests.media import pictures

KEYS = ["id", "face", "unseen", "quality", "expression", "strain", "shape", "mesh"]


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine() as opened:
        yield opened


@pytest.fixture(scope="module")
def scorer(engine: OnnxEngine) -> Scorer:
    return Scorer(engine, mesh.load(), strain_head.load())


def stored(path: Path, image: Image) -> Asked:
    """The picture as a file, and the question about it."""
    assert cv2.imwrite(str(path), image)
    return Asked(path.stem, str(path))


def one(scorer: Scorer, path: Path, image: Image) -> Record:
    (record,) = scorer.pictures([stored(path, image)])
    json.dumps(record, allow_nan=False)
    return record


def face_crop(engine: OnnxEngine, second: float) -> Image:
    """48x48 and grey, as many collections of faces are."""
    face = faces.look(engine, pictures.frame(second))
    assert not isinstance(face, str)
    return expression.crop(pictures.frame(second), face, 48)


# --- whole pictures --------------------------------------------------------------------------------------------------


def test_a_picture_is_scored_as_a_lesson_sees_it_and_its_mirror_image_too(
    scorer: Scorer, engine: OnnxEngine, tmp_path: Path
) -> None:
    image = pictures.frame(5.0)
    record = one(scorer, tmp_path / "a.png", image)
    seen = observe(engine, Sample(image, 0.0))
    assert list(record) == KEYS
    assert seen.expression is not None
    assert seen.face is not None
    assert (record["id"], record["unseen"]) == ("a", None)
    assert record["quality"] == pytest.approx(seen.quality, abs=1e-4)
    grey = expression.crop(image, seen.face)
    both = expression.read_all(engine, [grey, np.ascontiguousarray(grey[:, ::-1])])
    assert dict(both[0].probabilities) == pytest.approx(dict(seen.expression), abs=1e-5)
    assert record["expression"] == pytest.approx(dict(expression.mean(*both).probabilities), abs=1e-5)
    assert tuple(record["expression"]) == EXPRESSIONS
    assert record["shape"] == pytest.approx(dict(seen.shape), abs=1e-4)
    assert record["face"]["pose"] == pytest.approx([seen.face.yaw, seen.face.pitch, seen.face.roll], abs=0.01)
    assert len(record["mesh"]) == mesh.SIZE


def test_strain_is_what_the_head_makes_of_the_record(scorer: Scorer, tmp_path: Path) -> None:
    calm = one(scorer, tmp_path / "calm.png", pictures.frame(5.0))
    strained = one(scorer, tmp_path / "strained.png", pictures.frame(50.0))
    assert calm["strain"] < strained["strain"]
    for record in (calm, strained):
        again = strain_head.load().chance(strain_head.of_record(record))
        assert record["strain"] == pytest.approx(again, abs=1e-4)


def test_the_box_is_a_share_of_the_picture_whatever_its_size(scorer: Scorer, tmp_path: Path) -> None:
    """A photograph of many megapixels is brought down first, and nobody has to know."""
    image = pictures.frame(5.0)
    small = one(scorer, tmp_path / "small.png", image)["face"]["box"]
    large = one(scorer, tmp_path / "large.jpg", pictures.scaled(image, 5))["face"]["box"]
    assert large == pytest.approx(small, abs=0.02)
    assert all(0 < side < 1 for side in small)


def test_a_poor_face_is_given_with_the_reason_not_to_count_it(scorer: Scorer, tmp_path: Path) -> None:
    """The researcher decides; a lesson would have said nothing."""
    record = one(scorer, tmp_path / "dark.png", (pictures.frame(5.0) * 0.08).astype(np.uint8))
    assert (record["unseen"], record["quality"], record["strain"]) == ("too_dark", 0.0, None)
    assert sum(record["expression"].values()) == pytest.approx(1, abs=1e-4)
    assert record["mesh"]


def test_of_several_faces_the_largest_is_given_and_does_not_count(scorer: Scorer, tmp_path: Path) -> None:
    image = pictures.frame(5.0)
    two = pictures.on_wall(image, 960, 360)
    two[90:342, 560:896] = pictures.scaled(image, 0.7)
    record = one(scorer, tmp_path / "two.png", two)
    assert (record["unseen"], record["quality"]) == ("several_faces", 0.0)
    left, _, width, _ = record["face"]["box"]
    assert left + width / 2 < 0.5
    assert record["expression"]


def test_a_face_that_fills_the_picture_is_found_by_giving_it_room(engine: OnnxEngine, tmp_path: Path) -> None:
    image = pictures.frame(5.0)[125:235, 195:305]
    assert isinstance(faces.look(engine, image), str)
    scorer = Scorer(engine, mesh.load(), embedding=True)
    record, whole = one(scorer, tmp_path / "close.png", image), one(scorer, tmp_path / "whole.png", pictures.frame(5.0))
    assert (record["unseen"], record["quality"]) == ("no_face", 0.0)
    assert record["shape"] == pytest.approx(whole["shape"], abs=0.15)
    left, top, width, height = record["face"]["box"]
    assert (left + width / 2, top + height / 2) == pytest.approx((0.5, 0.5), abs=0.1)
    # the network that ships sees the same face (0.65); cut out half a picture beside it, its likeness is 0.48
    assert np.corrcoef(record["embedding"], whole["embedding"])[0, 1] > 0.57


def test_a_picture_without_a_face_has_a_reason_and_nothing_else(scorer: Scorer, tmp_path: Path) -> None:
    record = one(scorer, tmp_path / "wall.png", np.full((200, 300, 3), 128, np.uint8))
    assert {key: value for key, value in record.items() if value} == {"id": "wall", "unseen": "no_face"}
    assert list(record) == KEYS


def test_a_grey_picture_is_scored_like_a_coloured_one(scorer: Scorer, tmp_path: Path) -> None:
    grey = np.asarray(cv2.cvtColor(pictures.frame(5.0), cv2.COLOR_BGR2GRAY), np.uint8)
    assert one(scorer, tmp_path / "grey.png", grey)["unseen"] is None


def test_the_embedding_comes_only_when_asked_for(engine: OnnxEngine, tmp_path: Path) -> None:
    record = one(Scorer(engine, embedding=True), tmp_path / "a.png", pictures.frame(5.0))
    assert len(record["embedding"]) == expression.EMBEDDING
    assert max(record["embedding"]) > 0


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    """EXIF orientation 6: the camera was held upright, the top of the scene is the file's right side."""
    assert cv2.imwrite(str(tmp_path / "plain.jpg"), np.zeros((20, 60, 3), np.uint8))
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tiff
    data = (tmp_path / "plain.jpg").read_bytes()
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    assert stills.read(str(turned), 1000).shape[:2] == (60, 20)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 1, 3)])
def test_a_picture_of_an_odd_shape_has_no_face(shape: tuple[int, ...], scorer: Scorer, tmp_path: Path) -> None:
    record = one(scorer, tmp_path / "odd.png", np.zeros(shape, np.uint8))
    assert (record["unseen"], "error" in record) == ("no_face", False)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_a_crop_of_an_odd_shape_is_read_as_it_is(shape: tuple[int, ...], scorer: Scorer, tmp_path: Path) -> None:
    (record,) = scorer.crops([stored(tmp_path / "odd.png", np.zeros(shape, np.uint8))])
    assert (record["unseen"], record["face"]["pose"], "error" in record) == ("too_dark", None, False)
    assert record["expression"]


@pytest.mark.parametrize("shape", [(8, 200), (200, 8), (3000, 3000)])
def test_a_crop_never_grows_beyond_a_lessons_picture_with_its_rim(
    shape: tuple[int, ...], scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strip was made as fine as its shorter side asks, a photograph was looked at whole: gigabytes for one file."""
    asked, look, sides = stored(tmp_path / "odd.png", np.full(shape, 90, np.uint8)), faces.look, [0]
    monkeypatch.setattr(faces, "look", lambda engine, image: (sides.append(max(image.shape)), look(engine, image))[1])
    (record,) = scorer.crops([asked])
    assert max(sides) <= 2 * MOST_SIDE
    assert "error" not in record


# --- pictures that are none ------------------------------------------------------------------------------------------


def bad_file(folder: Path, kind: str) -> str:
    path = folder / "secret.jpg"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("this is no picture")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "short":
            assert cv2.imwrite(str(path), pictures.frame(5.0))
            os.truncate(path, 6000)
        case "vast":  # the head of a PNG of 60,000 x 60,000 pixels
            head = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
            chunk = (13).to_bytes(4, "big") + head + zlib.crc32(head).to_bytes(4, "big")
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
        case "large":
            with path.open("wb") as file:
                file.truncate(stills.MOST_BYTES + 1)
        case "nul":
            return "secret\0.jpg"
        case "surrogate":
            return "secret\ud800.jpg"
    return str(path)


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "text", "short", "vast", "folder", "pipe", "large", "nul", "surrogate"]
)
@pytest.mark.parametrize("cropped", [False, True])
def test_a_bad_picture_is_a_record_with_a_reason_and_ends_nothing(
    kind: str, cropped: bool, scorer: Scorer, engine: OnnxEngine, tmp_path: Path
) -> None:
    bad = Asked("bad", bad_file(tmp_path, kind))
    good = stored(tmp_path / "good.png", face_crop(engine, 5.0) if cropped else pictures.frame(5.0))
    before, failed, after = (scorer.crops if cropped else scorer.pictures)([good, bad, good])
    assert failed["error"].startswith("expected a")
    assert "secret" not in failed["error"]
    assert (failed["id"], failed["unseen"], failed["expression"]) == ("bad", "not_looked", None)
    assert [key for key in failed if key != "error"] == KEYS
    assert before == after
    assert before["expression"]


class Failing:
    """An engine that fails on dark input, as one may on a picture that makes it answer no numbers."""

    provider, reason = "CPU", "for a test"

    def __init__(self, engine: OnnxEngine) -> None:
        self._engine = engine

    def infer(self, model: str, inputs: Arrays) -> dict[str, Any]:
        if any(picture.max() == 0 for picture in inputs.get("face", ())):
            raise EngineDown("expression.probabilities: expected finite numbers, got others")
        return self._engine.infer(model, inputs)

    def close(self) -> None:
        pass


def test_a_crop_that_fails_in_the_network_does_not_spoil_its_batch(engine: OnnxEngine, tmp_path: Path) -> None:
    dark = stored(tmp_path / "dark.png", np.zeros((48, 48), np.uint8))
    good = stored(tmp_path / "good.png", face_crop(engine, 5.0))
    first, failed, last = Scorer(Failing(engine)).crops([good, dark, good])
    assert "finite" in failed["error"]
    assert first == last
    assert "error" not in first


# --- tight crops -----------------------------------------------------------------------------------------------------


def test_the_face_in_a_small_grey_crop_is_brought_into_line(scorer: Scorer, engine: OnnxEngine, tmp_path: Path) -> None:
    asked = [stored(tmp_path / f"{second}.png", face_crop(engine, second)) for second in (5.0, 60.0)]
    calm, strained = scorer.crops(asked)
    assert list(calm) == KEYS
    assert calm["unseen"] is None
    assert calm["face"]["box"] == [0, 0, 1, 1]
    assert len(calm["mesh"]) == mesh.SIZE
    assert strained["expression"]["sadness"] > 0.3 > calm["expression"]["sadness"]
    assert 0 <= calm["strain"] < strained["strain"] <= 1


def test_a_crop_in_which_the_mesh_makes_out_no_face_is_read_as_it_is(scorer: Scorer, tmp_path: Path) -> None:
    """Somebody cut it out as a face; blurred, dark and half-covered ones are faces, too."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    (record,) = scorer.crops([stored(tmp_path / "noise.png", noise)])
    assert (record["shape"], record["mesh"], record["face"]["pose"]) == (None, None, None)
    assert sum(record["expression"].values()) == pytest.approx(1, abs=1e-4)


def test_crops_of_different_sizes_and_colours_go_in_one_batch(engine: OnnxEngine, tmp_path: Path) -> None:
    crop = face_crop(engine, 5.0)
    shapes = [crop, np.asarray(cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), np.uint8), cv2.resize(crop, (96, 112))]
    asked = [stored(tmp_path / f"{number}.png", np.asarray(each)) for number, each in enumerate(shapes)]
    grey, coloured, larger = Scorer(engine).crops(asked)
    assert coloured["expression"] == pytest.approx(grey["expression"], abs=1e-4)
    assert larger["expression"] == pytest.approx(grey["expression"], abs=0.2)


def test_a_black_crop_is_too_dark_and_an_answer_all_the_same(engine: OnnxEngine, tmp_path: Path) -> None:
    (record,) = Scorer(engine).crops([stored(tmp_path / "black.png", np.zeros((48, 48), np.uint8))])
    assert (record["unseen"], record["quality"]) == ("too_dark", 0.0)
    assert record["expression"]


# --- many pictures ---------------------------------------------------------------------------------------------------


def numbered(count: int) -> list[Asked]:
    return [Asked(number, "") for number in range(count)]


def test_answers_keep_the_order_of_the_questions_however_long_each_takes() -> None:
    first_may_end = threading.Event()

    def work(asked: Sequence[Asked]) -> list[Record]:
        if asked[0].id == 0:
            assert first_may_end.wait(10)
        else:
            first_may_end.set()
        return [{"id": each.id} for each in asked]

    found = score.in_order([numbered(10), numbered(3)], work, size=2, threads=2)
    assert [record["id"] for record in found] == [*range(10), *range(3)]


def test_only_a_few_pictures_wait_at_a_time() -> None:
    """Memory does not grow with the number of pictures, even when answers are taken slowly."""
    taken = []

    class Group(Sequence[Asked]):
        """A thousand questions that remember how many have been looked at."""

        def __len__(self) -> int:
            return 1000

        def __getitem__(self, places: Any) -> Any:
            taken.append(places.start)
            return [Asked(places.start, "")]

    found = score.in_order([Group()], lambda asked: [{"id": asked[0].id}], size=1, threads=2)
    assert next(found)["id"] == 0
    assert len(taken) <= 6
    found.close()


def test_a_group_is_answered_before_the_next_is_waited_for() -> None:
    taken = []

    def groups() -> Iterator[list[Asked]]:
        for number in range(3):
            taken.append(number)
            yield [Asked(number, "")]

    found = score.in_order(groups(), lambda asked: [{"id": asked[0].id}], size=16, threads=2)
    for number in range(3):
        assert next(found)["id"] == number
        assert taken == [*range(number + 1)]


@pytest.mark.parametrize("cropped", [False, True])
def test_a_run_scores_with_the_models_of_the_settings(cropped: bool, engine: OnnxEngine, tmp_path: Path) -> None:
    image = face_crop(engine, 5.0) if cropped else pictures.frame(5.0)
    asked = [stored(tmp_path / f"{number}.png", image) for number in range(3)]
    records = list(score.run([asked[:2], [], asked[2:]], Settings(), cropped=cropped))
    assert [record["id"] for record in records] == ["0", "1", "2"]
    assert all(record["expression"] and record["mesh"] for record in records)
    used = ("face_detector", "face_mesh", "mesh_shape", "expression")
    assert [record["models"] for record in records] == [{name: models.load(name).card.sha256[:12] for name in used}] * 3


def test_a_picture_that_fails_names_the_models_too(tmp_path: Path) -> None:
    """All lines of a file say the same of what made them."""
    good = stored(tmp_path / "good.png", pictures.frame(5.0))
    first, second = score.run([[good, Asked("gone", str(tmp_path / "gone.png"))]], Settings())
    assert second["error"]
    assert first["models"] == second["models"]
