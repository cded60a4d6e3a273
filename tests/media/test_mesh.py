"""The shape of a face in a fixed basis: free of place, size and turn, and telling of the mouth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lessonroom.errors import BadInput, ModelRefused
from lessonroom.media import geometry, mesh
from lessonroom.media.faces import look
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Face
from tests.media.pictures import frame, turned
from tests.media.test_geometry import _rotation


@pytest.fixture(scope="module")
def basis() -> mesh.Basis:
    return mesh.load()


def test_the_mean_face_has_no_shape_of_its_own(basis: mesh.Basis) -> None:
    assert np.abs(basis.coefficients(basis.mean)).max() < 1e-4


def test_place_size_and_turn_of_the_head_change_nothing(basis: mesh.Basis) -> None:
    """The turns are exact here; with a real camera the mesh guesses the far side of a turned face."""
    face = basis.mean + (basis.directions[:, 3] / (basis.directions[:, 3] ** 2).sum()).reshape(-1, 3)
    moved = (_rotation(20, -10, 30) @ face.T).T * 87.0 + np.array([300.0, 200.0, 5.0])
    assert np.abs(basis.coefficients(moved) - basis.coefficients(face)).max() < 1e-3


def test_an_opened_mouth_is_another_shape(basis: mesh.Basis) -> None:
    mouth = np.array([geometry.LIPS[1], geometry.CHIN])
    opened = basis.mean.copy()
    opened[mouth, 1] += 0.2
    assert np.linalg.norm(basis.coefficients(opened)) > 1.0


def test_a_mirrored_face_is_not_turned_into_its_picture_by_alignment(basis: mesh.Basis) -> None:
    mirrored = basis.mean * np.array([-1.0, 1.0, 1.0], np.float32)
    assert np.abs(mesh.aligned(mirrored, basis.mean, basis.stable) - basis.mean).max() > 0.1


def test_the_same_real_face_keeps_its_shape_when_the_picture_is_turned(basis: mesh.Basis) -> None:
    """In deviations over people: well below 1 on average, while two people differ by about 1.4."""
    with OnnxEngine(["face_detector", "face_mesh"]) as engine:
        faces = [look(engine, picture) for picture in (frame(5.0), turned(frame(5.0), 12))]
    meshes = [face.landmarks for face in faces if isinstance(face, Face)]
    one, other = (basis.coefficients(points) for points in meshes if points is not None)
    assert np.abs(one).mean() < 3.0
    assert np.abs(one - other)[:20].mean() < 0.7


@pytest.mark.parametrize("wrong", [np.zeros((10, 3)), np.full((468, 3), np.nan)])
def test_what_is_no_mesh_is_refused(wrong: np.ndarray, basis: mesh.Basis) -> None:
    with pytest.raises(BadInput, match="a mesh must be"):
        basis.coefficients(wrong)


def test_points_that_all_fall_together_give_finite_numbers(basis: mesh.Basis) -> None:
    assert np.isfinite(basis.coefficients(np.ones((468, 3)))).all()


def test_a_folder_without_the_basis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="mesh_shape"):
        mesh.load(tmp_path)
