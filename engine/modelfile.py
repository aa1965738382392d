"""Reader and writer of .hourbit model files: a safetensors container with checked contents.

The only code that reads model bytes. safetensors refuses cut, overlapping and oversized headers; this
module adds: the names, dtypes and shapes of the graph and nothing else, no duplicate keys, finite
numbers, sane scales, size limits, and a digest over all tensors and the metadata.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from engine.errors import UserError
from engine.graph import Architecture, Graph, GraphError, build
from engine.regular import read_regular
from engine.schema import Schema, SchemaError, schema_from_json

FORMAT = "hourbit 1"
MAX_FILE = 256 << 20
MAX_HEADER = 1 << 20
SCALES = (1e-8, 1e8)  # what alphas may be
STEM_SCALES = (1e-30, 1e8)  # and the stem's scales, of which a filter of faint weights has a tiny one


class ModelError(UserError):
    """A model file that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Model:
    """A trained network, ready for any runtime.

    name: what people call it; graph; schema; crop: crop side / landmark box side; tensors: as
    `graph.tensors()` lists them, read-only; card: data, terms, recipe, accuracy; sha256: digest of it all.
    """

    name: str
    graph: Graph
    schema: Schema
    crop: float
    tensors: Mapping[str, np.ndarray]
    card: Mapping[str, Any]
    sha256: str
    path: Path | None = None
    size: int = 0

    @property
    def architecture(self) -> Architecture:
        return self.graph.architecture

    @property
    def side(self) -> int:
        """Of the square crops that it takes, in pixels."""
        return self.architecture.side

    @property
    def landmarks(self) -> int:
        """K."""
        return self.architecture.landmarks

    @property
    def head(self) -> str:
        """What the maps mean: landmarks or segmentation."""
        return self.architecture.head

    @property
    def cells(self) -> int:
        """Side of the square heatmaps."""
        return self.architecture.heatmap

    @property
    def stride(self) -> int:
        """Crop pixels per heatmap cell."""
        return self.side // self.cells


def make_model(
    name: str, architecture: Architecture, schema: Schema, tensors: Mapping[str, np.ndarray],
    card: Mapping[str, Any] | None = None, crop: float | None = None,
) -> Model:  # fmt: skip
    """A model from its parts, checked as a file would be; raises ModelError."""
    metadata = {
        "format": FORMAT,
        "name": name,
        "architecture": _json(architecture.to_json()),
        "schema": _json(schema.to_json()),
        "crop": repr(float(schema.crop if crop is None else crop)),
        "card": _json(dict(card or {})),
    }
    return _checked(metadata, tensors, None, 0)


def write_model(path: str | Path, model: Model) -> Model:
    """Write a model whole or not at all, and return it with its path and size."""
    path = Path(path)
    metadata = _metadata(model) | {"sha256": model.sha256}
    check_size(model.graph)
    data = safetensors.numpy.save({n: np.ascontiguousarray(t) for n, t in model.tensors.items()}, metadata)
    write_whole(path, data)
    return read_model(path)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file's contents on the disk: afterwards it holds the old bytes or the new, never a part."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_model(path: str | Path) -> Model:
    """Read and check a model file; raises ModelError, or OSError where it cannot be opened."""
    path = Path(path)
    size = path.stat().st_size
    if size > MAX_FILE:
        raise ModelError(f"{path.name} is larger than 256 MB and no Hourbit model; choose another file.")
    data = read_regular(path)
    metadata = _header(path.name, data)
    try:
        tensors = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{path.name} is damaged ({error}); get the file again.") from error
    try:
        model = _checked(metadata, tensors, path, size)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error
    if metadata.get("sha256") != model.sha256:
        raise ModelError(f"{path.name} does not match its own digest; get the file again.")
    return model


def halved(model: Model) -> Model:
    """The model with its real inner convolutions in float16; raises ModelError where that cannot hold a weight."""
    with np.errstate(over="ignore"):
        tensors = {n: t.astype(np.float16) if n.endswith(".kernel") else t for n, t in model.tensors.items()}
    return make_model(model.name, model.architecture, model.schema, tensors, model.card, model.crop)


