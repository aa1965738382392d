"""What an ONNX file says of itself: inputs, outputs, operator domains, references to other files.

Reads the protobuf wire format with bounds on everything and nothing else, so that a file can be refused in a
sentence before a runtime parses it, and listed without loading one (onnx.proto3 of the ONNX project, IR version 3
and later).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import UserError

MOST_NODES = 200_000
DEEPEST = 16  # graphs inside of graphs
VARINT_BYTES = 10
FLOAT = 1  # TensorProto.DataType

# Field numbers of onnx.proto3.
MODEL_IR, MODEL_GRAPH, MODEL_FUNCTION = 1, 7, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_SPARSE = 1, 5, 11, 12, 15
NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS, ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
TENSOR_NAME, TENSOR_EXTERNAL, TENSOR_LOCATION = 8, 13, 14
SPARSE_PARTS = (1, 2)
FUNCTION_NODE, FUNCTION_DOMAIN = 7, 10


class OnnxFileError(UserError):
    """A file that is no ONNX model, or is damaged; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Port:
    """An input or output. kind: TensorProto.DataType, 0 = no tensor; shape: None for a size that is not fixed."""

    name: str
    kind: int
    shape: tuple[int | None, ...] | None


@dataclass
class Contents:
    """What was found. inputs are those without a value in the file; foreign: operators of unknown domains."""

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
    external: bool = False


KNOWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}  # of ONNX Runtime itself


def read_contents(data: bytes) -> Contents:
    """What an ONNX file says of itself; raises OnnxFileError."""
    try:
        return _Reader().model(memoryview(data))
    except (ValueError, UnicodeDecodeError) as error:
        raise OnnxFileError(f"This is no ONNX model, or a damaged one ({error}); get the file again.") from error


Value = int | memoryview


def fields(view: memoryview) -> Iterator[tuple[int, Value]]:
    """A protobuf message's fields in order: number, and an integer or the bytes; raises ValueError."""
    at, end = 0, len(view)
    while at < end:
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if number == 0 or wire not in (0, 1, 2, 5):
            raise ValueError("it is not a protobuf message")
        if wire == 0:
            value, at = _varint(view, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(view, at)
        else:
            size = 8 if wire == 1 else 4
        if size > end - at:
            raise ValueError("it ends too early")
        yield number, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index in range(VARINT_BYTES):
        if at >= len(view):
            raise ValueError("it ends too early")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message belongs")
    return value


def _text(value: Value) -> str:
    return bytes(_message(value)).decode()


class _Reader:
    def __init__(self) -> None:
        self.found = Contents()
        self.nodes = 0
        self.operators: set[tuple[str, str]] = set()
        self.functions: set[str] = set()

    def model(self, view: memoryview) -> Contents:
        graphs, version = 0, 0
        for number, value in fields(view):
            if number == MODEL_IR:
                version = value if isinstance(value, int) else 0
            elif number == MODEL_GRAPH:
                graphs += 1
                self.graph(_message(value), 0)
            elif number == MODEL_FUNCTION:
                self.function(_message(value))
        if graphs != 1 or not 3 <= version <= 1000:
            raise ValueError("it holds no graph")
        known = KNOWN_DOMAINS | self.functions
        self.found.foreign = {f"{domain}.{op}" for domain, op in self.operators if domain not in known}
        return self.found

    def graph(self, view: memoryview, depth: int) -> None:
        if depth > DEEPEST:
            raise ValueError("its graphs are nested too deep")
        inputs, held = [], set()
        for number, value in fields(view):
            if number == GRAPH_NODE:
                self.node(_message(value), depth)
            elif number == GRAPH_INITIALIZER:
                held.add(self.tensor(_message(value)))
            elif number == GRAPH_SPARSE:
                self.sparse(_message(value))
            elif number == GRAPH_INPUT:
                inputs.append(_port(_message(value)))
            elif number == GRAPH_OUTPUT and depth == 0:
                self.found.outputs.append(_port(_message(value)))
        if depth == 0:
            self.found.inputs = [port for port in inputs if port.name not in held]

    def node(self, view: memoryview, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ValueError("it has too many nodes")
        op = domain = ""
        for number, value in fields(view):
            if number == NODE_OP:
                op = _text(value)
            elif number == NODE_DOMAIN:
                domain = _text(value)
            elif number == NODE_ATTRIBUTE:
                self.attribute(_message(value), depth)
        self.operators.add((domain, op))

    def attribute(self, view: memoryview, depth: int) -> None:
        for number, value in fields(view):
            if number in ATTRIBUTE_TENSORS:
                self.tensor(_message(value))
            elif number in ATTRIBUTE_GRAPHS:
                self.graph(_message(value), depth + 1)
            elif number in ATTRIBUTE_SPARSE:
                self.sparse(_message(value))

    def sparse(self, view: memoryview) -> None:
        for number, value in fields(view):
            if number in SPARSE_PARTS:
                self.tensor(_message(value))

    def tensor(self, view: memoryview) -> str:
        name = ""
        for number, value in fields(view):
            if number == TENSOR_NAME:
                name = _text(value)
            elif number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
                self.found.external = True
        return name

    def function(self, view: memoryview) -> None:
        for number, value in fields(view):
            if number == FUNCTION_NODE:
                self.node(_message(value), 1)
            elif number == FUNCTION_DOMAIN:
                self.functions.add(_text(value))


def _port(view: memoryview) -> Port:
    """A ValueInfoProto: name, and of a tensor its element type and shape."""
    name, kind, shape = "", 0, None
    for number, value in fields(view):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for which, tensor in fields(_message(value)):
                if which == 1:
                    kind, shape = _tensor_type(_message(tensor))
    return Port(name, kind, shape)


def _tensor_type(view: memoryview) -> tuple[int, tuple[int | None, ...] | None]:
    kind, shape = 0, None
    for number, value in fields(view):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2:
            shape = tuple(_size(_message(size)) for which, size in fields(_message(value)) if which == 1)
    return kind, shape


def _size(view: memoryview) -> int | None:
    """A dimension's size; None where it is a name or unknown."""
    for number, value in fields(view):
        if number == 1 and isinstance(value, int) and 0 < value < 1 << 31:
            return value
    return None
