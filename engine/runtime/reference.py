"""The readable truth: every node of the graph in NumPy, bit for bit what the other runtimes must give.

Shares no code with the packed runtime. Maps are (H, W, C) float32. Sums of +-1 and of integers are
exact in any order; every other product and sum is rounded on its own, in the order written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from engine.graph import Node
from engine.heatmaps import probabilities
from engine.lower import unpack_weights
from engine.modelfile import Model
from engine.runtime.inputs import check_crop, known_layers, layer_names, run_each


class ReferenceRuntime:
    """Interpreter of a model's graph."""

    name = "reference"
    isa = "numpy"
    threads = 1
    notice = ""
    checked = True

    def __init__(self, model: Model) -> None:
        self.model = model
        channels = {"image": 3} | {node.name: node.channels for node in model.graph.nodes}
        self._operations = {n.name: operation(model, n, channels[n.inputs[0]]) for n in model.graph.nodes}

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        *_, (_, last) = self.maps(crop)
        result = np.ascontiguousarray(last.transpose(2, 0, 1))
        return result if logits else probabilities(result, self.model.head)

    def maps(self, crop: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Each node's name and (H, W, C) float32 map, in order; the last one is the logits."""
        check_crop(crop, self.model)
        nodes = self.model.graph.nodes
        last_use = {source: node.name for node in nodes for source in node.inputs}
        values: dict[str, np.ndarray] = {"image": crop}
        for node in nodes:
            values[node.name] = self._operations[node.name](*(values[source] for source in node.inputs))
            yield node.name, values[node.name]
            for source in set(node.inputs):
                if last_use[source] == node.name:
                    del values[source]

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, S/4, S/4) float32, as `run` gives them."""
        return run_each(self, crops, logits)

    def layers(self) -> tuple[str, ...]:
        """Names of the graph's nodes in evaluation order: what `tap` takes."""
        return layer_names(self.model)

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What inner layers give for a crop, by name: (H, W, C), a sign's bits as bool, else float32."""
        names = known_layers(self.model, names)
        found: dict[str, np.ndarray] = {}
        for name, values in self.maps(crop):
            if name in names:
                found[name] = values > 0 if self.model.graph[name].op == "sign" else values
                if len(found) == len(set(names)):
                    break
        return {name: found[name] for name in names}


def operation(model: Model, node: Node, cin: int) -> Callable[..., np.ndarray]:
    """What a node does with its inputs' maps, of which the first has `cin` channels."""

    def get(part: str) -> np.ndarray:
        return model.tensors[f"{node.name}.{part}"]

    if node.op == "stem":
        return partial(stem, weight=get("weight"), scale=get("scale"), bias=get("bias"))
    if node.op == "norm":
        return partial(norm, scale=get("scale"), shift=get("shift"))
    if node.op == "binary":
        signs = unpack_weights(get("bits"), cin, node.kernel).astype(np.float32)
        return partial(binary, signs=signs, alpha=get("alpha"), pad=model.architecture.pad)
    if node.op == "conv":
        return partial(real, kernel=get("kernel").astype(np.float32))
    if node.op in ("head", "mix"):
        return partial(head, weight=get("weight"), bias=get("bias"))
    return PLAIN[node.op]


def stem(image: np.ndarray, weight: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Integer convolution with stride 2: image (S, S, 3) uint8, weight (O, k, k, 3) int16.

    The integer sums are exact in float64; then float32(sum) * scale + bias.
    """
    rows = patches(image, weight.shape[1], 0, stride=2).astype(np.float64)
    total = rows @ weight.reshape(len(weight), -1).T.astype(np.float64)
    half = len(image) // 2
    return norm(total.astype(np.float32).reshape(half, half, -1), scale, bias)


def patches(x: np.ndarray, kernel: int, pad: int, stride: int = 1) -> np.ndarray:
    """What a convolution sees of x (H, W, C) at each pixel: (pixels, kernel * kernel * C), `pad` outside."""
    border = kernel // 2
    padded = np.pad(x, ((border, border), (border, border), (0, 0)), constant_values=pad)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (0, 1))[::stride, ::stride]
    return windows.transpose(0, 1, 3, 4, 2).reshape(-1, kernel * kernel * x.shape[2])


def norm(x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Batch-norm in eval: two roundings."""
    x = x * scale
    x += shift
    return x


def relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.float32(0))


