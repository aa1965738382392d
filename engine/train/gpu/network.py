"""The training pass of an hourglass through the fused kernels, on the network's own weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.graph import Graph, Node
from engine.train.gpu.functions import NormActivation, ScaledSigns, constrain
from engine.train.hourglass import Hourglass


class FusedNetwork:
    """(N, 3, S, S) uint8 RGB to the logits of all stacks, each (N, K, S/4, S/4) float32, in training.

    Batch-norm, the sign or ReLU behind it and the border that the convolution needs are one kernel; the convolution
    then runs over +-1 (or real values) in `kind`, without padding, by PyTorch. All else is as in `Hourglass`, whose
    parameters and statistics these are; its binary weights are laid out as the kernels read them, (O, I, k, k)
    contiguous, so this comes before an optimiser that copies their layout.
    """

    def __init__(self, network: Hourglass, kind: torch.dtype = torch.bfloat16) -> None:
        self.network, self.kind = network, kind
        self.real = network.architecture.real
        self.outside = 0.0 if self.real else float(network.architecture.pad)
        self.borders = fusable(network.graph)
        nodes = network.graph.by_name
        self.absorbed = {n.name for n in network.graph.nodes if n.inputs[0] in self.borders}
        self.convolutions = {n.name for n in network.graph.nodes if n.inputs[0] in self.absorbed}
        self.weights = [network.layer(n).weight for n in network.graph.nodes if n.op == "binary"]
        for weight in self.weights:
            weight.data = weight.data.contiguous()
        sizes = [4 * nodes[name].channels for name in self.borders]
        self.all_sums = torch.zeros(sum(sizes), device=next(network.parameters()).device)
        parts = self.all_sums.split(sizes)
        self.sums = {name: part.view(4, -1) for name, part in zip(self.borders, parts, strict=True)}

    def __call__(self, image: Tensor) -> list[Tensor]:
        self.all_sums.zero_()
        return self.network.walk(image, self.apply)

    def constrain(self) -> None:
        """`Hourglass.constrain`, a kernel a layer; call after every optimiser step."""
        for weight in self.weights:
            constrain(weight)

    def apply(self, node: Node, inputs: list[Tensor]) -> Tensor:
        """What a node makes of its inputs."""
        layer = self.network.layer(node)
        if node.name in self.borders:
            return NormActivation.apply(
                inputs[0], layer.weight, layer.bias, (layer.running_mean, layer.running_var), self.sums[node.name],
                self.borders[node.name], self.outside, self.real, layer.eps, layer.momentum, self.kind,
            )  # fmt: skip
        if node.name in self.absorbed:
            return inputs[0]
        if node.name in self.convolutions:
            weight = layer.weight.to(self.kind) if self.real else ScaledSigns.apply(layer.weight, self.kind)
            with torch.autocast(inputs[0].device.type, enabled=False):
                return functional.conv2d(inputs[0], weight)
        return self.network.trained(node, inputs)


def fusable(graph: Graph) -> dict[str, int]:
    """Batch-norms that end in a sign or ReLU that only convolutions of one kernel read, and the border for these."""
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for source in node.inputs:
            readers.setdefault(source, []).append(node)
    found = {}
    for node in graph.nodes:
        then = readers.get(node.name, []) if node.op == "norm" else []
        last = [reader for one in then for reader in readers.get(one.name, [])]
        kernels = {reader.kernel for reader in last}
        ops = {one.op for one in then} | {reader.op for reader in last}
        if ops in ({"sign", "binary"}, {"relu", "conv"}) and len(kernels) == 1:
            found[node.name] = kernels.pop() // 2
    return found
