"""The training for GPUs on the CPU, with PyTorch's own pass in place of the kernels; and which trainings take it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.architecture import Architecture  # noqa: E402
from engine.train.distil import Teacher  # noqa: E402
from engine.train.distributed import Group  # noqa: E402
from engine.train.fit import Fit  # noqa: E402
from engine.train.gpu import choice  # noqa: E402
from engine.train.gpu.fit import DeviceFit  # noqa: E402
from engine.train.gpu.step import put_back  # noqa: E402
from engine.train.hourglass import Hourglass  # noqa: E402
from engine.train.recipes import load_recipe, with_settings  # noqa: E402
from tests.engine.train.toys import RECIPE, SCHEMA, SMALL, losses, new_fit, run, small_network, spots  # noqa: E402

CUDA = Group(device=torch.device("cuda"))
RECIPES = {
    "ours-face-gpu": (128, 4390, 2.5e-3, 1.2), "ours-face-gpu-192": (192, 2220, 1.2e-3, 1.5),
    "ours-pose-gpu-teacher": (128, 974, 1.5e-3, 1.4), "ours-pose-gpu": (128, 4252, 2.5e-3, 1.4),
    "ours-pose-gpu-192": (192, 3402, 1.2e-3, 1.7),
}  # fmt: skip


class PlainPass:
    """PyTorch's own operations, in float32."""

    kind = torch.float32

    def __init__(self, network: Hourglass) -> None:
        self.network = network

    def __call__(self, image: torch.Tensor) -> list[torch.Tensor]:
        return self.network.train()(image, every=True)

    def constrain(self) -> None:
        self.network.constrain()


class CpuFit(DeviceFit):
    kind = torch.float32

    def training_pass(self) -> PlainPass:
        return PlainPass(self.network)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def device_fit(folder: Path, network_seed: int = 0, held: int = 0, teacher: Teacher | None = None, **changes) -> CpuFit:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = with_settings(RECIPE, {"exact": False} | changes)
    holdout = spots(max(held, 1), 99).subset(np.arange(held))
    return CpuFit(small_network(network_seed), spots(8), holdout, recipe, SCHEMA, folder, teacher=teacher)


def test_it_learns_to_find_spots_and_keeps_time(tmp_path: Path) -> None:
    fit = device_fit(tmp_path, held=4, steps=32, warmup=5, rate=5e-3, evaluate_every=32, checkpoint_every=25, ema=0.9)
    before = fit.measure()["nme"]
    records = run(fit)
    assert np.mean(losses(records)[-5:]) < 0.75 * np.mean(losses(records)[:3])
    assert [(r["type"], r["step"]) for r in records if r["type"] != "progress"] == [("checkpoint", 25), ("metric", 32)]
    fit.take_average()
    fit.recalibrate(2)
    assert fit.measure()["nme"] < 0.5 * before
    rates = [record["rate"] for record in records if record["type"] == "progress"]
    assert np.argmax(rates) in (4, 5) and rates[-1] < 1e-4


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, first = device_fit(tmp_path / "whole", ema=0.9), device_fit(tmp_path / "parts", ema=0.9)
    expected, found = losses(run(whole)), losses(run(first, until=3))
    second = device_fit(tmp_path / "parts", 7, ema=0.9)
    assert second.resume() and second.step == 3
    assert found + losses(run(second)) == expected
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_the_plain_loop_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    run(device_fit(tmp_path), until=3)
    plain = new_fit(tmp_path, network_seed=7)
    assert plain.resume() and plain.step == 3
    run(plain)
    assert plain.done == 1


def test_a_teacher_makes_its_share_of_the_targets(tmp_path: Path) -> None:
    learnt = device_fit(tmp_path, teacher=Teacher(small_network(5), 0.5))
    images, targets, _ = learnt._batch(0)
    alone = device_fit(tmp_path)._batch(0)
    assert torch.equal(images, alone[0])
    with torch.no_grad():
        soft = torch.sigmoid(learnt.teacher.network(images))
    assert torch.allclose(targets, (alone[1] + soft) / 2, atol=1e-6)


