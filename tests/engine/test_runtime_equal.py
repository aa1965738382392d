"""torch's eval, the reference and every instruction set compute one function, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from engine.graph import Architecture, Node
from engine.modelfile import Model, make_model
from engine.random_model import random_model, schema_for
from engine.runtime import PackedRuntime, ReferenceRuntime, available_isas
from engine.verify import differing, random_crops

ARCHITECTURES = {
    "smallest": Architecture(5, width=32, stem=16, side=64),
    "zero padding": Architecture(16, width=32, stem=16, side=64, pad=0),
    "relu": Architecture(3, width=64, stem=32, side=64, relu=True),
    "relu, zero padding": Architecture(68, width=64, stem=16, side=64, pad=0, relu=True),
    "width 96": Architecture(17, width=96, stem=48, side=128, pad=0),
    "width 160, side 192": Architecture(1, width=160, stem=16, side=192),
    "96 and 48 channels": Architecture(4, width=192, stem=16, side=64, pad=0),
    "bottleneck": Architecture(5, width=64, stem=16, side=64, block="bottleneck", pad=0),
    "bottleneck, 22 in the middle": Architecture(5, width=64, stem=32, side=64, block="bottleneck", mid=22, relu=True),
    "wider": Architecture(5, width=32, stem=16, side=64, block="wider", pool="average"),
    "wider without 1 x 1": Architecture(5, width=96, stem=16, side=64, block="wider-no1x1", pad=0, relu=True),
    "multi-scale": Architecture(5, width=32, stem=16, side=64, block="multiscale", pad=0),
    "multi-scale, 192 wide": Architecture(5, width=192, stem=16, side=64, block="multiscale", relu=True),
    "multi-scale without 1 x 1": Architecture(5, width=96, stem=48, side=64, block="multiscale-no1x1", pool="average"),
    "three stacks": Architecture(7, width=32, stem=16, side=64, stacks=3, pool="average", pad=0),
    "two stacks": Architecture(17, width=64, stem=16, side=64, stacks=2, block="multiscale", relu=True),
}
ISAS = ("amx", "avx512", "avx512bw", "avx2", "neon", "scalar")


@pytest.fixture(scope="module", params=ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return request.param


@pytest.fixture(scope="module")
def random(architecture: Architecture) -> tuple[Model, list[np.ndarray], list[np.ndarray]]:
    """A random model, crops, and the reference's logits of them."""
    model = random_model("random", architecture, seed=7)
    crops = random_crops(model, 2)
    return model, crops, [ReferenceRuntime(model).run(crop, logits=True) for crop in crops]


@pytest.mark.parametrize("isa", ISAS)
def test_packed_equals_the_reference(random, isa: str) -> None:
    if isa not in available_isas():
        pytest.skip(f"no {isa} here")
    model, crops, expected = random
    packed = PackedRuntime(model, isa)
    for crop, logits in zip(crops, expected, strict=True):
        assert np.ptp(logits) > 0.1, "a flat output proves nothing"
        for _ in range(2):  # a second run finds the first one's maps in its buffers
            assert differing(packed.run(crop, logits=True), logits) == 0


@pytest.mark.parametrize("isa", ISAS)
def test_the_residual_stream_and_the_bits_are_equal_too(random, isa: str) -> None:
    if isa not in available_isas():
        pytest.skip(f"no {isa} here")
    model, crops, _ = random
    found = PackedRuntime(model, isa).maps(crops[0])
    expected = ReferenceRuntime(model).tap(crops[0], found)
    real = [name for name in found if model.graph[name].op != "sign"]
    last = "relu" if model.architecture.relu else "conv"
    outer = {node.name for node in model.graph.nodes if node.op in ("add", "pool", "mean")}
    outer |= {node.name for node in model.graph.nodes if node.name.endswith(f"head.last.{last}")}
    assert set(real) == {"stem.relu"} | outer
    assert set(found) - set(real) == {node.name for node in model.graph.nodes if writes_bits(model, node)}
    assert [name for name in found if differing(found[name], expected[name])] == []


def writes_bits(model: Model, node: Node) -> bool:
    """Whether a node is a sign whose bits lie side by side: those of joined maps may have gaps between the maps."""
    if node.op != "sign":
        return False
    source = model.graph[model.graph[node.inputs[0]].inputs[0]]
    parts = [model.graph[name].channels for name in source.inputs] if source.op == "concat" else []
    return source.channels % 16 == 0 and all(part % 8 == 0 for part in parts) or not parts


def trained_like(architecture: Architecture):
    """A torch network with batch-norm of both signs, some of it zero, calibrated so that signs are balanced."""
    torch = pytest.importorskip("torch")
    from engine.train.hourglass import Hourglass

    torch.manual_seed(3)
    network = Hourglass(architecture)
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in norms:
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias, std=0.3)
        with torch.no_grad():
            layer.weight[torch.rand_like(layer.weight) < 0.1] = 0
        layer.momentum = None
    pictures = torch.randint(0, 256, (2, 3, architecture.side, architecture.side), dtype=torch.uint8)
    with torch.no_grad():
        network.train()(pictures)
    return network.eval()


def test_everything_equals_torch(architecture: Architecture) -> None:
    network = trained_like(architecture)
    import torch

    model = make_model("trained", architecture, schema_for(architecture.landmarks), network.lowered())
    runtimes = [ReferenceRuntime(model), *(PackedRuntime(model, isa) for isa in available_isas())]
    for crop in random_crops(model, 2):
        with torch.no_grad():
            expected = network(torch.from_numpy(crop.transpose(2, 0, 1).copy())[None])[0].numpy()
        for runtime in runtimes:
            assert differing(runtime.run(crop, logits=True), expected) == 0, runtime.isa