def check_size(graph: Graph) -> None:
    """Raise ModelError for a network whose file could not be read again."""
    size = sum(np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in graph.tensors().values())
    if size > MAX_FILE - MAX_HEADER:
        raise ModelError(f"This network has {size >> 20} MB of weights, more than 255; make it narrower or lower.")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _metadata(model: Model) -> dict[str, str]:
    return {
        "format": FORMAT,
        "name": model.name,
        "architecture": _json(model.architecture.to_json()),
        "schema": _json(model.schema.to_json()),
        "crop": repr(model.crop),
        "card": _json(dict(model.card)),
    }


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _strict(text: str | bytes) -> Any:
    def refuse(value: str) -> None:
        raise ValueError(f"{value} is not a number")

    return json.loads(text, object_pairs_hook=_unique, parse_constant=refuse)


def _header(name: str, data: bytes) -> dict[str, str]:
    """The container's metadata, after the checks that safetensors leaves out."""
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 2 <= length <= min(MAX_HEADER, len(data) - 8):
        raise ModelError(f"{name} is no Hourbit model; choose a .hourbit file.")
    try:
        header = _strict(data[8 : 8 + length])
        metadata = header["__metadata__"]
        if not all(isinstance(v, str) for v in metadata.values()):
            raise ValueError("metadata must be text")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(f"{name} is no Hourbit model ({error}); choose a .hourbit file.") from error
    return metadata


def _checked(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray], path: Path | None, size: int) -> Model:
    if metadata.get("format") != FORMAT:
        told = metadata.get("format")
        raise ModelError(f"The model's format is {told!r}, this version reads {FORMAT!r}; get the file for this one.")
    try:
        graph = build(Architecture.from_json(_strict(metadata["architecture"])))
        schema = schema_from_json(_strict(metadata["schema"]))
        card, crop = _strict(metadata["card"]), float(metadata["crop"])
        name = metadata["name"]
    except (GraphError, SchemaError) as error:
        raise ModelError(str(error)) from error
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"The model's description is damaged ({error}); get the file again.") from error
    if len(schema) != graph.architecture.landmarks or not 0.5 <= crop <= 10 or not isinstance(card, dict):
        raise ModelError("The model's schema, crop factor or card do not fit its network; get the file again.")
    if not 0 < len(name) <= 200:
        raise ModelError("A model's name must have 1 to 200 characters.")
    _check_tensors(graph, tensors)
    held = {n: np.ascontiguousarray(tensors[n]) for n in graph.tensors()}
    for tensor in held.values():
        tensor.flags.writeable = False
    return Model(name, graph, schema, crop, held, card, _digest(metadata, held), path, size)


def _check_tensors(graph: Graph, tensors: Mapping[str, np.ndarray]) -> None:
    expected = graph.tensors()
    odd = sorted(set(tensors) ^ set(expected))
    if odd:
        raise ModelError(f"The model lacks or adds tensors ({odd[0]} and {len(odd) - 1} more); get the file again.")
    for name, (dtype, shape) in expected.items():
        tensor = tensors[name]
        half = name.endswith(".kernel") and tensor.dtype == np.float16
        if tensor.dtype != np.dtype(dtype) and not half or tensor.shape != shape:
            raise ModelError(f"{name} must be {dtype} {shape}, not {tensor.dtype} {tensor.shape}.")
        if dtype == "float32":
            if not np.isfinite(tensor).all():
                raise ModelError(f"{name} holds values that are not finite; train the model again.")
            low, high = STEM_SCALES if name == "stem.conv.scale" else SCALES
            positive = name.endswith((".alpha", "stem.conv.scale"))
            if positive and ((tensor < low) | (tensor > high)).any():
                raise ModelError(f"{name} holds a scale outside {low} to {high}; train the model again.")
    _check_filling(graph, tensors)


def _check_filling(graph: Graph, tensors: Mapping[str, np.ndarray]) -> None:
    """The bits that fill up a filter's last byte are 0."""
    for node in graph.nodes:
        used = node.kernel**2 * graph[node.inputs[0]].channels % 8 if node.op == "binary" else 0
        if used and (tensors[f"{node.name}.bits"][:, -1] >> used).any():
            raise ModelError(f"{node.name}.bits holds more bits than weights; get the file again.")


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for key in ("format", "name", "architecture", "schema", "crop", "card"):
        digest.update(f"{key}={metadata[key]}\n".encode())
    for name in sorted(tensors):
        digest.update(name.encode() + b"\0" + tensors[name].tobytes())
    return digest.hexdigest()
