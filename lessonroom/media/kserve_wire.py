"""The messages of the Open Inference Protocol (KServe v2) that this client sends and reads, and nothing of a network.

Each is a table of fields with the numbers of the protocol's ``GRPCInferenceService``; Triton, KServe and MLServer
speak the same. What a server says beyond these fields is skipped, as protobuf does with fields it does not know.
Tensors travel raw: the bytes of the array, little-endian, row by row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

from lessonroom.errors import EngineDown
from lessonroom.models import Sidecar

SERVICE: Final = "/inference.GRPCInferenceService/"
_PACKAGE: Final = "lessonroom.kserve"
"""Of no meaning on the wire; it keeps these descriptors apart from those of other clients in one process."""

Fields = tuple[tuple[str, int, str], ...]
"""Name, number and type of each field; ``*`` before a type: repeated; a capital: a message of this table."""

_TENSOR: Final[Fields] = (("name", 1, "string"), ("datatype", 2, "string"), ("shape", 3, "*int64"))
_MESSAGES: Final[dict[str, Fields]] = {
    "ServerReadyRequest": (),
    "ServerReadyResponse": (("ready", 1, "bool"),),
    "ModelReadyRequest": (("name", 1, "string"), ("version", 2, "string")),
    "ModelReadyResponse": (("ready", 1, "bool"),),
    "InputTensor": _TENSOR,
    "RequestedOutput": (("name", 1, "string"),),
    "OutputTensor": (*_TENSOR, ("contents", 5, "Contents")),
    "Contents": (
        ("bool_contents", 1, "*bool"),
        ("int_contents", 2, "*int32"),
        ("int64_contents", 3, "*int64"),
        ("uint_contents", 4, "*uint32"),
        ("uint64_contents", 5, "*uint64"),
        ("fp32_contents", 6, "*float"),
        ("fp64_contents", 7, "*double"),
    ),
    "ModelInferRequest": (
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("inputs", 5, "*InputTensor"),
        ("outputs", 6, "*RequestedOutput"),
        ("raw_input_contents", 7, "*bytes"),
    ),
    "ModelInferResponse": (
        ("model_name", 1, "string"),
        ("outputs", 5, "*OutputTensor"),
        ("raw_output_contents", 6, "*bytes"),
    ),
}
_TYPES: Final = {
    "bool": ("BOOL", "bool_contents"),
    "uint8": ("UINT8", "uint_contents"),
    "uint16": ("UINT16", "uint_contents"),
    "uint32": ("UINT32", "uint_contents"),
    "uint64": ("UINT64", "uint64_contents"),
    "int8": ("INT8", "int_contents"),
    "int16": ("INT16", "int_contents"),
    "int32": ("INT32", "int_contents"),
    "int64": ("INT64", "int64_contents"),
    "float16": ("FP16", ""),
    "float32": ("FP32", "fp32_contents"),
    "float64": ("FP64", "fp64_contents"),
}
"""Of each element type its name in the protocol, and the field that holds it where a server does not answer raw."""
_ELEMENTS: Final = {protocol: (np.dtype(ours), field) for ours, (protocol, field) in _TYPES.items()}


def infer_request(card: Sidecar, arrays: Sequence[NDArray[Any]]) -> Any:
    """A ModelInferRequest for ``arrays`` (each in one piece, in the order of the sidecar's inputs)."""
    request = MESSAGES["ModelInferRequest"](model_name=card.name)
    for tensor, array in zip(card.inputs, arrays, strict=True):
        request.inputs.add(name=tensor.name, datatype=_TYPES[array.dtype.name][0], shape=array.shape)
        request.raw_input_contents.append(_little(array).tobytes())
    for wanted in card.outputs:
        request.outputs.add(name=wanted.name)
    return request


def answers(card: Sidecar, response: Any) -> list[NDArray[Any]]:
    """The arrays of a ModelInferResponse in the order of the sidecar's outputs.

    They own their memory. Raises EngineDown for an answer that is incomplete or contradicts itself.
    """
    raw = list(response.raw_output_contents)
    if raw and len(raw) != len(response.outputs):
        raise EngineDown(f"{card.name}: expected {len(response.outputs)} raw outputs, got {len(raw)}")
    found = {
        output.name: _array(card, output, raw[number] if raw else None)
        for number, output in enumerate(response.outputs)
    }
    missing = [tensor.name for tensor in card.outputs if tensor.name not in found]
    if missing:
        raise EngineDown(f"{card.name}: expected outputs {missing}, got an answer without them")
    return [found[tensor.name] for tensor in card.outputs]


def _array(card: Sidecar, output: Any, raw: bytes | None) -> NDArray[Any]:
    dtype, field = _ELEMENTS.get(output.datatype, (None, ""))
    shape = tuple(output.shape)
    if dtype is None or any(side < 0 for side in shape) or (raw is None and not field):
        raise EngineDown(f"{card.name}: expected a tensor of a known type and shape, got another")
    if raw is None:
        flat = np.array(getattr(output.contents, field), dtype)
    elif len(raw) % dtype.itemsize == 0:
        flat = np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype)
    else:
        raise EngineDown(f"{card.name}: expected whole numbers of {dtype.itemsize} bytes, got {len(raw)} bytes")
    if flat.size != int(np.prod(shape, dtype=np.int64)):
        raise EngineDown(f"{card.name}: expected the numbers of shape {shape}, got {flat.size} numbers")
    return flat.reshape(shape)


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return array if sys.byteorder == "little" else array.astype(array.dtype.newbyteorder("<"))


def _build() -> dict[str, Any]:
    """Message classes by name."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _field(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


def _field(message: Any, name: str, number: int, kind: str) -> None:
    proto = descriptor_pb2.FieldDescriptorProto
    field = message.field.add(name=name, number=number, label=proto.LABEL_OPTIONAL)
    if kind.startswith("*"):
        field.label, kind = proto.LABEL_REPEATED, kind[1:]
    if kind in _MESSAGES:
        field.type, field.type_name = proto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = proto.Type.Value(f"TYPE_{kind.upper()}")


MESSAGES: Final[dict[str, Any]] = _build()
"""The message classes, by their names in the protocol where those are sent or read whole."""
