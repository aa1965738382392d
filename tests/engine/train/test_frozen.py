"""Training on from a model without latents: it begins as that very model, with frozen signs, and is freed later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.graph import Architecture  # noqa: E402
from engine.modelfile import Model, make_model, read_model  # noqa: E402
from engine.random_model import random_model  # noqa: E402
from engine.runtime import open_runtime  # noqa: E402
from engine.torch7_network import import_torch7  # noqa: E402
from engine.train.binary import BinaryConv2d  # noqa: E402
from engine.train.finish import finish, network_from  # noqa: E402
from engine.train.fit import Fit  # noqa: E402
from engine.train.frozen import free  # noqa: E402
from engine.train.hourglass import Hourglass  # noqa: E402
from tests.engine.torch7file import Network, written  # noqa: E402
from tests.engine.train.toys import RECIPE, SCHEMA, crops, logits, new_fit, spots  # noqa: E402


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A trained model without its latents."""
    fit = new_fit(tmp_path_factory.mktemp("fit"))
    for _ in fit.run():
        pass
    fit.network.eval()
    return make_model("toy", fit.network.architecture, SCHEMA, fit.network.lowered())


def pictures(count: int = 16) -> torch.Tensor:
    return torch.from_numpy(crops(count, 8)).permute(0, 3, 1, 2)


def of_import(tmp_path: Path) -> Model:
    (tmp_path / "net.t7").write_bytes(written(Network(3, 32, 16).root()))
    return import_torch7(tmp_path / "net.t7", "net", SCHEMA, 64).model


def signs(network: Hourglass) -> list[torch.Tensor]:
    """Of all filters, each turned so that its first weight is positive: a filter may turn as a whole."""
    weights = [layer.weight for layer in network.layers.values() if isinstance(layer, BinaryConv2d)]
    return [(w > 0) == (w[:, :1, :1, :1] > 0) for w in weights]


def same(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(map(torch.equal, some, others))


def new_training(network: Hourglass, folder: Path, **settings) -> Fit:
    folder.mkdir(exist_ok=True)
    return Fit(network, spots(8), spots(1, 99), replace(RECIPE, **settings), SCHEMA, folder, 0)


def train(fit: Fit) -> list[float]:
    """The losses of the whole schedule."""
    return [record["loss"] for record in fit.run() if record["type"] == "progress"]


@pytest.mark.parametrize("seed", range(4))
def test_an_imported_model_begins_bit_for_bit(tmp_path: Path, seed: int) -> None:
    (tmp_path / "net.t7").write_bytes(written(Network(3, 32, 16, seed).root()))
    model = import_torch7(tmp_path / "net.t7", "net", SCHEMA, 64).model
    network = network_from(model)
    for name, value in network.lowered().items():
        np.testing.assert_array_equal(value, model.tensors[name], err_msg=name)
    runtime = open_runtime(model, "reference")
    for picture, found in zip(crops(2), logits(network, crops(2)), strict=True):
        np.testing.assert_array_equal(found, runtime.run(picture, logits=True))


@pytest.mark.parametrize("more", [{}, {"stacks": 2}, {"block": "multiscale"}, {"real": True}, {"pool": "average"}])
def test_every_kind_of_network_begins_bit_for_bit(more: dict) -> None:
    model = random_model("m", Architecture(3, width=32, stem=16, side=64, **more), SCHEMA, 5)
    for name, value in network_from(model).lowered().items():
        np.testing.assert_array_equal(value, model.tensors[name].astype(value.dtype), err_msg=name)


def test_frozen_signs_stem_and_statistics_stay_while_the_rest_learns(tmp_path: Path) -> None:
    model = of_import(tmp_path)
    fit = new_training(network_from(model), tmp_path, settle=1.0, steps=12, rate=5e-3)
    before, losses = signs(fit.network), train(fit)
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])
    fit.network.eval()
    after = fit.network.lowered()
    assert same(signs(fit.network), before)
    for name, value in after.items():
        stays = np.array_equal(value, model.tensors[name])
        assert name.endswith(".bits") or stays == name.startswith("stem.conv"), name
    assert all(layer.num_batches_tracked == 0 for layer in fit.network.modules()
               if isinstance(layer, torch.nn.BatchNorm2d))  # fmt: skip
    fit.recalibrate(2)
    assert all(np.array_equal(value, after[name]) for name, value in fit.network.lowered().items())


