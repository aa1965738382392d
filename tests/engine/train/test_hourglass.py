"""The network in torch trains with every block, stack and pool, and gives a loss to each stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.graph import BLOCKS, Architecture, count  # noqa: E402
from engine.modelfile import make_model  # noqa: E402
from engine.random_model import schema_for  # noqa: E402
from engine.train import checkpoint, finish  # noqa: E402
from engine.train.hourglass import Hourglass  # noqa: E402

SMALL = {"landmarks": 3, "width": 32, "stem": 16, "side": 64}


def pictures(n: int = 2) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("changes", [
    {}, {"stacks": 2, "pool": "average"}, {"real": True, "stacks": 2}, {"relu": True, "pad": 0},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("block", BLOCKS)
def test_every_parameter_has_a_gradient(block: str, changes: dict) -> None:
    torch.manual_seed(0)
    network = Hourglass(Architecture(**SMALL, block=block, **changes)).train()
    logits = network(pictures(), every=True)
    assert [tuple(one.shape) for one in logits] == [(2, 3, 16, 16)] * network.architecture.stacks
    sum(one.square().mean() for one in logits).backward()
    lacking = [name for name, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert lacking == []
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters == count(network.graph).parameters


def test_the_last_stack_alone_is_the_answer() -> None:
    network = Hourglass(Architecture(**SMALL, stacks=3)).eval()
    with torch.no_grad():
        every, last = network(pictures(1), every=True), network(pictures(1))
    assert len(every) == 3 and torch.equal(every[-1], last) and not torch.equal(every[0], last)


def test_an_early_loss_stays_early_and_a_late_one_reaches_back() -> None:
    network = Hourglass(Architecture(**SMALL, stacks=2)).train()
    first, last = network(pictures(), every=True)
    first.square().mean().backward(retain_graph=True)
    late = [name for name, p in network.named_parameters() if p.grad is None]
    assert late and all(name.startswith("layers.stack2_") for name in late)
    last.square().mean().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("changes", [{"stacks": 2, "block": "multiscale"}, {"real": True, "stacks": 2}], ids=str)
def test_latents_and_signs_bring_a_network_back(tmp_path: Path, changes: dict) -> None:
    torch.manual_seed(0)
    network = Hourglass(Architecture(**SMALL, **changes)).eval()
    path = tmp_path / "latents.safetensors"
    checkpoint.save_latents(path, network)
    again = Hourglass(network.architecture)
    checkpoint.load_latents(path, again)
    model = make_model("m", network.architecture, schema_for(3), network.lowered())
    alone = finish.network_from(model).eval()  # no latents beside it
    with torch.no_grad():
        expected, found, signs = (one(pictures()) for one in (network, again.eval(), alone))
    for name, value in again.lowered().items():
        if name.endswith((".bits", ".kernel")):
            assert np.array_equal(value, model.tensors[name]), name
            assert np.array_equal(alone.lowered()[name], model.tensors[name]), name
    if network.architecture.real:
        span = float(expected.max() - expected.min())
        assert torch.equal(found, expected) and float((signs - expected).abs().max()) < 1e-3 * span
