"""From a trained network to a model file and back: the same function to the last bit, or as near as may be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from engine.modelfile import Model, read_model  # noqa: E402
from engine.runtime import available_isas, open_runtime  # noqa: E402
from engine.train.checkpoint import CheckpointError  # noqa: E402
from engine.train.finish import finish, latents_path, network_from  # noqa: E402
from engine.train.hourglass import Hourglass  # noqa: E402
from tests.engine.train.toys import RECIPE, SCHEMA, crops, logits, new_fit  # noqa: E402

CROP = 1.7
LATENTS = "toy.latents.safetensors"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Hourglass:
    """A network that has trained a few steps, so that batch-norm's statistics are no longer 0 and 1."""
    fit = new_fit(tmp_path_factory.mktemp("fit"))
    for _ in fit.run():
        pass
    return fit.network


@pytest.fixture(scope="module")
def model(network: Hourglass, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """That network's model file. Tests must not write beside it."""
    path = tmp_path_factory.mktemp("model") / "toy.hourbit"
    return finish(network, SCHEMA, "Toy", {"steps": RECIPE.steps}, path, CROP)


def calibration(count: int = 16) -> torch.Tensor:
    return torch.from_numpy(crops(count, 8)).permute(0, 3, 1, 2)


def assert_same_bits(network: Hourglass, model: Model) -> None:
    lowered = network.lowered()
    names = [name for name in model.tensors if name.endswith(".bits")]
    assert names and all(np.array_equal(lowered[name], model.tensors[name]) for name in names)


def test_the_file_reads_back_as_it_was_made(model: Model, network: Hourglass) -> None:
    assert model.path is not None and latents_path(model.path).is_file()
    assert latents_path(model.path).stat().st_mode == model.path.stat().st_mode  # whoever reads one reads both
    again = read_model(model.path)
    assert again.sha256 == model.sha256
    assert (again.name, again.crop, again.schema, again.card) == ("Toy", CROP, SCHEMA, {"steps": RECIPE.steps})
    assert again.architecture == network.architecture
    for name, value in network.lowered().items():
        np.testing.assert_array_equal(again.tensors[name], value, err_msg=name)


@pytest.mark.parametrize("runtime", ["reference", "packed"])
def test_runtimes_equal_the_networks_eval_path(model: Model, network: Hourglass, runtime: str) -> None:
    if runtime == "packed" and not available_isas():
        pytest.skip("the engine is not compiled here")
    opened, pictures = open_runtime(model, runtime), crops(2)
    assert opened.name == runtime
    expected = logits(network, pictures)
    assert np.ptp(expected) > 0.1
    for picture, values in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(opened.run(picture, logits=True), values)


def test_training_goes_on_from_the_latents(model: Model, network: Hourglass) -> None:
    again = network_from(model)
    assert_same_bits(again, model)
    for name, value in network.state_dict().items():
        binary = value.ndim == 4 and name.replace("weight", "bias") not in network.state_dict()
        step = value.abs().max() / 100 if binary else 0
        assert (again.state_dict()[name] - value).abs().max() <= step, name
    for name, value in again.lowered().items():
        np.testing.assert_allclose(value, model.tensors[name], rtol=1e-6, err_msg=name)
    found, expected = logits(again, crops(2)), logits(network, crops(2))
    assert np.abs(found - expected).mean() < 0.05 * expected.std()


def test_latents_that_round_to_other_scales_take_the_models(model: Model, tmp_path: Path) -> None:
    shutil.copy(model.path, tmp_path / "toy.hourbit")
    tensors = load_file(latents_path(model.path))
    save_file({n: t * 1.02 if n.endswith(".scale") else t for n, t in tensors.items()}, tmp_path / LATENTS)
    lowered = network_from(read_model(tmp_path / "toy.hourbit")).lowered()
    for name, value in model.tensors.items():
        np.testing.assert_allclose(lowered[name], value, rtol=1e-6, err_msg=name)


def test_latents_of_another_model_are_refused(model: Model, tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        finish(new_fit(tmp_path, network_seed=seed + 5).network, SCHEMA, name, {}, tmp_path / f"{name}.hourbit", CROP)
    shutil.copy(tmp_path / "one.latents.safetensors", tmp_path / "two.latents.safetensors")
    with pytest.raises(CheckpointError, match="two.latents.safetensors belongs to another model"):
        network_from(read_model(tmp_path / "two.hourbit"))
    network_from(read_model(tmp_path / "one.hourbit"))


def test_damaged_latents_beside_a_model_are_refused(model: Model, tmp_path: Path) -> None:
    shutil.copy(model.path, tmp_path / "toy.hourbit")
    (tmp_path / LATENTS).write_bytes(latents_path(model.path).read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="toy.latents.safetensors"):
        network_from(read_model(tmp_path / "toy.hourbit"))