def test_alphas_stay_one_number_a_filter(tmp_path: Path) -> None:
    fit = new_training(network_from(of_import(tmp_path)), tmp_path, settle=1.0, steps=5)
    train(fit)
    for layer in fit.network.layers.values():
        if isinstance(layer, BinaryConv2d):
            size = layer.weight.detach().abs().flatten(1)
            assert ((size.amax(1) - size.amin(1)) <= 1e-5 * size.amax(1)).all()


def test_weights_are_freed_when_their_time_comes(tmp_path: Path) -> None:
    fit = new_training(network_from(of_import(tmp_path)), tmp_path, settle=0.5, steps=20, rate=5e-3)
    before, states, losses = signs(fit.network), [], []
    for record in fit.run():
        if record["type"] == "progress":
            states.append(fit.network.frozen)
            losses.append(record["loss"])
            if record["step"] == 10:
                assert same(signs(fit.network), before)
    assert states == [True] * 10 + [False] * 10
    assert not same(signs(fit.network), before)
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])


def test_freeing_leaves_the_function_but_for_rounding(model: Model) -> None:
    network = network_from(model)
    free(network, pictures())
    assert not network.frozen
    lowered = network.lowered()
    for name, value in model.tensors.items():
        if name.endswith(".bits"):
            np.testing.assert_array_equal(lowered[name], value, err_msg=name)
        else:
            np.testing.assert_allclose(lowered[name], value, rtol=2e-4, atol=2e-4, err_msg=name)
    expected = logits(network_from(model), crops(3))
    assert np.abs(logits(network, crops(3)) - expected).mean() < 0.05 * expected.std()
    kept = [value.clone() for value in network.parameters()]
    network.constrain()
    for old, new in zip(kept, network.parameters(), strict=True):
        torch.testing.assert_close(old, new, rtol=1e-4, atol=1e-6)


def test_a_freed_network_knows_the_inputs_of_batch_norm(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the first steps with all weights would start from other activations than the model's.

    Rounding flips some signs of a toy network, on each machine others, so the measure is how far it is without.
    """
    expected = logits(network_from(model), crops(16, 8))

    def away() -> float:
        network = network_from(model)
        free(network, pictures())
        with torch.no_grad():  # in training, so it normalises with the batch's own statistics
            return float(np.abs(network.train()(pictures()).numpy() - expected).mean())

    fitted = away()
    monkeypatch.setattr("engine.train.frozen._fit_norms", lambda network, calibration: None)
    assert fitted < 0.3 * expected.std()
    assert fitted < 0.5 * away()


@pytest.mark.parametrize("settle", [0.3, 0.7])
def test_a_training_that_is_cut_goes_on_as_if_it_had_not_been(tmp_path: Path, settle: float) -> None:
    """Cut after step 4 of 8: before or after the weights are freed."""
    model, settings = of_import(tmp_path), {"settle": settle, "steps": 8}
    whole = new_training(network_from(model), tmp_path / "whole", **settings)
    losses = train(whole)
    cut = new_training(network_from(model), tmp_path / "cut", **settings)
    for record in cut.run():
        cut.stopping = record.get("step") == 4
    again = new_training(network_from(model), tmp_path / "cut", **settings)
    assert again.resume() and again.network.frozen == (settle == 0.7)
    np.testing.assert_allclose(train(again), losses[4:], rtol=1e-4)


def test_a_network_that_is_still_frozen_keeps_so_with_its_latents(tmp_path: Path) -> None:
    fit = new_training(network_from(of_import(tmp_path)), tmp_path, settle=1.0, steps=3)
    train(fit)
    path = tmp_path / "still.hourbit"
    finish(fit.network, SCHEMA, "still", {}, path, 1.5)
    again = network_from(read_model(path))
    assert again.frozen and same(signs(again), signs(fit.network))
    np.testing.assert_allclose(logits(again, crops(2)), logits(fit.network, crops(2)), rtol=0.05, atol=0.05)
