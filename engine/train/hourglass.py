"""The network in torch: trained with latent weights, evaluated exactly as the engine does.

The module walks the nodes of `engine.graph`, so it has the topology of every other runtime. In
training mode it takes uint8 pictures, runs under autocast and returns logits. In eval mode it
computes the engine's function bit for bit: integer stem in float64, batch-norm as two roundings,
head summed channel by channel. Of a network with real weights only the sums of its inner
convolutions may be rounded in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import lower
from engine.graph import Architecture, Graph, Node, build
from engine.train.binary import BinaryConv2d, convolve

EMPTY_LOGIT = -4.0
FROZEN = "frozen"  # among a snapshot's names
WEIGHTED = ("stem", "norm", "binary", "conv", "head", "mix")


class Hourglass(nn.Module):
    """An hourglass of one architecture. (N, 3, S, S) uint8 RGB -> (N, K, S/4, S/4) float32 logits.

    With `every` it returns the logits of all stacks as a list, the last one's last: each gets a loss of its own.
    While `frozen`, stem and signs stay as they are, and batch-norm keeps its statistics.
    """

    frozen = False

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.graph: Graph = build(architecture)
        self.layers = nn.ModuleDict()
        channels = {"image": 3} | {node.name: node.channels for node in self.graph.nodes}
        for node in self.graph.nodes:
            layer = _layer(node, channels[node.inputs[0]], architecture.pad)
            if layer is not None:
                self.layers[_key(node.name)] = layer
        self._lowered: dict[str, Tensor] | None = None

    @property
    def architecture(self) -> Architecture:
        return self.graph.architecture

    def train(self, mode: bool = True) -> Hourglass:
        self._lowered = None
        super().train(mode)
        for layer in self.layers.values() if self.frozen else ():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self

    def freeze(self, frozen: bool) -> None:
        """Train alphas, batch-norm's scale and shift, and the head alone; or everything again."""
        self.frozen = frozen
        for node in self.graph.nodes:
            layer = self.layer(node)
            if node.op == "stem":
                layer.requires_grad_(not frozen)
            elif isinstance(layer, BinaryConv2d):
                layer.frozen = frozen
        self.train(self.training)

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of all weights and statistics, for `restore`; FROZEN stands in it while the network is."""
        mark = {FROZEN: torch.ones(1)} if self.frozen else {}
        return {name: value.detach().clone() for name, value in self.state_dict().items()} | mark

    def restore(self, snapshot: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot; raises RuntimeError where it is another network's."""
        self.load_state_dict({name: value for name, value in snapshot.items() if name != FROZEN})
        self.freeze(FROZEN in snapshot)

    def forward(self, image: Tensor, every: bool = False) -> Tensor | list[Tensor]:
        outputs = self.walk(image, self.trained if self.training else self._exact)
        return outputs if every else outputs[-1]

    def walk(self, image: Tensor, apply: Callable[[Node, list[Tensor]], Tensor]) -> list[Tensor]:
        """The logits of all stacks, float32, where `apply` says what each node makes of its inputs."""
        outputs: list[Tensor] = []
        values: dict[str, Tensor] = {"image": image}
        last_use = {source: node.name for node in self.graph.nodes for source in node.inputs}
        for node in self.graph.nodes:
            values[node.name] = apply(node, [values[source] for source in node.inputs])
            if node.name in self.graph.outputs:
                outputs.append(values[node.name].float())
            for source in set(node.inputs):
                if last_use[source] == node.name:
                    del values[source]
        return outputs

    def trained(self, node: Node, inputs: list[Tensor]) -> Tensor:
        """What a node makes of its inputs in training."""
        if _key(node.name) in self.layers:
            x = inputs[0]
            if node.op == "stem":
                x = (x.float() / 255).contiguous(memory_format=torch.channels_last)
            return self.layers[_key(node.name)](x)
        if node.op == "sign":
            return inputs[0]  # BinaryConv2d binarises
        return _plain(node, inputs)

    def lowered(self) -> dict[str, np.ndarray]:
        """The network's tensors as `engine.graph.Graph.tensors` lists them."""
        tensors: dict[str, np.ndarray] = {}
        for node in self.graph.nodes:
            if _key(node.name) in self.layers:
                for part, value in _lower(node, self.layers[_key(node.name)]).items():
                    tensors[f"{node.name}.{part}"] = value
        return tensors

    def layer(self, node: Node) -> nn.Module | None:
        """The trained layer of a node; None for operations without weights."""
        return self.layers[_key(node.name)] if node.op in WEIGHTED else None

    @torch.no_grad()
    def _exact(self, node: Node, inputs: list[Tensor]) -> Tensor:
        if self._lowered is None:
            tensors, device = self._exact_tensors(), inputs[0].device
            self._lowered = {name: torch.from_numpy(value).to(device) for name, value in tensors.items()}

        def get(part: str) -> Tensor:
            return self._lowered[f"{node.name}.{part}"]

        x = inputs[0]
        if node.op == "stem":
            total = functional.conv2d(x.double(), get("weight"), stride=2, padding=node.kernel // 2)
            return total.float() * get("scale")[:, None, None] + get("bias")[:, None, None]
        if node.op == "norm":
            return x * get("scale")[:, None, None] + get("shift")[:, None, None]
        if node.op == "sign":
            return (x > 0).float() * 2 - 1
        if node.op == "binary":
            return convolve(x, get("signs"), self.architecture.pad) * get("alpha")[:, None, None]
        if node.op == "conv":
            return functional.conv2d(x, get("kernel"), padding=node.kernel // 2)
        if node.op in ("head", "mix"):
            total = get("bias")[None, :, None, None].expand(len(x), -1, *x.shape[2:])
            for channel, weight in enumerate(get("weight").T):
                total = total + x[:, channel, None] * weight[:, None, None]
            return total
        return _plain(node, inputs)

    def _exact_tensors(self) -> dict[str, np.ndarray]:
        channels = {"image": 3} | {node.name: node.channels for node in self.graph.nodes}
        tensors = self.lowered()
        for node in self.graph.nodes:
            if node.op == "binary":
                signs = lower.unpack_weights(tensors[f"{node.name}.bits"], channels[node.inputs[0]], node.kernel)
                tensors[f"{node.name}.signs"] = signs.transpose(0, 3, 1, 2).astype(np.float32)
            elif node.op == "stem":
                weight = tensors[f"{node.name}.weight"].transpose(0, 3, 1, 2)
                tensors[f"{node.name}.weight"] = weight.astype(np.float64)
        return tensors

    @torch.no_grad()
    def constrain(self) -> None:
        """Centre and clamp all binary weights; call after every optimiser step."""
        for layer in self.layers.values():
            if isinstance(layer, BinaryConv2d):
                layer.constrain()


def _key(name: str) -> str:
    return name.replace(".", "_")  # module names may not hold dots


def _layer(node: Node, cin: int, pad: int) -> nn.Module | None:
    if node.op == "stem":
        layer = nn.Conv2d(cin, node.channels, node.kernel, stride=2, padding=node.kernel // 2)
    elif node.op in ("head", "mix"):
        layer = nn.Conv2d(cin, node.channels, 1)
    elif node.op == "conv":
        layer = nn.Conv2d(cin, node.channels, node.kernel, padding=node.kernel // 2, bias=False)
    elif node.op == "norm":
        return nn.BatchNorm2d(node.channels, eps=lower.EPSILON)
    elif node.op == "binary":
        return BinaryConv2d(cin, node.channels, node.kernel, pad)
    else:
        return None
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    # Most of a heatmap is empty: starting from that, and not from 0.5, saves the first hundreds of steps.
    if layer.bias is not None:
        nn.init.constant_(layer.bias, EMPTY_LOGIT if node.op == "head" else 0.0)
    return layer


def _plain(node: Node, inputs: list[Tensor]) -> Tensor:
    """Operations without weights, the same in training and eval."""
    if node.op == "relu":
        return functional.relu(inputs[0])
    if node.op == "pool":
        return functional.max_pool2d(inputs[0], 2)
    if node.op == "mean":
        x = inputs[0]
        return ((x[..., ::2, ::2] + x[..., ::2, 1::2]) + (x[..., 1::2, ::2] + x[..., 1::2, 1::2])) * 0.25
    if node.op == "around":
        return functional.max_pool2d(inputs[0], 3, stride=1, padding=1)
    if node.op == "up":
        return functional.interpolate(inputs[0], scale_factor=2, mode="nearest")
    if node.op == "add":
        return inputs[0] + inputs[1]
    if node.op == "concat":
        return torch.cat(inputs, 1)
    raise ValueError(f"unknown operation {node.op!r}")


def _lower(node: Node, layer: nn.Module) -> dict[str, np.ndarray]:
    def array(tensor: Tensor) -> np.ndarray:
        return tensor.detach().float().cpu().numpy()

    if node.op == "stem":
        weight, scale = lower.stem_weights(array(layer.weight))
        return {"weight": weight, "scale": scale, "bias": array(layer.bias)}
    if node.op == "norm":
        scale, shift = lower.scale_shift(
            array(layer.weight), array(layer.bias), array(layer.running_mean), array(layer.running_var)
        )
        return {"scale": scale, "shift": shift}
    if node.op == "binary":
        bits, alpha = lower.binary_weights(array(layer.weight))
        return {"bits": bits, "alpha": alpha}
    if node.op == "conv":
        return {"kernel": array(layer.weight)}
    return {"weight": array(layer.weight)[:, :, 0, 0].copy(), "bias": array(layer.bias).copy()}