def sign(x: np.ndarray) -> np.ndarray:
    """+1 where x > 0, else -1; so sign(0) = -1."""
    bits = (x > 0).astype(np.float32)
    bits *= 2
    bits -= 1
    return bits


def binary(x: np.ndarray, signs: np.ndarray, alpha: np.ndarray, pad: int) -> np.ndarray:
    """Convolution of +-1 with `pad` outside the picture, times alpha: x (H, W, I), signs (O, k, k, I).

    A product of matrices for each tap, over the padded picture's pixels in a row; what lies right of the picture
    is dropped at the end.
    """
    height, width, channels = x.shape
    kernel = signs.shape[1]
    border = kernel // 2
    padded = np.pad(x, ((border, 2 * border), (border, border), (0, 0)), constant_values=pad)
    wide = width + 2 * border
    rows = padded.reshape(-1, channels)
    total = np.zeros((height * wide, len(signs)), np.float32)
    product = np.empty_like(total)
    for tap in range(kernel * kernel):
        down, right = divmod(tap, kernel)
        first = down * wide + right
        total += np.matmul(rows[first : first + len(total)], signs[:, down, right].T, out=product)
    return total.reshape(height, wide, -1)[:, :width] * alpha


def real(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolution of real maps with zeros outside: x (H, W, I), kernel (O, I, k, k) float32; sums in any order."""
    rows = kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1)
    return (patches(x, kernel.shape[2], 0) @ rows.T).reshape(*x.shape[:2], -1)


def pool(x: np.ndarray) -> np.ndarray:
    """Maximum of 2 x 2."""
    return np.maximum(np.maximum(x[::2, ::2], x[::2, 1::2]), np.maximum(x[1::2, ::2], x[1::2, 1::2]))


def mean(x: np.ndarray) -> np.ndarray:
    """Average of 2 x 2: the upper two are added, then the lower two, then both sums; times 0.25, which is exact."""
    return ((x[::2, ::2] + x[::2, 1::2]) + (x[1::2, ::2] + x[1::2, 1::2])) * np.float32(0.25)


def around(x: np.ndarray) -> np.ndarray:
    """Maximum of the 3 x 3 pixels around each one, of those inside the map."""
    tall = x.copy()
    np.maximum(tall[1:], x[:-1], out=tall[1:])
    np.maximum(tall[:-1], x[1:], out=tall[:-1])
    wide = tall.copy()
    np.maximum(wide[:, 1:], tall[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], tall[:, 1:], out=wide[:, :-1])
    return wide


def up(x: np.ndarray) -> np.ndarray:
    """Nearest neighbour, twice the size."""
    return x.repeat(2, 0).repeat(2, 1)


def concat(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts, 2)


def head(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Real 1 x 1 convolution, summed from the bias on, channel by channel: weight (O, I)."""
    height, width, _ = x.shape
    planes = np.ascontiguousarray(x.transpose(2, 0, 1)).reshape(len(weight[0]), 1, -1)
    total = np.repeat(bias[:, None], height * width, 1)
    product = np.empty_like(total)
    for plane, column in zip(planes, weight.T, strict=True):
        total += np.multiply(plane, column[:, None], out=product)
    return total.reshape(-1, height, width).transpose(1, 2, 0)


PLAIN: dict[str, Callable[..., np.ndarray]] = {
    "relu": relu, "sign": sign, "pool": pool, "mean": mean, "around": around, "up": up, "add": np.add, "concat": concat,
}  # fmt: skip
