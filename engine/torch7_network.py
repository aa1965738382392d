"""The authors' released networks (human_pose_binary.t7 and its like) as models of ours.

The stem, real in the file, is snapped to the integer grid on which the engine computes; everything else is taken
over exactly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import lower
from engine.graph import Architecture, Graph, GraphError, Node, build
from engine.modelfile import SCALES, Model, ModelError, make_model
from engine.random_model import KNOWN_SCHEMAS
from engine.schema import Schema, load_schema
from engine.torch7 import Torch7Error, Torch7Object, read_torch7
from engine.torch7_graph import Step, match, trace, whole

SUFFIX = ".t7"  # of the files' names
LICENCE = "unknown: the weight files state no licence"
# Crop side / box side of the authors' crops, where it is not ours: (w + h) x 200 / 190 pixels
# around the landmarks of a face, 1.25 times the height of a person.
CROPS = {"ibug68": 2.1, "mpii16": 1.25}


@dataclass(frozen=True)
class Imported:
    """A model and what had to change: `stem_change` is the largest change of a stem weight / its filter's largest."""

    model: Model
    stem_change: float

    @property
    def remark(self) -> str:
        """What a person must know, in a sentence."""
        return f"The stem was rounded to the engine's grid; no weight changed by more than {self.stem_change:.1e} " \
               "of its filter's largest."  # fmt: skip


def import_torch7(
    path: str | Path, name: str, schema: Schema | None = None, side: int = 256, crop: float | None = None
) -> Imported:
    """Read a network that the authors' code wrote.

    Raises Torch7Error, GraphError for a wrong side, or OSError where the file cannot be opened. `schema`: by
    the number of landmarks where None. `side`: of the input in pixels, which no file tells.
    """
    path = Path(path)
    Architecture(1, side=side)  # a wrong side is no fault of the file
    root, data = read_torch7(path)
    try:
        steps = trace(root)
        graph = build(_architecture(steps, side))
        found = match(graph, steps)
        tensors, change, dead = _tensors(graph, found)
    except (Torch7Error, GraphError) as error:
        fault = str(error).rstrip(".")
        raise Torch7Error(
            f"{path.name} holds another network than a binarized hourglass of hierarchical blocks ({fault}); "
            "only networks like the authors' human_pose_binary.t7 can be imported."
        ) from error
    schema = _schema(path, schema, graph.architecture.landmarks)
    card = {
        "origin": f"imported from {path.name}", "source sha256": hashlib.sha256(data).hexdigest(),
        "terms": LICENCE, "data": "not stated by the file",
        "stem": f"rounded to int16, largest change {change:.1e} of a filter's largest weight",
    }  # fmt: skip
    if dead:
        card["filters"] = f"{dead} with a scale below {SCALES[0]} were given that scale"
    try:
        crop = crop or CROPS.get(schema.name)
        model = make_model(name[:200], graph.architecture, schema, tensors, card, crop)
    except ModelError as error:
        raise Torch7Error(f"{path.name} cannot be used: {error}") from error
    return Imported(model, change)


def _schema(path: Path, schema: Schema | None, count: int) -> Schema:
    if schema is None and count not in KNOWN_SCHEMAS:
        raise Torch7Error(
            f"{path.name} finds {count} landmarks, of which no schema is known; name one by `hourbit model import`."
        )
    schema = schema or load_schema(KNOWN_SCHEMAS[count])
    if len(schema) != count:
        raise Torch7Error(
            f"{path.name} finds {count} landmarks and {schema.name} has {len(schema)}; choose the matching schema."
        )
    return schema


def _architecture(steps: list[Step], side: int) -> Architecture:
    """What the first and the last convolution say of the whole; `match` looks at the rest."""
    real = [step.module for step in steps if step.op == "conv" and step.module is not None]
    if len(real) != 2:
        raise Torch7Error(f"it has {len(real)} real convolutions, not 2")
    relu = sum(step.op == "relu" for step in steps) > 2  # one behind the stem, one before the head
    return Architecture(
        whole(real[1], "nOutputPlane"), whole(real[1], "nInputPlane"), whole(real[0], "nOutputPlane"), side, -1, relu
    )


def _tensors(graph: Graph, found: dict[str, Step]) -> tuple[dict[str, np.ndarray], float, int]:
    """The graph's tensors, the stem's relative change, and the number of filters whose scale had to be raised."""
    channels = {"image": 3} | {node.name: node.channels for node in graph.nodes}
    tensors: dict[str, np.ndarray] = {}
    change, dead = 0.0, 0
    for node in graph.nodes:
        try:
            made, note = _layer(found[node.name].module, node, channels[node.inputs[0]])
        except Torch7Error as error:
            raise Torch7Error(f"at {node.name} {error}") from error
        if node.op == "stem":
            change = note
        dead += int(note) if node.op == "binary" else 0
        tensors |= {f"{node.name}.{part}": values for part, values in made.items()}
    return tensors, change, dead


def _layer(module: Torch7Object, node: Node, cin: int) -> tuple[dict[str, np.ndarray], float]:
    """A node's tensors by the last part of their names, and what its kind has to tell (see `_tensors`)."""
    if node.op == "norm":
        return _norm(module, node.channels), 0
    if node.op == "binary":
        return _binary(module, node, cin)
    if node.op == "stem":
        return _stem(module, node, cin)
    if node.op == "head":
        weight, bias = _convolution(module, node, cin)
        return {"weight": np.ascontiguousarray(weight[:, :, 0, 0]), "bias": bias}, 0
    if node.op == "pool":
        _expect(module, {"kW": 2, "kH": 2, "dW": 2, "dH": 2, "padW": 0, "padH": 0}, 0)
    elif node.op == "up":
        _expect(module, {"scale_factor": 2})
    return {}, 0


