"""Every network of the paper as a graph: our counts, and what fits what."""

from __future__ import annotations

import pytest

from engine.graph import BLOCKS, Architecture, Counts, GraphError, build, count

REAL = 170_917_888  # stem and head at 256 x 256, 16 landmarks

# Parameters, binary weights, binary convolutions, binary and real multiply-accumulates; 16 landmarks, 256 x 256.
GOLDEN = {
    "bottleneck": Counts(3_418_512, 3_387_392, 54, 4_979_425_280, REAL),
    "wider": Counts(11_278_736, 11_239_424, 54, 15_759_048_704, REAL),
    "wider-no1x1": Counts(5_730_704, 5_705_216, 37, 7_703_232_512, REAL),
    "multiscale": Counts(3_811_472, 3_765_760, 105, 5_080_662_016, REAL),
    "multiscale-no1x1": Counts(9_492_112, 9_451_520, 71, 11_587_223_552, REAL),
    "hierarchical": Counts(6_236_560, 6_207_488, 54, 8_042_381_312, REAL),
}
NARROW = {  # 192 wide, the standard stem
    "bottleneck": (1_989_136, 1_963_008),
    "wider": (6_524_560, 6_492_160),
    "wider-no1x1": (3_328_568, 3_306_752),
    "multiscale": (2_224_832, 2_187_456),
    "multiscale-no1x1": (5_519_792, 5_486_336),
    "hierarchical": (3_626_224, 3_601_664),
}
REAL_PARAMETERS = {  # in millions: 7.03, 6.78, 25.38, 26.61, 47.05, 23.73
    Architecture(16, block="wider", real=True, mid=196): 7_025_096,
    Architecture(16, block="wider", real=True, mid=192): 6_777_232,
    Architecture(16, block="bottleneck", real=True, stacks=8): 25_377_792,
    Architecture(16, width=192, real=True, stacks=8): 26_612_768,
    Architecture(16, real=True, stacks=8): 47_049_472,
    Architecture(16, real=True, stacks=4): 23_727_808,
}
# Weights of one block of 256 channels.
PER_BLOCK = {
    "bottleneck": 212_992, "wider": 720_896, "wider-no1x1": 368_640, "multiscale": 242_688,
    "multiscale-no1x1": 626_688, "hierarchical": 405_504,
}  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
def test_golden_numbers(block: str) -> None:
    assert count(build(Architecture(16, block=block))) == GOLDEN[block]
    narrow = count(build(Architecture(16, width=192, block=block)))
    assert (narrow.parameters, narrow.binary_weights) == NARROW[block]


@pytest.mark.parametrize("architecture", REAL_PARAMETERS, ids=str)
def test_real_networks(architecture: Architecture) -> None:
    counts = count(build(architecture))
    assert counts.parameters == REAL_PARAMETERS[architecture]
    assert (counts.binary_weights, counts.binary_convolutions, counts.macs_binary) == (0, 0, 0)


@pytest.mark.parametrize("block", BLOCKS)
def test_weights_of_one_block(block: str) -> None:
    graph = build(Architecture(16, block=block))
    inside = [n for n in graph.nodes if n.op == "binary" and n.name.startswith("hourglass.4.upper.")]
    assert sum(n.channels * graph[n.inputs[0]].channels * n.kernel**2 for n in inside) == PER_BLOCK[block]


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("block", BLOCKS)
def test_real_and_binary_have_the_same_layers(block: str, real: bool) -> None:
    plain, other = (count(build(Architecture(16, block=block, real=flag))) for flag in (False, real))
    assert plain.parameters == other.parameters
    assert plain.macs_binary + plain.macs_real == other.macs_binary + other.macs_real


@pytest.mark.parametrize("changes", [
    {}, {"relu": True}, {"real": True}, {"stacks": 3}, {"pool": "average"}, {"width": 192, "stem": 48, "side": 128},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("block", BLOCKS)
def test_shapes_fit(block: str, changes: dict) -> None:
    """Every node's inputs come before it and have the size that its operation needs."""
    architecture = Architecture(**{"landmarks": 5, "width": 32, "stem": 16, "side": 64, "block": block} | changes)
    graph = build(architecture)
    seen = {"image": (3, architecture.side)}
    for node in graph.nodes:
        inputs = [seen[name] for name in node.inputs]
        channels, before = inputs[0]
        sides = dict.fromkeys(("stem", "pool", "mean"), before // 2) | {"up": before * 2}
        assert node.side == sides.get(node.op, before) and all(side == before for _, side in inputs)
        if node.op == "concat":
            assert node.channels == sum(c for c, _ in inputs)
        elif node.op == "add":
            assert [c for c, _ in inputs] == [node.channels] * 2
        elif node.op not in ("stem", "binary", "conv", "head", "mix"):
            assert node.channels == channels
        assert node.channels % 2 == 0 or node.op == "head", "zero padding halves channel counts"
        seen[node.name] = (node.channels, node.side)
    assert [seen[name] for name in graph.outputs] == [(5, architecture.heatmap)] * architecture.stacks
    assert graph.outputs[-1] == graph.nodes[-1].name


def test_pools() -> None:
    pools = {"max": "pool", "average": "mean"}
    for pool, op in pools.items():
        operations = [n.op for n in build(Architecture(16, pool=pool)).nodes]
        assert [operations.count(o) for o in pools.values()] == [5 * (o == op) for o in pools.values()]
    operations = [n.op for n in build(Architecture(16, block="multiscale", pool="average")).nodes]
    assert operations.count("around") == 17, "the block's own pool takes the maximum whatever the others do"


def test_stacks_feed_back_features_and_heatmaps() -> None:
    graph = build(Architecture(7, stacks=3))
    merges = {node.name: node.inputs for node in graph.nodes if node.op == "mix"}
    assert merges == {
        "stack2.lin": ("head.relu",), "stack2.maps": ("head.conv",),
        "stack3.lin": ("stack2.head.relu",), "stack3.maps": ("stack2.head.conv",),
    }  # fmt: skip
    one, two = (count(build(Architecture(7, stacks=n))) for n in (1, 2))
    block, norms = PER_BLOCK["hierarchical"], 2 * (256 + 128 + 64)
    hourglass = 14 * (block + norms) + 256 * 256 + 4 * 256 + 257 * 7
    assert two.parameters - one.parameters == hourglass + 257 * 256 + 8 * 256


def test_middle_channels_keep_the_ratio() -> None:
    graph = build(Architecture(16, block="wider", mid=196))
    assert (graph["stem.1.a.conv"].channels, graph["stem.3.a.conv"].channels) == (98, 196)
    assert build(Architecture(16, width=32, stem=16, block="wider-no1x1"))["stem.1.a.conv"].channels == 10


@pytest.mark.parametrize("changes", [
    {"stacks": 0}, {"stacks": 9}, {"stacks": True}, {"real": 1}, {"pool": "min"}, {"mid": 3, "block": "wider"},
    {"mid": 128}, {"mid": -2, "block": "wider"}, {"mid": 1024, "block": "wider"}, {"block": "bottle"},
])  # fmt: skip
def test_wrong_architectures(changes: dict) -> None:
    with pytest.raises(GraphError, match=r"^[^\n]+\.$"):
        Architecture(**{"landmarks": 16} | changes)


def test_json_names_what_is_not_the_default() -> None:
    assert set(Architecture(16).to_json()) == {"landmarks", "width", "stem", "side", "pad", "relu", "block"}
    full = Architecture(16, block="wider", stacks=2, real=True, pool="average", mid=98)
    assert Architecture.from_json(full.to_json()) == full
