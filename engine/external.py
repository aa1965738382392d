"""Landmark networks of other makers as ONNX files: what they see, what they give, and for which landmarks.

The ONNX file is what its maker exported. What it cannot say stands in a JSON file of the same name beside it:

    {"schema": "ibug68",          name of a schema that ships, or a schema as an object; needed
     "name": "My network",        how people call it; else the file's name
     "crop": 1.5,                 crop side / landmark box side; else the schema's
     "output": "probability",     or "logits": whether the maps are in [0, 1] already
     "colour": "RGB",             or "BGR"
     "range": 1,                  or 255: what the brightest pixel is before mean and std
     "mean": [0, 0, 0], "std": [1, 1, 1],
     "heatmaps": "output"}        name of the output; needed where there are several

Its one input is (1 or N, 3, H, W) float32, the output (1 or N, K, h, w) float32 with H / h = W / w whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.architecture import LANDMARKS
from engine.errors import UserError
from engine.onnxfile import FLOAT, Contents, OnnxFileError, Port, read_contents
from engine.regular import read_regular
from engine.schema import Schema, SchemaError, load_schema, schema_from_json

SUFFIX = ".onnx"
MAX_FILE = 512 << 20
MAX_DESCRIPTION = 1 << 20
SIDES = (32, 1024)
OUTPUTS = ("probability", "logits")
KEYS = ("schema", "name", "crop", "output", "colour", "range", "mean", "std", "heatmaps")


class ExternalModelError(UserError):
    """An ONNX file or its description that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Reading:
    """How pixels go in and maps come out.

    source, target: names of input and output; size (H, W) in pixels; cells (h, w); logits: whether the output is
    before the sigmoid; bgr: order of the channels; peak: value of a full pixel; mean and std: (3,) in that scale.
    """

    source: str
    target: str
    size: tuple[int, int]
    cells: tuple[int, int]
    logits: bool = False
    bgr: bool = False
    peak: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class ExternalModel:
    """A network of another maker, ready for ONNX Runtime; to the rest of the program a model like any other.

    side: of the square crops that it takes, of which a network that is not square sees the middle; stride: crop
    pixels per heatmap cell; description: the JSON beside the file, complete; sha256: of file and description.
    """

    name: str
    schema: Schema
    crop: float
    side: int
    stride: int
    reading: Reading
    description: Mapping[str, Any]
    sha256: str
    path: Path
    size: int

    @property
    def landmarks(self) -> int:
        """K."""
        return len(self.schema)

    @property
    def head(self) -> str:
        """What the maps mean."""
        return LANDMARKS

    @property
    def cells(self) -> int:
        """Side of the square heatmaps."""
        return self.side // self.stride

    @property
    def card(self) -> Mapping[str, Any]:
        """What is known of it."""
        return {"kind": "external ONNX network"}

    def read(self) -> bytes:
        """The ONNX file; raises ExternalModelError where it is another one by now."""
        data = read_bytes(self.path, MAX_FILE)
        if _digest(data, self.description) != self.sha256:
            raise ExternalModelError(f"{self.path.name} has changed since it was looked at; open it again.")
        return data


def description_path(path: Path) -> Path:
    """Where the description of an ONNX file stands."""
    return path.with_suffix(".json")


def read_external(path: str | Path, description: Mapping[str, Any] | None = None) -> ExternalModel:
    """An ONNX file with its description, by default the one beside it; raises ExternalModelError.

    Loads no runtime: whether the network runs shows when it is opened.
    """
    path = Path(path)
    try:
        data = read_bytes(path, MAX_FILE)
        told = read_description(path) if description is None else dict(description)
        return _fitted(path, data, told, read_contents(data))
    except (OnnxFileError, SchemaError, Unfit) as error:
        raise ExternalModelError(f"{path.name}: {error}") from error


class Unfit(UserError):
    pass


def read_bytes(path: Path, most: int) -> bytes:
    if path.stat().st_size > most:
        raise Unfit(f"{path.name} is larger than {most >> 20} MB; choose another file.")
    return read_regular(path)


def read_description(path: Path) -> dict[str, Any]:
    """What the JSON beside an ONNX file says, unchecked; raises UserError where there is none."""
    beside = description_path(path)
    if not beside.is_file():
        raise Unfit(f'{beside.name} beside it must say which landmarks it finds, such as {{"schema": "ibug68"}}.')
    try:
        told = json.loads(read_bytes(beside, MAX_DESCRIPTION))
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{beside.name} is no JSON ({error}); correct it.") from error
    if not isinstance(told, dict):
        raise Unfit(f"{beside.name} must hold a JSON object; correct it.")
    return told


