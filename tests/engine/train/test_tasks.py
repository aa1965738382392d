"""Training of a division into parts: it learns, its loss is the cross-entropy, its model runs in the packed engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine import parts  # noqa: E402
from engine.architecture import SEGMENTATION  # noqa: E402
from engine.errors import UserError  # noqa: E402
from engine.modelfile import read_model  # noqa: E402
from engine.runtime import open_runtime  # noqa: E402
from engine.samples import sample_people  # noqa: E402
from engine.schema import load_schema  # noqa: E402
from engine.train import augment, run  # noqa: E402
from engine.train.datasets import Examples  # noqa: E402
from engine.train.finish import network_from  # noqa: E402
from engine.train.losses import heatmap_loss  # noqa: E402
from engine.train.prepare import prepare  # noqa: E402
from engine.train.recipes import RecipeError, load_recipe, with_settings  # noqa: E402
from engine.train.starting import read_start  # noqa: E402
from engine.train.tasks import Division, Landmarks, task_of  # noqa: E402

FACE, LABELS = parts.load_parts("face-parts"), load_schema("ibug68")
SMALL = {"width": 32, "stem": 16, "side": 64, "batch": 4, "steps": 24, "warmup": 4, "bf16": False, "exact": False,
         "evaluate_every": 1000, "checkpoint_every": 10}  # fmt: skip
RECIPE = with_settings(load_recipe("face-parts"), SMALL)


class Orders:
    """Nobody interrupts."""

    stopping = False

    class go:  # noqa: N801
        @staticmethod
        def wait(seconds: float) -> bool:
            return True


def people() -> Examples:
    some = sample_people(4)
    points = np.stack([one.landmarks for one in some]).astype(np.float32)
    low, high = points.min(1), points.max(1)
    box = np.concatenate([(low + high) / 2, (high - low).max(1, keepdims=True)], 1)
    ones = np.ones((4, 68), np.float32)
    return Examples(tuple(one.pixels for one in some), points, ones, ones < 0, box, np.full(4, 0.25))


def test_softmax_is_cross_entropy_per_pixel_of_labelled_pictures() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 7, 5, 5, dtype=torch.float64, requires_grad=True)
    shares = torch.softmax(torch.randn(2, 7, 5, 5, dtype=torch.float64), 1)
    weight = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    found = heatmap_loss("softmax", [logits], shares, weight)
    expected = torch.nn.functional.cross_entropy(logits[:1], shares[:1])
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    weights = torch.arange(1.0, 8.0, dtype=torch.float64)
    some = -(shares[:1] * weights[:, None, None] * torch.log_softmax(logits[:1], 1)).sum() / 25
    assert heatmap_loss("softmax", [logits], shares, weight, balance=weights).item() == pytest.approx(some.item())
    found.backward()
    assert not logits.grad[1].any() and logits.grad[0].any()


def test_targets_are_the_masks_of_the_very_crop() -> None:
    some = people()
    unknown = some.weight.copy()
    unknown[:, 8] = 0
    batch = augment.training_batch(some, RECIPE, LABELS.permutation, 0, 0)
    assert batch.targets.shape == (4, 7, 16, 16) and batch.weight.tolist() == [[1.0]] * 4
    np.testing.assert_allclose(batch.targets.sum(1), 1, atol=1e-6)
    assert (batch.targets[:, 1].sum((1, 2)) > 20).all()  # skin is in every crop
    none = augment.training_batch(replace(some, weight=unknown), RECIPE, LABELS.permutation, 0, 0)
    assert not none.weight.any() and np.array_equal(none.images, batch.images)


def test_it_learns_and_its_model_runs_in_the_packed_engine(tmp_path: Path) -> None:
    told: list[dict] = []
    start = {"packs": ["samples"], "schema": "ibug68", "recipe": "face-parts", "out": str(tmp_path), "settings": SMALL}
    run.run(start, lambda type, **values: told.append({"type": type, **values}), Orders())
    losses = [record["loss"] for record in told if record["type"] == "progress"]
    assert np.mean(losses[-5:]) < 0.8 * losses[0]
    done = told[-1]["metrics"]
    assert done["metric"] == "miou" and done["after"] > 3 and done["after_groups"].keys() == set(FACE.schema.landmarks)
    model = read_model(tmp_path / "model.hourbit")
    assert model.head == SEGMENTATION and model.schema == FACE.schema
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    network = network_from(model).eval()
    with torch.no_grad():
        exact = network(torch.from_numpy(crop).permute(2, 0, 1)[None])[0].numpy()
    packed = open_runtime(model).run(crop, logits=True)
    assert np.array_equal(packed, open_runtime(model, "reference").run(crop, logits=True))
    np.testing.assert_allclose(packed, exact, atol=1e-3)  # latents are kept as int8, so alphas are rounded
    with np.load(tmp_path / "worst.npz") as worst:
        assert worst["truth"].shape == worst["after"].shape == (len(worst["picture"]), 7, 2)
    asked = read_start({"packs": ["samples"], "from": str(model.path), "out": str(tmp_path / "on")})
    on = prepare(asked, run.distributed.Group())
    assert isinstance(on.fit.task, Division) and on.fit.recipe.loss == "softmax" and on.fit.schema == LABELS


def test_scores_of_a_perfect_and_a_shifted_answer() -> None:
    task, some = Division(FACE), people()
    found = []
    for i in range(len(some)):
        _, affine = augment.plain_crop(some, i, RECIPE)
        shares = parts.shares(FACE, augment.crop.apply(affine, some.points[i]), 16, 4)
        found.append(task.read(np.log(shares + 1e-3), affine, some, i))
    right = task.measured(np.stack(found), some)
    assert right.score > 50 and right.groups["Skin"] > 88  # of 16 x 16 cells; eyes are one cell high
    assert np.abs(right.points[:, 1] - right.truth[:, 1]).max() < 4
    wrong = task.measured(np.stack([task.read(np.zeros((7, 16, 16)), affine, some, i) for i in range(4)]), some)
    assert wrong.score < 12 and wrong.errors[:, 1:].min() == 100


def test_small_parts_count_more_by_balance() -> None:
    task = Division(FACE)
    even = task.weights(with_settings(RECIPE, {"balance": 0.0}))
    np.testing.assert_allclose(even, 1, rtol=1e-5)
    some = task.weights(RECIPE)
    assert some[0] < 1 and some[3] > 2 and some[6] > some[4] > some[1]


def test_what_does_not_go_together_is_refused() -> None:
    assert isinstance(task_of(load_recipe("ours-face"), LABELS), Landmarks)
    with pytest.raises(UserError, match="ibug68"):
        task_of(RECIPE, load_schema("mpii16"))
    with pytest.raises(RecipeError, match="softmax"):
        with_settings(load_recipe("ours-face"), {"parts": "face-parts"})
    with pytest.raises(RecipeError, match="softmax"):
        with_settings(RECIPE, {"loss": "bce"})
    with pytest.raises(UserError, match="no parts 'hands'"):
        task_of(with_settings(RECIPE, {"parts": "hands"}), LABELS)
