"""What recipes may ask for: optimisers, schedules, losses, targets, augmentation, averages and teachers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.train import augment, optim  # noqa: E402
from engine.train.average import Average  # noqa: E402
from engine.train.binary import BinaryConv2d  # noqa: E402
from engine.train.checkpoint import CheckpointError, load_network, save_checkpoint  # noqa: E402
from engine.train.distil import load_teacher  # noqa: E402
from engine.train.losses import heatmap_loss  # noqa: E402
from engine.train.recipes import RecipeError, load_recipe, with_settings  # noqa: E402
from engine.train.targets import make_targets  # noqa: E402
from engine.train.tasks import Landmarks  # noqa: E402
from tests.engine.train.toys import RECIPE, SCHEMA, new_fit, small_network, spots  # noqa: E402

NONE = {"rotation": 0.0, "scale": 0.0, "shift": 0.0, "colour": 0.0, "light": 0.0, "offset": 0.0, "grey": 0.0,
        "blur": 0.0, "erase": 0.0, "flip": False, "border": "black"}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(fit) -> list[float]:
    return [record["loss"] for record in fit.run() if record["type"] == "progress"]


def test_rmsprop_is_the_formula_of_the_paper() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimiser = optim.make_optimiser(with_settings(RECIPE, {"optimiser": "rmsprop", "rate": 2.5e-4}), [weight])
    expected, square = weight.detach().numpy().astype(np.float64), np.zeros(3)
    for gradient in np.random.default_rng(0).normal(size=(5, 3)):
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
        optimiser.step()
        square = 0.99 * square + 0.01 * gradient**2
        expected -= 2.5e-4 * gradient / (np.sqrt(square) + 1e-8)
    np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-5)


def test_the_paper_s_rate_falls_in_four_equal_drops() -> None:
    recipe = load_recipe("paper-mpii")
    rates = [optim.rate(recipe, 1000, epoch / 100) for epoch in (0, 19.9, 20, 40, 60, 79.9, 80, 99.9)]
    np.testing.assert_allclose(rates, np.array([2.5, 2.5, 2.0, 1.5, 1.0, 1.0, 0.5, 0.5]) * 1e-4)


def test_paper_recipes_are_the_paper_s() -> None:
    mpii, faces = load_recipe("paper-mpii"), load_recipe("paper-300wlp")
    assert (mpii.epochs, faces.epochs, faces.limit) == (100, 55, 40_000)
    for name in ("paper-mpii", "paper-300wlp", "paper-aflw", "paper-pifa"):
        r = load_recipe(name)
        assert (r.optimiser, r.loss, r.width, r.side, r.stacks) == ("rmsprop", "bce", 256, 256, 1)
        assert not r.relu and not r.real
        assert (r.rotation_limit, r.rotation_spread, r.scale_low, r.scale_high) == (40, "uniform", 0.7, 1.3)
        assert (r.sigma, r.window, r.centre) == (1.75, True, "floor")


def test_losses_and_their_gradients_against_plain_formulas() -> None:
    torch.manual_seed(0)
    logits = (4 * torch.randn(2, 3, 4, 4)).double().requires_grad_()
    target, weight = torch.rand(2, 3, 4, 4).double(), torch.tensor([[1.0, 0.5, 0], [1, 1, 0]]).double()
    share = weight[:, :, None, None] / (weight.sum() * 16)
    plain = {"l2": lambda s: (s - target) ** 2, "bce": lambda s: -(target * s.log() + (1 - target) * (1 - s).log())}
    for kind, formula in plain.items():
        expected = (formula(torch.sigmoid(logits)) * share).sum()
        found = heatmap_loss(kind, [logits, logits], target, weight)
        assert found.item() == pytest.approx(2 * expected.item(), rel=1e-9)  # summed over two stacks
        (wanted,), (got,) = (torch.autograd.grad(value, logits) for value in (2 * expected, found))
        torch.testing.assert_close(got, wanted)
    for kind in plain:
        far = torch.tensor([[[[1e4, -1e4]]]], requires_grad=True)
        value = heatmap_loss(kind, [far], torch.tensor([[[[0.0, 1.0]]]]), torch.ones(1, 1))
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(far.grad).all()


def test_targets_of_torch_are_a_cut_gaussian_at_a_whole_cell() -> None:
    recipe = with_settings(RECIPE, {"sigma": 1.75, "window": True, "centre": "floor"})
    placed = np.array([[[30.0, 21.0], [2.9, 63.0], [40.0, 40.0]]])  # crop pixels; the cells are 7.125, 4.875
    maps = make_targets(placed, np.array([[True, True, False]]), recipe)[0]
    assert maps.shape == (3, 16, 16) and not maps[2].any()
    y, x = np.mgrid[:16, :16]
    expected = np.exp(-((x - 7) ** 2 + (y - 5) ** 2) / (2 * 1.75**2)) * ((abs(x - 7) <= 3) & (abs(y - 5) <= 3))
    np.testing.assert_allclose(maps[0], expected, atol=1e-6)
    assert maps[0, 5, 4] == pytest.approx(0.23, abs=0.005) and maps[0, 2, 4] == pytest.approx(0.05, abs=0.005)
    assert np.unravel_index(maps[1].argmax(), (16, 16)) == (15, 0)  # the cell that the landmark lies in
    exact = make_targets(placed, np.ones((1, 3), bool), RECIPE)[0]
    assert exact[0].max() < 1 and (exact[0] > 0).all()


def test_nothing_augmented_is_the_plain_crop() -> None:
    examples = spots(4)
    recipe = with_settings(RECIPE, NONE)
    batch = augment.training_batch(examples, recipe, SCHEMA.permutation, 0, 0)
    chosen = examples.drawn(recipe, 0, 0)
    for n, i in enumerate(chosen):
        plain, affine = augment.plain_crop(examples, i, recipe)
        inside = augment.crop.sample(np.full_like(examples.images[i], 255), affine, recipe.side, 0) == 255
        assert np.array_equal(np.where(inside, batch.images[n], 0), np.where(inside, plain, 0))


@pytest.mark.parametrize(("spread", "low", "high"), [("uniform", 0.7, 1.3), ("normal", 0.9, 1.1), ("octaves", 0.5, 2)])
def test_scale_stays_within_its_limits(spread: str, low: float, high: float) -> None:
    recipe = with_settings(RECIPE, {"scale_spread": spread, "scale_low": low, "scale_high": high, "scale": 0.5})
    rng = np.random.default_rng(0)
    found = np.array([augment._scale(recipe, rng) for _ in range(400)])
    assert low <= found.min() < low + 0.05 and high - 0.05 < found.max() <= high


def test_rotation_by_share_and_limit() -> None:
    recipe = with_settings(RECIPE, {"rotation_spread": "uniform", "rotation_limit": 40})
    rng = np.random.default_rng(0)
    angles = np.array([augment._angle(recipe, rng) for _ in range(300)])
    assert -40 <= angles.min() < -35 and 35 < angles.max() <= 40
    never = with_settings(RECIPE, NONE | {"rotation_share": 0.0, "rotation": 30.0})
    still = with_settings(RECIPE, NONE)
    one, other = (augment.training_batch(spots(3), r, SCHEMA.permutation, 1, 2) for r in (never, still))
    assert np.array_equal(one.targets, other.targets)


def test_unlabelled_landmarks_are_left_out_or_trained_to_be_empty() -> None:
    examples = spots(4)
    examples.weight[:, 1] = 0
    for mask, expected in ((True, 0.0), (False, 1.0)):
        batch = augment.training_batch(examples, with_settings(RECIPE, NONE | {"mask": mask}), SCHEMA.permutation, 0, 0)
        assert (batch.weight[:, 1] == expected).all() and not batch.targets[:, 1].any()
        assert (batch.weight[:, 0] == 1).all() and batch.targets[:, 0].any()


def test_a_pass_shows_every_example_once() -> None:
    examples, recipe = spots(10), with_settings(RECIPE, {"order": "pass", "batch": 4})
    drawn = np.concatenate([examples.drawn(recipe, 7, step) for step in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert list(drawn[:10]) != list(drawn[10:])


def test_shares_say_how_often_an_example_is_drawn() -> None:
    examples = spots(3)
    examples.share[:] = (0.5, 0.0, 0.5)
    drawn = np.concatenate([examples.drawn(RECIPE, 7, step) for step in range(50)])
    assert set(drawn) == {0, 2} and 60 < (drawn == 0).sum() < 140


@pytest.mark.parametrize(
    "settings",
    [
        {"optimiser": "rmsprop", "rate": 1e-3}, {"loss": "l2", "rate": 5e-3}, {"gradient": "torch7"},
        {"centring": False, "clamp": False}, {"pretraining": 0.5}, {"order": "pass", "gamma": "uniform"},
    ],
    ids=lambda s: "-".join(s),
)  # fmt: skip
def test_every_way_to_train_learns(tmp_path: Path, settings: dict) -> None:
    fit = new_fit(tmp_path, with_settings(RECIPE, {"steps": 30, "rate": 5e-3} | settings))
    found = run(fit)
    assert np.mean(found[-5:]) < 0.85 * np.mean(found[:3])


@pytest.mark.parametrize("gradient", ["autograd", "torch7"])
def test_the_gradient_of_binary_weights_is_the_formula(gradient: str) -> None:
    torch.manual_seed(0)
    layer = BinaryConv2d(4, 2, 3, -1)
    layer.gradient = gradient
    with torch.no_grad():
        layer.weight[0, 0, 0, 0] = 1.5
    g = torch.randn_like(layer.weight)
    layer._scaled().backward(g)
    w, n = layer.weight.detach(), layer.weight[0].numel()
    alpha, inside = w.abs().mean((1, 2, 3), keepdim=True), (w.abs() < 1).float()
    sign = torch.where(w > 0, 1.0, -1.0)
    if gradient == "autograd":
        expected = alpha * inside * g + sign * (sign * g).mean((1, 2, 3), keepdim=True)
    else:
        expected = g * (alpha * inside + 1 / n) * (1 - 1 / 4) * n
    torch.testing.assert_close(layer.weight.grad, expected)


def test_two_stages_begin_with_real_weights(tmp_path: Path) -> None:
    fit = new_fit(tmp_path, with_settings(RECIPE, {"pretraining": 0.5, "steps": 4}))
    layer = next(m for m in fit.network.modules() if isinstance(m, BinaryConv2d))
    seen = []
    for record in fit.run():
        seen.append((record["step"], layer.real_weights))
    assert seen == [(1, True), (2, True), (3, False), (4, False)]


def test_averaged_weights_follow_and_survive_a_break(tmp_path: Path) -> None:
    network = small_network()
    average = Average(network, 0.5)
    first = {name: value.clone() for name, value in network.state_dict().items()}
    for value in network.parameters():
        value.data.add_(1)
    average.update()
    share = 1 - 2 / 11  # after one step the decay is 2/11
    name = "layers.stem_conv.weight"
    torch.testing.assert_close(average.values[name], first[name] + share)
    with average.applied():
        assert torch.equal(network.state_dict()[name], average.values[name])
    torch.testing.assert_close(network.state_dict()[name], first[name] + 1)
    recipe = with_settings(RECIPE, {"ema": 0.9})
    whole, parts = new_fit(tmp_path / "whole", recipe), new_fit(tmp_path / "parts", recipe)
    run(whole)
    for record in parts.run():
        parts.stopping = record["step"] == 3
    rest = new_fit(tmp_path / "parts", recipe, network_seed=5)
    assert rest.resume()
    run(rest)
    assert all(torch.equal(rest.average.values[n], v) for n, v in whole.average.values.items())


def test_a_teacher_changes_the_targets_of_labelled_landmarks(tmp_path: Path) -> None:
    network = small_network(3)
    optimiser = optim.make_optimiser(RECIPE, network.parameters())
    save_checkpoint(tmp_path / "t.safetensors", network, optimiser, {})
    assert load_network(tmp_path / "t.safetensors").architecture == network.architecture
    teacher = load_teacher(tmp_path / "t.safetensors", 0.25, Landmarks(SCHEMA), torch.device("cpu"))
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    targets, weight = torch.zeros(2, 3, 16, 16), torch.tensor([[1.0, 0, 1], [1, 1, 1]])
    found = teacher.mixed(images, targets, weight)
    assert not found[0, 1].any() and (found[1] > 0).all()
    torch.testing.assert_close(found[1], 0.25 * torch.sigmoid(teacher.network(images))[1])
    with pytest.raises(Exception, match="16 landmarks|landmarks"):
        from engine.schema import load_schema

        load_teacher(tmp_path / "t.safetensors", 0.5, Landmarks(load_schema("mpii16")), torch.device("cpu"))
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="no.safetensors"):
        load_teacher(tmp_path / "no.safetensors", 0.5, Landmarks(SCHEMA), torch.device("cpu"))


def test_a_checkpoint_of_another_optimiser_is_refused(tmp_path: Path) -> None:
    new_fit(tmp_path).save()
    with pytest.raises(CheckpointError, match="Adam"):
        new_fit(tmp_path, with_settings(RECIPE, {"optimiser": "rmsprop"})).resume()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"optimiser": "sgd"}, "one of adam, rmsprop"), ({"drops": [[0.1, 1e-3]]}, "rise from 0"),
        ({"drops": [[0, 1e-3], [0.5, -1]]}, "0 or more"), ({"drops": [1, 2]}, "list of pairs"),
        ({"schedule": "steps"}, "needs drops"), ({"scale_low": 2.0}, "exchange"), ({"flip_share": 1.5}, "1.0 or less"),
        ({"block": "square"}, "one of bottleneck"), ({"stacks": 0}, "1 or more"), ({"ema": 1.0}, "or less"),
    ],
)  # fmt: skip
def test_settings_out_of_place_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        with_settings(RECIPE, settings)
