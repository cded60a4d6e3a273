"""Just enough of protobuf to see where an ONNX file keeps its weights; https://github.com/onnx/onnx, onnx.proto3."""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH, _NODE, _INITIALIZER, _ATTRIBUTE = 7, 1, 5, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _EXTERNAL, _VALUE = 5, 6, 13, 2


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields of a message by number; those with a length alone."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                length, at = _varint(data, at)
                yield key >> 3, data[at : at + length]
                at += length
            case 5:
                at += 4
            case other:
                raise ValueError(f"expected a wire type of protobuf, got {other}")


def elsewhere(model: bytes) -> list[str]:
    """What a network says about where weights lie, when they lie outside of it: paths, offsets, lengths."""
    return [word for number, graph in fields(model) if number == _GRAPH for word in _of_graph(graph)]


def _of_graph(graph: bytes) -> Iterator[str]:
    for number, part in fields(graph):
        if number == _INITIALIZER:
            yield from _of_tensor(part)
        elif number == _NODE:
            for inner, attribute in fields(part):
                if inner == _ATTRIBUTE:
                    yield from _of_attribute(attribute)


def _of_attribute(attribute: bytes) -> Iterator[str]:
    for number, part in fields(attribute):
        if number == _ATTRIBUTE_TENSOR:
            yield from _of_tensor(part)
        elif number == _ATTRIBUTE_GRAPH:
            yield from _of_graph(part)


def _of_tensor(tensor: bytes) -> Iterator[str]:
    for number, entry in fields(tensor):
        if number == _EXTERNAL:
            yield from (value.decode() for inner, value in fields(entry) if inner == _VALUE)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
