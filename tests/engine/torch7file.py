"""A writer of Torch7's binary serialization, and of networks laid out as the authors' files are.

Written from the format's description alone, apart from the reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NAMES = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short", "i1": "Char",
         "u1": "Byte"}  # fmt: skip


@dataclass(eq=False)
class Thing:
    """An object of a Torch class with a table of fields; `version` None writes the old header without one."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)
    version: int | None = 1


@dataclass(eq=False)
class Array:
    """A tensor; `cuda` names its class so. `storage` may be shared; None with no elements writes nil."""

    values: np.ndarray
    cuda: bool = True
    storage: Any = None

    @property
    def name(self) -> str:
        plain = NAMES[self.values.dtype.str[1:]]
        return f"Cuda{plain if plain != 'Float' else ''}" if self.cuda else plain


@dataclass(eq=False)
class Stored:
    """A storage on its own, for example a torch.LongStorage of sizes."""

    values: np.ndarray
    name: str


class Writer:
    """Appends objects to `data`; what was written before is written as its number."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.numbers: dict[int, int] = {}
        self.kept: list[Any] = []  # keeps ids from being used again

    def pack(self, form: str, *values: Any) -> None:
        self.data += struct.pack("<" + form, *values)

    def text(self, words: str) -> None:
        raw = words.encode("latin-1")
        self.pack("i", len(raw))
        self.data += raw

    def known(self, kind: int, value: Any) -> bool:
        self.pack("i", kind)
        number = self.numbers.get(id(value))
        if number is None:
            self.numbers[id(value)] = number = len(self.numbers) + 1
            self.kept.append(value)
            self.pack("i", number)
            return False
        self.pack("i", number)
        return True

    def value(self, value: Any) -> None:
        if value is None:
            self.pack("i", 0)
        elif isinstance(value, bool):
            self.pack("ii", 5, value)
        elif isinstance(value, (int, float)):
            self.pack("id", 1, value)
        elif isinstance(value, str):
            self.pack("i", 2)
            self.text(value)
        elif isinstance(value, dict):
            if not self.known(3, value):
                self.table(value)
        elif not self.known(4, value):
            self.object(value)

    def table(self, table: dict[Any, Any]) -> None:
        self.pack("i", len(table))
        for key, value in table.items():
            self.value(key)
            self.value(value)

    def header(self, kind: str, version: int | None = 1) -> None:
        if version is not None:
            self.text(f"V {version}")
        self.text(kind)

    def object(self, value: Any) -> None:
        if isinstance(value, Thing):
            self.header(value.kind, value.version)
            self.value(value.fields)
        elif isinstance(value, Stored):
            self.header(f"torch.{value.name}Storage")
            self.pack("q", value.values.size)
            self.data += value.values.tobytes()
        else:
            self.tensor(value)

    def tensor(self, tensor: Array) -> None:
        values = tensor.values
        self.header(f"torch.{tensor.name}Tensor")
        held = values.size > 0
        shape = values.shape if held else ()
        strides = [s // values.itemsize for s in values.strides] if held else []
        self.pack(f"i{2 * len(shape)}qq", len(shape), *shape, *strides, 1)
        self.value((tensor.storage or Stored(values, tensor.name)) if held else None)


def written(value: Any) -> bytes:
    """The bytes of one object."""
    writer = Writer()
    writer.value(value)
    return bytes(writer.data)


def listed(*items: Any) -> dict[float, Any]:
    """A Lua list."""
    return {float(n + 1): item for n, item in enumerate(items)}


@dataclass(frozen=True)
class Style:
    """What differs between files of such networks."""

    package: str = "cudnn"  # of ReLU, pooling, real convolutions; or nn
    gradients: bool = True  # gradWeight and gradBias kept
    norm_version: int | None = 2  # below 2: running_std in place of running_var
    join: tuple[int, int | None] = (2, None)  # JoinTable's dimension and nInputDims


class Network:
    """Draws the weights of a network and nests its layers as the authors did; `drawn` keeps them by node name.

    norm: mean, variance, gamma, beta; conv: weight (O, I, k, k) of +-1 and alpha; stem.conv, head.conv: weight, bias.
    """

    def __init__(self, landmarks: int, width: int = 256, stem: int = 64, seed: int = 0, style: Style = Style()) -> None:
        self.landmarks, self.width, self.stem, self.style = landmarks, width, stem, style
        self.rng = np.random.default_rng(seed)
        self.drawn: dict[str, Any] = {}

    def layer(self, kind: str, version: int | None = 1, **fields: Any) -> Thing:
        float_type = {"_type": "torch.CudaTensor", "train": False}
        empty = {"output": Array(np.empty(0, np.float32)), "gradInput": Array(np.empty(0, np.float32))}
        return Thing(kind, float_type | empty | fields, version)

    def floats(self, values: Any) -> Array:
        return Array(np.ascontiguousarray(values, np.float32))

    def sequential(self, *items: Thing) -> Thing:
        return self.layer("nn.Sequential", modules=listed(*items))

    def split(self, *items: Thing) -> Thing:
        return self.layer("nn.ConcatTable", modules=listed(*items), output={})

    def add(self) -> Thing:
        return self.layer("nn.CAddTable", gradInput={}, inplace=False)

    def relu(self) -> Thing:
        return self.plain("ReLU", inplace=True)

    def join(self) -> Thing:
        dimension, inputs = self.style.join
        more = {} if inputs is None else {"nInputDims": inputs}
        return self.layer("nn.JoinTable", dimension=dimension, size=Stored(np.ones(4, np.int64), "Long"), **more)

    def plain(self, name: str, **fields: Any) -> Thing:
        return self.layer(f"{self.style.package}.{name}", **fields)

    def pool(self) -> Thing:
        return self.plain("SpatialMaxPooling", kW=2, kH=2, dW=2, dH=2, padW=0, padH=0)

    def norm(self, name: str, channels: int, package: str = "nn") -> Thing:
        rng = self.rng
        mean, variance = rng.normal(0, 0.3, channels), rng.uniform(0.2, 2.0, channels)
        gamma, beta = rng.uniform(0.5, 1.5, channels) * rng.choice([1, 1, -1], channels), rng.normal(0, 0.3, channels)
        values = [a.astype(np.float32) for a in (mean, variance, gamma, beta)]
        self.drawn[name] = values
        fields = {"eps": 1e-5, "momentum": 0.1, "affine": True, "running_mean": self.floats(values[0]),
                  "weight": self.floats(values[2]), "bias": self.floats(values[3])}  # fmt: skip
        old = self.style.norm_version in (None, 0, 1)
        spread = (values[1].astype(np.float64) + 1e-5) ** -0.5 if old else values[1]
        fields["running_std" if old else "running_var"] = self.floats(spread)
        if self.style.gradients:
            fields |= {"gradWeight": self.floats(np.zeros(channels)), "gradBias": self.floats(np.zeros(channels))}
        return self.layer(f"{package}.SpatialBatchNormalization", self.style.norm_version, **fields)

    def real(self, name: str, cin: int, cout: int, k: int, stride: int) -> Thing:
        weight = self.rng.normal(0, (cin * k * k) ** -0.5, (cout, cin, k, k)).astype(np.float32)
        bias = self.rng.normal(-1, 0.5, cout).astype(np.float32)
        self.drawn[name] = weight, bias
        fields = {"weight": self.floats(weight), "bias": self.floats(bias), "groups": 1,
                  "nInputPlane": cin, "nOutputPlane": cout, "kW": k, "kH": k, "dW": stride, "dH": stride,
                  "padW": k // 2, "padH": k // 2}  # fmt: skip
        if self.style.gradients:
            fields |= {"gradWeight": self.floats(weight * 0), "gradBias": self.floats(bias * 0)}
        return self.plain("SpatialConvolution", **fields)

    def binary(self, name: str, cin: int, cout: int, k: int) -> Thing:
        """Batch-norm, sign, packed convolution: 32 signs a word, in (in-channel, ky, kx) order."""
        signs = self.rng.choice(np.array([-1, 1], np.int8), (cout, cin, k, k))
        alpha = (self.rng.uniform(0.5, 1.5, cout) * (cin * k * k) ** -0.5).astype(np.float32)
        self.drawn[f"{name}.conv"] = signs, alpha
        flat = signs.reshape(cout, -1) > 0
        words = -(-flat.shape[1] // 32)
        padded = np.zeros((cout, words * 32), np.uint64)
        padded[:, : flat.shape[1]] = flat
        packed = (padded.reshape(cout, words, 32) << np.arange(32, dtype=np.uint64)).sum(2).astype(np.uint32)
        conv = self.layer(
            "bnn.SpatialConvolution", nInputPlane=cin, nOutputPlane=cout, kW=k, kH=k, dW=1, dH=1, padW=k // 2,
            padH=k // 2, weight=Array(packed.view(np.int32)), alphas=self.floats(alpha.reshape(-1, 1, 1, 1)),
            finput=Array(np.empty(0, np.float32)),
        )  # fmt: skip
        norm = self.norm(f"{name}.norm", cin)
        return self.sequential(norm, self.sequential(self.layer("bnn.Binary")), conv)

    def block(self, name: str, cin: int, cout: int) -> Thing:
        first = self.binary(f"{name}.a", cin, cout // 2, 3)
        second = self.binary(f"{name}.b", cout // 2, cout // 4, 3)
        third = self.binary(f"{name}.c", cout // 4, cout // 4, 3)
        inner = self.sequential(second, self.split(self.layer("nn.Identity"), third), self.join())
        whole = self.split(self.layer("nn.Identity"), inner)
        main = self.sequential(*first.fields["modules"].values(), whole, self.join())
        skip = self.layer("nn.Identity") if cin == cout else self.binary(f"{name}.skip", cin, cout, 1)
        return self.sequential(self.split(main, skip), self.add())

    def hourglass(self, level: int) -> Thing:
        name, w = f"hourglass.{level}", self.width
        upper, before = self.block(f"{name}.upper", w, w), self.block(f"{name}.before", w, w)
        inner = self.hourglass(level - 1) if level > 1 else self.block(f"{name}.inner", w, w)
        after, size = self.block(f"{name}.after", w, w), Stored(np.ones(4, np.int64), "Long")
        up = self.layer("nn.SpatialUpSamplingNearest", scale_factor=2, outputSize=size)
        low = self.sequential(self.pool(), before, inner, after, up)
        return self.sequential(self.split(self.sequential(upper), low), self.add())

    def root(self) -> Thing:
        stem, w = self.stem, self.width
        return self.sequential(
            self.real("stem.conv", 3, stem, 7, 2), self.norm("stem.norm", stem), self.relu(),
            self.block("stem.1", stem, 2 * stem), self.pool(), self.block("stem.2", 2 * stem, 2 * stem),
            self.block("stem.3", 2 * stem, w), self.hourglass(4), self.block("head.block", w, w),
            self.binary("head.last", w, w, 1), self.norm("head.norm", w, self.style.package), self.relu(),
            self.real("head.conv", w, self.landmarks, 1, 1), self.plain("Sigmoid"),
        )  # fmt: skip
