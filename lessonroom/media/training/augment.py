"""Make clean face crops look like a student's webcam: pose, light, resolution, blur, compression, hands.

Works on single grey crops, uint8; every function takes the random generator, so that a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Strength:
    """How much is changed. Angles in degrees, lengths as a share of the side, the rest probabilities."""

    angle: float = 10.0
    scale: float = 0.12
    shift: float = 0.06
    shear: float = 0.06
    light: float = 0.8
    shade: float = 0.25
    degrade: float = 0.35
    cover: float = 0.5


USUAL = Strength()
MILD = Strength(angle=8.0, scale=0.1, shift=0.05, degrade=0.15, cover=0.2)
"""For the last epochs: the network ends on pictures that are much like those of a good camera."""


def webcam(crop: Grey, size: int, rng: np.random.Generator, strength: Strength = USUAL) -> Grey:
    """One crop of any size -> a changed crop (size, size)."""
    picture = _move(crop, size, rng, strength)
    if rng.random() < strength.light:
        picture = _light(picture, rng)
    if rng.random() < strength.shade:
        picture = _shade(picture, rng)
    if rng.random() < strength.degrade:
        picture = _degrade(picture, rng)
    if rng.random() < strength.cover:
        picture = _cover(picture, rng)
    return picture


def plain(crop: Grey, size: int) -> Grey:
    """The crop at the network's size, otherwise as it is."""
    how = cv2.INTER_AREA if crop.shape[0] > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how), np.uint8)


def _move(crop: Grey, size: int, rng: np.random.Generator, strength: Strength) -> Grey:
    """Mirror, turn, scale, shear and shift in one resampling."""
    side = crop.shape[0]
    angle = np.deg2rad(np.clip(rng.normal(0, strength.angle), -25, 25))
    scale = size / side * np.exp(rng.normal(0, strength.scale))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    bend = np.array([[mirror, rng.normal(0, strength.shear)], [0.0, 1.0 + rng.normal(0, strength.shear)]])
    linear = scale * turn @ bend
    centre = size * (0.5 + rng.normal(0, strength.shift, 2))
    offset = centre - linear @ np.full(2, (side - 1) / 2)
    matrix = np.column_stack([linear, offset])
    border = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(crop, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)


def _light(picture: Grey, rng: np.random.Generator) -> Grey:
    """Contrast, brightness and gamma of the whole picture."""
    values = np.linspace(0.0, 1.0, 256) ** np.exp(rng.normal(0, 0.3))
    values = 0.5 + (values - 0.5) * np.exp(rng.normal(0, 0.25)) + rng.normal(0, 0.1)
    table = np.clip(values * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), np.uint8)


def _shade(picture: Grey, rng: np.random.Generator) -> Grey:
    """Light from one side, as a window or a screen gives it."""
    size = picture.shape[0]
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    gain = 1.0 + rng.uniform(0.1, 0.6) * ramp
    return np.asarray(np.clip(picture * gain, 0, 255), np.uint8)


def _degrade(picture: Grey, rng: np.random.Generator) -> Grey:
    """Few pixels, blur, noise and the blocks of a codec, each at random."""
    size = picture.shape[0]
    if rng.random() < 0.6:
        small = int(size * rng.uniform(0.3, 0.8))
        tiny = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(tiny, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.4:
        picture = _blur(picture, rng)
    if rng.random() < 0.5:
        noisy = picture + rng.normal(0, rng.uniform(2, 14), picture.shape)
        picture = np.clip(noisy, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        picture = _vp8(picture, rng) if rng.random() < 0.5 else _jpeg(picture, rng)
    return picture


def _jpeg(picture: Grey, rng: np.random.Generator) -> Grey:
    """As a camera sends it over USB."""
    _, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 70))])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)


def _vp8(picture: Grey, rng: np.random.Generator) -> Grey:
    """As a browser sends it: one intra frame (RFC 6386), there and back. Both ends are opened anew, so that nothing but
    ``rng`` decides what comes out. Both sides must be even. Steps of more than 52 (of 63) would wipe out eyes.
    """
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.height, encoder.width = picture.shape
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", Fraction(1, 5), 1
    encoder.bit_rate = 100_000  # without one libvpx refuses to open; the step alone decides
    coarse = str(rng.integers(25, 53))
    encoder.options = {"qmin": coarse, "qmax": coarse, "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    colours = np.full((picture.shape[0] // 2, picture.shape[1]), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.vstack([picture, colours]), format="yuv420p")
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    (packet,) = [*encoder.encode(frame), *encoder.encode(None)]
    (decoded, *_) = [*decoder.decode(packet), *decoder.decode(None)]
    return np.asarray(decoded.to_ndarray()[: picture.shape[0]], np.uint8)


def _blur(picture: Grey, rng: np.random.Generator) -> Grey:
    """Out of focus, or a straight movement while the shutter was open."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    half = (length - 1) / 2
    angle = rng.uniform(0, np.pi)
    for step in np.linspace(-half, half, 2 * length):
        kernel[round(half + step * np.sin(angle)), round(half + step * np.cos(angle))] = 1.0
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def _cover(picture: Grey, rng: np.random.Generator) -> Grey:
    """A rectangle of one tone or of noise: a hand, a cup, a sheet of paper."""
    size = picture.shape[0]
    height, width = (rng.uniform(0.1, 0.4, 2) * size).astype(int)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    covered = picture.copy()
    tone = rng.uniform(0, 255)
    noise = rng.normal(0, 40 if rng.random() < 0.5 else 4, (height, width))
    covered[top : top + height, left : left + width] = np.clip(tone + noise, 0, 255)
    return covered
