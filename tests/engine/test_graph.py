"""The network as data: its golden numbers, and what an architecture may be."""

from __future__ import annotations

import pytest

from engine.graph import Architecture, GraphError, build, count

# side: binary and real multiply-accumulates of one forward pass, 256 wide, 16 landmarks
MACS = {256: (8_042_381_312, 170_917_888), 192: (4_523_839_488, 96_141_312), 128: (2_010_595_328, 42_729_472)}


@pytest.mark.parametrize("side", MACS)
def test_golden_numbers(side: int) -> None:
    counts = count(build(Architecture(16, side=side)))
    assert counts.binary_convolutions == 54
    assert counts.binary_weights == 6_207_488
    assert counts.parameters == 6_236_560
    assert (counts.macs_binary, counts.macs_real) == MACS[side]


def test_width_and_stem() -> None:
    """192 wide with the standard stem; 68 landmarks cost a larger head only."""
    assert count(build(Architecture(16, width=192))).parameters == 3_626_224
    more, less = count(build(Architecture(68))), count(build(Architecture(16)))
    assert more.parameters - less.parameters == 52 * 257
    assert more.macs_real - less.macs_real == 52 * 256 * 64 * 64
    assert more.macs_binary == less.macs_binary


def test_convolution_shapes() -> None:
    """The shapes and their numbers in a 256 wide network."""
    graph = build(Architecture(16))
    found: dict[tuple[int, int, int], int] = {}
    for node in graph.nodes:
        if node.op == "binary":
            shape = (node.kernel, graph[node.inputs[0]].channels, node.channels)
            found[shape] = found.get(shape, 0) + 1
    assert found == {
        (3, 256, 128): 14, (3, 128, 64): 16, (3, 64, 64): 16, (3, 128, 128): 1, (3, 64, 32): 2, (3, 32, 32): 2,
        (1, 64, 128): 1, (1, 128, 256): 1, (1, 256, 256): 1,
    }  # fmt: skip
    operations = [node.op for node in graph.nodes]
    assert (operations.count("pool"), operations.count("up"), operations.count("add")) == (5, 4, 21)


@pytest.mark.parametrize("side", [64, 128, 192, 256, 320])
@pytest.mark.parametrize("relu", [False, True])
def test_shapes_fit(side: int, relu: bool) -> None:
    """Every node's inputs come before it and have the size that its operation needs."""
    architecture = Architecture(5, width=64, stem=16, side=side, relu=relu)
    seen = {"image": (3, side)}
    for node in build(architecture).nodes:
        inputs = [seen[name] for name in node.inputs]
        channels, before = inputs[0]
        sides = {"stem": before // 2, "pool": before // 2, "up": before * 2}
        assert node.side == sides.get(node.op, before)
        assert all(s == before for _, s in inputs)
        if node.op == "concat":
            assert node.channels == sum(c for c, _ in inputs)
        elif node.op == "add":
            assert all(c == node.channels for c, _ in inputs)
        elif node.op not in ("stem", "binary", "head"):
            assert node.channels == channels
        seen[node.name] = (node.channels, node.side)
    assert seen[node.name] == (5, architecture.heatmap) == (5, side // 4)


def test_every_binary_convolution_sees_signs() -> None:
    graph = build(Architecture(5, width=32, stem=16, side=64))
    for node in graph.nodes:
        if node.op == "binary":
            sign = graph[node.inputs[0]]
            assert sign.op == "sign" and graph[sign.inputs[0]].op == "norm"


def test_relu_flag() -> None:
    plain, with_relu = (build(Architecture(5, relu=flag)) for flag in (False, True))
    assert sum(n.op == "relu" for n in with_relu.nodes) - sum(n.op == "relu" for n in plain.nodes) == 54
    assert count(plain) == count(with_relu)


def test_tensor_shapes() -> None:
    tensors = build(Architecture(16)).tensors()
    assert tensors["stem.conv.weight"] == ("int16", (64, 7, 7, 3))
    assert tensors["head.conv.weight"] == ("float32", (16, 256))
    bits = sum(shape[0] * shape[1] * 8 for dtype, shape in tensors.values() if dtype == "uint8")
    assert bits == 6_207_488


@pytest.mark.parametrize("changes", [
    {"landmarks": 0}, {"landmarks": 2000}, {"width": 100}, {"width": 0}, {"stem": 8}, {"side": 100}, {"side": 0},
    {"pad": 1}, {"block": "other"}, {"relu": 1}, {"landmarks": 16.0}, {"width": True}, {"side": "256"},
])  # fmt: skip
def test_wrong_architectures(changes: dict) -> None:
    with pytest.raises(GraphError):
        Architecture(**{"landmarks": 16} | changes)


def test_json() -> None:
    architecture = Architecture(68, width=192, stem=32, side=128, pad=0, relu=True)
    assert Architecture.from_json(architecture.to_json()) == architecture
    for wrong in ({}, [], None, {"landmarks": 3, "depth": 9}):
        with pytest.raises(GraphError):
            Architecture.from_json(wrong)
