"""Where inference can run on this machine, found out before ONNX Runtime is asked.

ONNX Runtime, asked for a GPU that is not there, prints a page of errors and falls back to the CPU. So the driver and
the libraries are tried first, and the answer is one provider with a reason in plain words.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessonroom.errors import BadSetting

NAMES = {"tensorrt": "TensorRT", "cuda": "CUDA", "cpu": "CPU"}
"""Setting to the name for people."""
_IN_ORT = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_CUDA_LIBRARIES = {
    12: ("cudart.so.12", "cublasLt.so.12", "cublas.so.12", "curand.so.10", "cufft.so.11", "cudnn.so.9"),
    13: ("cudart.so.13", "cublasLt.so.13", "cublas.so.13", "curand.so.10", "cufft.so.12", "cudnn.so.9"),
}
"""What libonnxruntime_providers_cuda.so and its kernels load, by CUDA major, in the order in which they need it."""
_TENSORRT_LIBRARIES = ("nvinfer.so.10", "nvonnxparser.so.10")

_MAJOR, _MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of the driver's interface."""

Load = Callable[[str], bool]
"""Tries to load one shared library by name or path, and keeps it loaded."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU as a compiled network knows it: ``capability`` such as "9.0", TensorRT's version or empty."""

    name: str
    capability: str
    tensorrt: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """The choice: ``name`` and ``reason`` for people, ``chain`` for ONNX Runtime, each with its options."""

    name: str
    reason: str
    chain: tuple[tuple[str, dict[str, Any]], ...] = field(repr=False)
    gpu: Gpu | None = None

    @property
    def on_gpu(self) -> bool:
        """Whether arrays have to travel to another device."""
        return self.name != NAMES["cpu"]

    def weaker(self) -> Provider:
        """What is left when this one does not start although nothing was missing."""
        names = {ort: NAMES[word] for word, ort in _IN_ORT.items()}
        chain = self.chain[1:]
        return Provider(names[chain[0][0]], f"{self.name} did not start", chain, self.gpu)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a probe found. ``missing``: for each GPU provider that cannot run, why, in words."""

    missing: dict[str, str]
    gpu: Gpu | None = None


def choose(wanted: Sequence[str], machine: Machine | None = None) -> Provider:
    """The first of ``wanted`` ("tensorrt", "cuda", "cpu") that this machine can run; the CPU always can.

    Raises BadSetting for an unknown word.
    """
    unknown = [word for word in wanted if word not in NAMES]
    if unknown or not wanted:
        raise BadSetting(f"inference_providers: expected some of {', '.join(NAMES)}, got {len(unknown)} other words")
    gpu = any(word != "cpu" for word in wanted)
    machine = machine or (probe() if gpu else Machine({}))
    passed_over: dict[str, list[str]] = {}
    for word in (*wanted, "cpu"):
        why_not = machine.missing.get(word)
        if why_not is None:
            break
        passed_over.setdefault(why_not, []).append(NAMES[word])
    reasons = [f"no {' and no '.join(names)}: {why_not}" for why_not, names in passed_over.items()]
    return _provider(word, "; ".join(reasons) or "first choice of the setting inference_providers", machine.gpu)


def probe(load: Load | None = None) -> Machine:
    """Try the driver and the libraries, without asking ONNX Runtime to use them."""
    load = load or _load
    built = _build()
    cuda = _no_build("cuda", built) or _no_driver(load) or _no_libraries(_cuda_libraries(), load)
    tensorrt = _no_build("tensorrt", built) or cuda or _no_libraries(_TENSORRT_LIBRARIES, load)
    found = {"cuda": cuda, "tensorrt": tensorrt}
    missing = {word: why for word, why in found.items() if why is not None}
    return Machine(missing, None if cuda else _gpu(with_tensorrt=tensorrt is None))


def _provider(word: str, reason: str, gpu: Gpu | None) -> Provider:
    chain: list[tuple[str, dict[str, Any]]] = []
    if word == "tensorrt":
        chain.append((_IN_ORT["tensorrt"], {}))
    if word != "cpu":
        # the default search tries every convolution algorithm for seconds at the first picture of each size
        chain.append((_IN_ORT["cuda"], {"cudnn_conv_algo_search": "HEURISTIC"}))
    chain.append((_IN_ORT["cpu"], {}))
    return Provider(NAMES[word], reason, tuple(chain), gpu if word != "cpu" else None)


def _build() -> tuple[set[str], str]:
    import onnxruntime  # noqa: PLC0415  takes long to import

    version: str = getattr(onnxruntime, "cuda_version", "") or ""
    return set(onnxruntime.get_available_providers()), version


def _no_build(word: str, built: tuple[set[str], str]) -> str | None:
    return None if _IN_ORT[word] in built[0] else "this build of ONNX Runtime has none"


def _no_driver(load: Load) -> str | None:
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    if not load(name):
        return "no NVIDIA driver"
    driver = ctypes.CDLL(name)
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver does not start"
    return None if count.value > 0 else "no NVIDIA GPU"


def _gpu(*, with_tensorrt: bool) -> Gpu:
    """Asked of the driver, which :func:`_no_driver` has started."""
    driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    name, major, minor = ctypes.create_string_buffer(128), ctypes.c_int(0), ctypes.c_int(0)
    driver.cuDeviceGetName(name, len(name), 0)
    driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, 0)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, 0)
    version = _tensorrt_version() if with_tensorrt else ""
    return Gpu(name.value.decode(errors="replace"), f"{major.value}.{minor.value}", version)


def _tensorrt_version() -> str:
    for place in _places(f"lib{_TENSORRT_LIBRARIES[0]}"):
        try:
            return str(ctypes.CDLL(place).getInferLibVersion())
        except OSError:
            continue  # it lies in one of the other places
    return ""


def _cuda_libraries() -> tuple[str, ...]:
    major = _build()[1].split(".")[0]
    return _CUDA_LIBRARIES.get(int(major) if major.isdigit() else 0, ())


def _no_libraries(names: tuple[str, ...], load: Load) -> str | None:
    """None when all load; on Windows ONNX Runtime's own preloading finds them."""
    if sys.platform == "win32":
        return None
    for name in names:
        if not any(load(place) for place in _places(f"lib{name}")):
            return f"lib{name} is missing"
    return None


def runtime_library() -> str:
    """Name of the CUDA runtime that this build of ONNX Runtime works with; loaded by :func:`probe`."""
    first = next(iter(_cuda_libraries()), _CUDA_LIBRARIES[13][0])
    return f"lib{first}"


def _places(name: str) -> Iterator[str]:
    """The loader's own search, then the NVIDIA packages of this environment."""
    yield name
    for package in ("nvidia", "tensorrt_libs"):
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            yield from (str(path) for path in sorted(Path(root).rglob(name)))


def _load(name: str) -> bool:
    try:
        ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True