def test_a_teacher_sees_pictures_of_its_own_size() -> None:
    teacher = Teacher(small_network(5), 1.0)
    small = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    small[:, :, 20:40, 16:48] = 200
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    weight = torch.ones(2, 3)
    expected = teacher.mixed(small, torch.zeros(2, 3, 16, 16), weight)
    found = teacher.mixed(large, torch.zeros(2, 3, 32, 32), weight)
    assert found.shape == (2, 3, 32, 32)
    untouched = torch.sigmoid(teacher.network(large)).detach()

    def alike(maps: torch.Tensor) -> float:
        middle = torch.nn.functional.avg_pool2d(maps, 2)
        return float(torch.corrcoef(torch.stack([middle.flatten(), expected.flatten()]))[0, 1])

    assert alike(found) > max(0.8, alike(untouched) + 0.1)


def test_what_a_capture_changes_is_put_back() -> None:
    weight, moment = torch.nn.Parameter(torch.tensor([1.0, 2.0])), torch.tensor([3.0])
    before = [(weight, weight.detach().clone())]
    with torch.no_grad():
        weight.add_(1)
    put_back(before, iter([weight, moment]))
    assert weight.tolist() == [1, 2] and moment.tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "world", "reason"),
    [
        ({}, 2, "several processes"), ({"fused": False}, 1, "setting fused"), ({"bf16": False}, 1, "setting bf16"),
        ({"parts": "face-parts", "loss": "softmax"}, 1, "parts"), ({"optimiser": "rmsprop"}, 1, "not Adam"),
        ({"centring": False}, 1, "centred"), ({"clamp": False}, 1, "centred"), ({"gradient": "torch7"}, 1, "autograd"),
        ({"pretraining": 0.5}, 1, "real at first"), ({"batch": 4096}, 1, ""), ({}, 1, ""),
    ],
)  # fmt: skip
def test_what_the_kernels_have_no_form_of(changes: dict, world: int, reason: str) -> None:
    recipe = with_settings(RECIPE, {"bf16": True} | changes)
    told = choice.obstacle(small_network(), recipe, world)
    assert (reason in told) if reason else not told
    if reason and world == 1:
        kind, notice = choice.fit_class(small_network(), spots(2), recipe, CUDA)
        assert kind is Fit and notice == f"Training runs without the fused kernels for GPUs, and slower: {told}."


def test_frozen_networks_real_ones_and_large_maps() -> None:
    network, recipe = small_network(), with_settings(RECIPE, {"bf16": True})
    network.freeze(True)
    assert "without latent weights" in choice.obstacle(network, recipe, 1)
    real = Hourglass(replace(SMALL, real=True))
    assert not choice.obstacle(real, with_settings(recipe, {"centring": False, "gradient": "torch7"}), 1)
    wide = Hourglass(Architecture(3, width=64, stem=64, side=256))
    assert "too many values" in choice.obstacle(wide, with_settings(recipe, {"batch": 2048}), 1)


def test_pictures_that_do_not_fit() -> None:
    examples = spots(4)  # 96 x 80
    assert not choice.too_large(examples, RECIPE, 4 * 96 * 80 * 3)
    assert "quarter" in choice.too_large(examples, RECIPE, 4 * 96 * 80 * 3 - 1)
    large = replace(examples, box=examples.box * 10)
    assert "2 times as large" in choice.too_large(large, RECIPE, 10**9)


def test_a_cpu_trains_as_ever_and_a_machine_without_triton_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = with_settings(RECIPE, {"bf16": True})
    assert choice.fit_class(small_network(), spots(2), recipe, Group()) == (Fit, "")
    monkeypatch.setattr(choice, "has_bf16", lambda device: True)
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    kind, notice = choice.fit_class(small_network(), spots(2), recipe, CUDA)
    assert kind is Fit and notice.endswith("and slower: Triton is not installed.")
    monkeypatch.setattr(choice, "has_bf16", lambda device: False)
    assert choice.fit_class(small_network(), spots(2), recipe, CUDA)[1].endswith("has no bfloat16.")


def test_the_recipes_of_the_shipped_models_suit_the_kernels() -> None:
    for name, (side, steps, rate, sigma) in RECIPES.items():
        recipe = load_recipe(name)
        assert (recipe.resize or recipe.side, recipe.steps, recipe.rate, recipe.sigma) == (side, steps, rate, sigma)
        assert recipe.batch == 128 and not recipe.minutes and not recipe.epochs and not recipe.relu
        assert recipe.real == (name == "ours-pose-gpu-teacher")
        network = Hourglass(replace(SMALL, real=recipe.real))
        assert not choice.obstacle(network, recipe, 1)
