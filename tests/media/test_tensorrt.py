"""What TensorRT is told of a network, and where the compiled network lies."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lessonroom import models
from lessonroom.media import tensorrt
from lessonroom.media.providers import Gpu
from tests.contracts import tiny_models

PLAIN = tiny_models.add()
GPU = Gpu("NVIDIA L4", "8.9", "101300")


@pytest.fixture
def card(tmp_path: Path) -> models.Sidecar:
    return models.load("double", tiny_models.write(tmp_path)).card


def test_it_compiles_for_batches_of_1_to_64_in_half_precision(card: models.Sidecar, tmp_path: Path) -> None:
    """Without a profile TensorRT would compile anew, for seconds, in the middle of lessons."""
    given = tensorrt.options(card, PLAIN, GPU, tmp_path)
    assert given["trt_fp16_enable"] is True
    assert [given[f"trt_profile_{word}_shapes"] for word in ("min", "opt", "max")] == ["x:1x3", "x:8x3", "x:64x3"]


def test_every_shipped_network_has_a_profile() -> None:
    for name in models.networks():
        assert "trt_profile_max_shapes" in tensorrt.options(models.load(name).card, PLAIN, None, None)


def test_eight_bits_are_allowed_to_networks_that_say_where_and_to_no_others(card: models.Sidecar) -> None:
    """Without leave such a network does not start; a plain one with leave asks for a table that nobody has."""
    said = models.load("expression").read()
    assert tensorrt.options(card, said, GPU, None)["trt_int8_enable"] is True
    assert "trt_int8_enable" not in tensorrt.options(card, PLAIN, GPU, None)


def test_what_was_compiled_is_kept_for_the_owner_alone(card: models.Sidecar, tmp_path: Path) -> None:
    given = tensorrt.options(card, PLAIN, GPU, tmp_path / "engines")
    place = tmp_path / "engines" / "NVIDIA-L4-8.9-tensorrt-101300" / f"double-{card.sha256[:12]}"
    assert given["trt_engine_cache_enable"] is True
    assert given["trt_engine_cache_path"] == str(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "gpu", [Gpu("NVIDIA A10", "8.9", "101300"), Gpu("NVIDIA L4", "9.0", "101300"), Gpu("NVIDIA L4", "8.9", "101400")]
)
def test_another_gpu_or_another_tensorrt_compiles_anew(card: models.Sidecar, tmp_path: Path, gpu: Gpu) -> None:
    assert tensorrt.folder(card, gpu, tmp_path) != tensorrt.folder(card, GPU, tmp_path)


def test_other_weights_compile_anew(card: models.Sidecar, tmp_path: Path) -> None:
    other = card.model_copy(update={"sha256": "f" * 64})
    assert tensorrt.folder(other, GPU, tmp_path) != tensorrt.folder(card, GPU, tmp_path)


def test_a_gpus_name_cannot_lead_out_of_the_folder(card: models.Sidecar, tmp_path: Path) -> None:
    place = tensorrt.folder(card, Gpu("../../etc", "9.0", "1"), tmp_path)
    assert place.resolve().is_relative_to(tmp_path)


@pytest.mark.parametrize("gpu", [None, Gpu("NVIDIA L4", "8.9", "")])
def test_without_a_version_nothing_is_kept(card: models.Sidecar, tmp_path: Path, gpu: Gpu | None) -> None:
    assert "trt_engine_cache_enable" not in tensorrt.options(card, PLAIN, gpu, tmp_path / "engines")
    assert not (tmp_path / "engines").exists()