def _fitted(path: Path, data: bytes, told: dict[str, Any], contents: Contents) -> ExternalModel:
    unknown = [key for key in told if key not in KEYS]
    if unknown or "schema" not in told:
        fault = f"has no use for {unknown[0]!r}" if unknown else "lacks the schema"
        raise Unfit(f"Its description {fault}; it may hold {', '.join(KEYS)}.")
    named = told["schema"]
    schema = load_schema(named) if isinstance(named, str) else schema_from_json(named)
    reading = _reading(told, contents, len(schema))
    stride = reading.size[0] // reading.cells[0]
    side = max(reading.size)
    crop = number(told, "crop", schema.crop, 0.5, 10)
    name = told.get("name", path.stem)
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise Unfit("A model's name has 1 to 200 characters; correct its description.")
    complete = {key: told[key] for key in KEYS if key in told}
    sha256 = _digest(data, complete)
    return ExternalModel(name, schema, crop, side, stride, reading, complete, sha256, path, len(data))


def _reading(told: dict[str, Any], contents: Contents, landmarks: int) -> Reading:
    if contents.external:
        raise Unfit("It keeps weights in other files; export it as one file.")
    if contents.foreign:
        raise Unfit(f"It needs the operator {min(contents.foreign)}, which is not ONNX's own; export it without.")
    source, size = picture_input(contents)
    target, cells = _target(contents, told.get("heatmaps"), landmarks)
    stride = size[0] // cells[0]
    if not stride or (cells[0] * stride, cells[1] * stride) != size or (abs(size[0] - size[1]) // 2) % stride:
        raise Unfit(f"Its heatmaps ({_times(cells)}) are no whole part of its pictures ({_times(size)}); use another.")
    return Reading(
        source.name, target.name, size, cells,
        logits=choice(told, "output", OUTPUTS) == "logits",
        bgr=choice(told, "colour", ("RGB", "BGR")) == "BGR",
        peak=float(choice(told, "range", (1, 255))),
        mean=three(told, "mean", 0.0), std=three(told, "std", 1.0, positive=True),
    )  # fmt: skip


def picture_input(contents: Contents) -> tuple[Port, tuple[int, int]]:
    if len(contents.inputs) != 1:
        raise Unfit(f"It takes {len(contents.inputs)} inputs and not one picture; export it with one.")
    (source,) = contents.inputs
    shape = source.shape or ()
    if source.kind != FLOAT or len(shape) != 4 or shape[0] not in (1, None) or shape[1] != 3:
        raise Unfit(f"Its input must be (1, 3, H, W) float32, not {_shape(source)}; export it so.")
    if shape[2] is None or shape[3] is None:
        raise Unfit("The height and width of its input are not fixed; export it with fixed sizes.")
    if not all(SIDES[0] <= side <= SIDES[1] for side in shape[2:]):
        raise Unfit(f"Its input is {_times(shape[2:])}, not {SIDES[0]} to {SIDES[1]} pixels a side; use another.")
    return source, (shape[2], shape[3])


def _target(contents: Contents, name: Any, landmarks: int) -> tuple[Port, tuple[int, int]]:
    named = [port for port in contents.outputs if name is None or port.name == name]
    if len(named) != 1:
        known = ", ".join(port.name for port in contents.outputs) or "none"
        raise Unfit(f'Its description must name one output of {known} as "heatmaps"; add it.')
    (target,) = named
    shape = target.shape or ()
    if target.kind != FLOAT or len(shape) != 4 or shape[0] not in (1, None) or None in shape[1:]:
        raise Unfit(f"Its output must be heatmaps (1, K, h, w) float32 of fixed sizes, not {_shape(target)}.")
    if shape[1] != landmarks:
        raise Unfit(f"It gives {shape[1]} heatmaps for the schema's {landmarks} landmarks; choose another schema.")
    return target, (shape[2], shape[3])


def _shape(port: Port) -> str:
    sizes = "?" if port.shape is None else ", ".join("?" if size is None else str(size) for size in port.shape)
    return f"({sizes})" + ("" if port.kind == FLOAT else " of another type")


def _times(sizes: tuple[int | None, ...]) -> str:
    return " x ".join(str(size) for size in sizes)


def choice(told: dict[str, Any], key: str, choices: tuple[Any, ...]) -> Any:
    value = told.get(key, choices[0])
    if isinstance(value, bool) or value not in choices:
        raise Unfit(f"{key} must be {' or '.join(map(str, choices))}, not {value!r}; correct its description.")
    return value


def number(told: dict[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = told.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise Unfit(f"{key} must be a number from {low} to {high}, not {value!r}; correct its description.")
    return float(value)


def three(told: dict[str, Any], key: str, default: float, positive: bool = False) -> tuple[float, float, float]:
    values = told.get(key, [default] * 3)
    numbers = isinstance(values, (list, tuple)) and len(values) == 3
    numbers = numbers and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not numbers or not np.isfinite(values).all() or (positive and min(values) <= 0):
        raise Unfit(f"{key} must be three {'positive ' * positive}numbers, not {values!r}; correct its description.")
    return float(values[0]), float(values[1]), float(values[2])


def _digest(data: bytes, description: Mapping[str, Any]) -> str:
    told = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(hashlib.sha256(data).digest() + told.encode()).hexdigest()