def _expect(module: Torch7Object, numbers: dict[str, int], default: int | None = None) -> None:
    for name, wanted in numbers.items():
        value = whole(module, name, default)
        if value != wanted:
            raise Torch7Error(f"{name} of a {module.kind} is {value}, not {wanted}")


def _array(module: Torch7Object, name: str, size: int) -> np.ndarray:
    """A field with `size` finite real numbers, flat; float32 and float64 as they are."""
    values = module.fields.get(name)
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or values.size != size:
        raise Torch7Error(f"{name} of a {module.kind} must hold {size} real numbers")
    values = values.reshape(-1)
    if not np.isfinite(values).all():
        raise Torch7Error(f"{name} of a {module.kind} holds values that are not finite")
    return values


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what does not fit is refused with all that is not finite
        return values.astype(np.float32)


def _norm(module: Torch7Object, channels: int) -> dict[str, np.ndarray]:
    """Batch-norm's scale and shift. Old files keep running_std, which is (variance + eps) ** -0.5."""
    fields = module.fields
    mean = _array(module, "running_mean", channels).astype(np.float64)
    affine = fields.get("weight") is not None
    gamma = _array(module, "weight", channels) if affine else np.ones(channels)
    beta = _array(module, "bias", channels) if affine else np.zeros(channels)
    old = "running_std" in fields and (module.version < 2 or "running_var" not in fields)
    if old:
        factor = _array(module, "running_std", channels).astype(np.float64)
    else:
        eps = fields.get("eps", lower.EPSILON)
        spread = _array(module, "running_var", channels).astype(np.float64)
        if not isinstance(eps, float) or not 0 <= eps < 1 or (spread < 0).any() or (spread + eps <= 0).any():
            raise Torch7Error(f"a {module.kind} has a variance or eps that none can have")
        factor = 1 / np.sqrt(spread + eps)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = gamma * factor
        return {"scale": _single(scale), "shift": _single(beta - mean * scale)}


def _binary(module: Torch7Object, node: Node, cin: int) -> tuple[dict[str, np.ndarray], int]:
    """Bits and alphas. A filter with alpha < 0 is the opposite filter with -alpha.

    In the file a row is a filter in (in-channel, ky, kx) order, 32 to a word, the first in the lowest bit; bit 1
    means +1. Ours is in (ky, kx, in-channel) order.
    """
    k, cout = node.kernel, node.channels
    border = {"nInputPlane": cin, "nOutputPlane": cout, "kW": k, "kH": k, "padW": k // 2, "padH": k // 2}
    _expect(module, border, None)
    _expect(module, {"dW": 1, "dH": 1}, 1)
    if isinstance(bias := module.fields.get("bias"), np.ndarray) and bias.size:
        raise Torch7Error("a binary convolution has a bias")
    packed, words = module.fields.get("weight"), -(-cin * k * k // 32)
    if not isinstance(packed, np.ndarray) or packed.dtype != np.dtype("<i4") or packed.size != cout * words:
        raise Torch7Error(f"the weights of a {module.kind} must be {cout} x {words} packed integers")
    octets = np.ascontiguousarray(packed.reshape(cout, words)).view(np.uint8)
    bits = np.unpackbits(octets, axis=1, count=cin * k * k, bitorder="little").reshape(cout, cin, k, k)
    alpha = _single(_array(module, "alphas", cout))
    bits = np.where((alpha < 0)[:, None, None, None], 1 - bits, bits)
    alpha, low = np.abs(alpha), np.float32(SCALES[0])
    ordered = bits.transpose(0, 2, 3, 1).reshape(cout, -1)
    made = {"bits": np.packbits(ordered, axis=1, bitorder="little"), "alpha": np.maximum(alpha, low)}
    return made, int((alpha < low).sum())


def _convolution(module: Torch7Object, node: Node, cin: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (O, I, k, k) and bias (O,) of a real convolution, float32."""
    k, cout = node.kernel, node.channels
    border = {"nInputPlane": cin, "nOutputPlane": cout, "kW": k, "kH": k}
    _expect(module, border)
    _expect(module, {"padW": k // 2, "padH": k // 2}, 0)
    stride = 2 if node.op == "stem" else 1
    _expect(module, {"dW": stride, "dH": stride, "groups": 1}, 1)
    weight = _single(_array(module, "weight", cout * cin * k * k)).reshape(cout, cin, k, k)
    without = module.fields.get("bias") is None
    return weight, np.zeros(cout, np.float32) if without else _single(_array(module, "bias", cout))


def _stem(module: Torch7Object, node: Node, cin: int) -> tuple[dict[str, np.ndarray], float]:
    weight, bias = _convolution(module, node, cin)
    integers, scale = lower.stem_weights(weight)
    snapped = integers.transpose(0, 3, 1, 2) * (scale.astype(np.float64) * 255)[:, None, None, None]
    peak = np.abs(weight).reshape(len(weight), -1).max(1).astype(np.float64)
    moved = np.abs(snapped - weight).reshape(len(weight), -1).max(1)
    made = {"weight": integers, "scale": scale, "bias": bias}
    return made, float((moved / np.where(peak > 0, peak, 1)).max())
