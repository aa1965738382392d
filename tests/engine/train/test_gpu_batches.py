"""Batches made on a device, here the CPU: they follow the definitions of the augmentation that trains on CPUs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine import crop, heatmaps  # noqa: E402
from engine.opencv import cv2  # noqa: E402
from engine.train.augment import BORDERS  # noqa: E402
from engine.train.datasets import Examples  # noqa: E402
from engine.train.gpu.batches import DeviceBatches, gaussians  # noqa: E402
from engine.train.gpu.colours import blur, erase, recolour  # noqa: E402
from engine.train.gpu.draws import Draws, draw_places, part_boxes  # noqa: E402
from engine.train.recipes import Recipe, with_settings  # noqa: E402
from engine.train.targets import make_targets  # noqa: E402
from tests.engine.train.toys import RECIPE, spots  # noqa: E402

CPU = torch.device("cpu")
KEEP, SWAP = np.arange(3), np.array([2, 1, 0])
PLAIN = with_settings(RECIPE, {
    "batch": 16, "colour": 0, "light": 0, "offset": 0, "grey": 0, "blur": 0, "sigma": 1.0, "shift": 0.03,
})  # fmt: skip


def draws(step: int = 0) -> Draws:
    return Draws(3, step, CPU)


def batches(recipe: Recipe = PLAIN, permutation: np.ndarray = KEEP, examples: Examples | None = None) -> DeviceBatches:
    return DeviceBatches(examples or spots(8), recipe, permutation, 3, CPU)


def brightest(maps: torch.Tensor) -> np.ndarray:
    """(N, C, h, w) -> (N, C, 2): x and y of each map's centre of light above half of its peak."""
    values = maps.double().numpy()
    values = np.where(values > 0.6 * values.max((2, 3), keepdims=True), values, 0)
    x, y = np.arange(values.shape[3]), np.arange(values.shape[2])
    total = np.maximum(values.sum((2, 3)), 1e-12)
    return np.stack([(values.sum(2) * x).sum(2) / total, (values.sum(3) * y).sum(2) / total], -1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_targets_lie_on_the_spots_of_the_picture(mirrored: bool) -> None:
    """Spot k is in channel k; mirrored, landmarks 0 and 2 change their names, as left and right eyes do."""
    recipe = with_settings(PLAIN, {"flip": mirrored, "flip_share": 1.0, "rotation": 30.0})
    images, targets, weight = batches(recipe, SWAP).batch(0)
    assert images.shape == (16, 3, 64, 64) and images.dtype == torch.uint8
    assert targets.shape == (16, 3, 16, 16) and targets.dtype == torch.float32
    assert (weight == 1).all() and weight.shape == (16, 3)
    found = heatmaps.to_crop(brightest(targets))
    seen = brightest(images)[:, SWAP if mirrored else KEEP]
    there = targets.amax((2, 3)).numpy() > 0.5  # not cut off by the crop
    inner = there & ((found > 6) & (found < 57)).all(2)
    assert inner.mean() > 0.7
    assert np.abs(found - seen)[inner].max() < 2.0
    turned = np.diff(seen[:, [0, 2]], axis=1)[:, 0]  # from the left spot to the right one
    assert (turned[:, 0] > 0).mean() > 0.8 and np.abs(turned[:, 1]).mean() > 2


def test_places_are_those_of_the_crop() -> None:
    boxes = torch.from_numpy(spots(8).box)
    places = draw_places(boxes, with_settings(PLAIN, {"flip": True}), draws())
    assert 0 < places.mirrored.sum() < 8
    points = torch.from_numpy(spots(8).points)
    placed = places.placed(points, 64).numpy()
    for n in range(8):
        linear = places.to_crop[n].double().numpy()
        sign = -1 if places.mirrored[n] else 1
        scale, angle = np.sqrt(abs(np.linalg.det(linear))), np.rad2deg(np.arctan2(sign * linear[0, 1], linear[1, 1]))
        affine = crop.matrix(*places.centre[n].tolist(), 64 / scale, 64, angle, bool(places.mirrored[n]))
        assert np.allclose(linear, affine[:, :2], atol=1e-5)
        assert np.allclose(placed[n], crop.apply(affine, points[n].numpy()), atol=1e-3)
        assert np.allclose(linear @ places.to_picture[n].numpy(), np.eye(2), atol=1e-5)


@pytest.mark.parametrize(("border", "kind"), [("replicate", 0), ("black", 1)])
def test_crops_are_opencvs(border: str, kind: int) -> None:
    """Smooth pictures of two sizes, so that OpenCV's steps of 1/32 pixel do not count."""
    one, two = spots(2).images
    tall = cv2.resize(cv2.GaussianBlur(two, (0, 0), 2), (60, 90))
    examples = replace(spots(2), images=(cv2.GaussianBlur(one, (0, 0), 2), tall))
    recipe = with_settings(PLAIN, {"border": border, "crop": 2.5})
    made = batches(recipe, KEEP, examples)
    chosen = torch.tensor([0, 1] * 4)
    places = draw_places(made.box[chosen], with_settings(recipe, {"flip": True}), draws())
    found = made._sample(chosen, places, draws()).numpy()
    for n in range(8):
        linear, centre = places.to_crop[n].double().numpy(), places.centre[n].double().numpy()
        affine = np.column_stack([linear, 31.5 - linear @ centre])
        expected = cv2.warpAffine(examples.images[n % 2], affine, (64, 64), borderMode=BORDERS[kind])
        off = np.abs(found[n].transpose(1, 2, 0) - expected)
        assert np.quantile(off, 0.97) < 3 and off.mean() < 1  # black begins at another fraction of a pixel
        if border == "replicate":
            assert off.max() < 6


def test_mirrored_surroundings_are_opencvs() -> None:
    examples = spots(2)
    smooth = tuple(cv2.GaussianBlur(image, (0, 0), 2) for image in examples.images)
    made = batches(PLAIN, KEEP, replace(examples, images=smooth))
    made.borders = torch.zeros(2)  # every drawn number falls into the last of the three
    places = draw_places(made.box[torch.tensor([0, 1])] * torch.tensor([1, 1, 1.8]), PLAIN, draws())
    found = made._sample(torch.tensor([0, 1]), places, draws()).numpy()
    for n, picture in enumerate(made.examples.images):
        linear, centre = places.to_crop[n].double().numpy(), places.centre[n].double().numpy()
        affine = np.column_stack([linear, 31.5 - linear @ centre])
        expected = cv2.warpAffine(picture, affine, (64, 64), borderMode=BORDERS[2])
        assert np.abs(found[n].transpose(1, 2, 0) - expected).max() < 6


@pytest.mark.parametrize("changes", [{}, {"centre": "floor"}, {"window": True}, {"centre": "floor", "window": True}])
def test_targets_are_those_of_the_cpu(changes: dict) -> None:
    recipe = with_settings(PLAIN, {"sigma": 1.6} | changes)
    placed = np.random.default_rng(0).uniform(-8, 72, (5, 3, 2)).astype(np.float32)
    present = np.random.default_rng(1).random((5, 3)) < 0.8
    found = gaussians(torch.from_numpy(placed), torch.from_numpy(present), recipe).numpy()
    assert np.allclose(found, make_targets(placed, present, recipe), atol=1e-5)


def test_what_is_absent_is_learnt_as_empty_and_what_is_unknown_is_left_out() -> None:
    examples = spots(8)
    weight, absent = examples.weight.copy(), examples.absent.copy()
    weight[:, 0], weight[:, 1], absent[:, 1] = 0, 0, True
    examples = replace(examples, weight=weight, absent=absent)
    _, targets, counted = batches(PLAIN, KEEP, examples).batch(0)
    assert (targets[:, :2] == 0).all() and (targets[:, 2].amax((1, 2)) > 0.5).any()
    assert (counted == torch.tensor([0.0, 1.0, 1.0])).all()
    _, _, counted = batches(with_settings(PLAIN, {"mask": False}), KEEP, examples).batch(0)
    assert (counted == 1).all()
    _, targets, counted = batches(with_settings(PLAIN, {"flip": True, "flip_share": 1.0}), SWAP, examples).batch(0)
    assert (targets[:, 1:] == 0).all() and (counted == torch.tensor([1.0, 1.0, 0.0])).all()


def test_a_batch_depends_on_seed_and_step_alone_and_takes_the_same_examples_as_on_a_cpu() -> None:
    recipe = with_settings(PLAIN, {"colour": 0.4, "erase": 0.5, "part": 0.5})
    one, again = batches(recipe), batches(recipe)
    again.batch(4)
    for first, second in zip(one.batch(7), again.batch(7), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(one.batch(7)[0], one.batch(8)[0])
    for order in ("share", "pass"):
        recipe = with_settings(PLAIN, {"order": order})
        assert batches(recipe)._chosen(5).tolist() == spots(8).drawn(recipe, 3, 5).tolist()


def test_a_part_is_a_square_around_the_landmarks_on_one_side_of_a_line() -> None:
    points = torch.from_numpy(np.random.default_rng(2).uniform(0, 100, (200, 12, 2)).astype(np.float32))
    box = torch.tensor([50.0, 50.0, 100.0]).repeat(200, 1)
    known = torch.ones(200, 12, dtype=torch.bool)
    known[:, 0] = False
    assert torch.equal(part_boxes(points, known, box, with_settings(PLAIN, {"part": 0}), draws()), box)
    parts = part_boxes(points, known, box, with_settings(PLAIN, {"part": 1.0}), draws())
    low, high = parts[:, None, :2] - parts[:, None, 2:] / 2, parts[:, None, :2] + parts[:, None, 2:] / 2
    inside = ((points >= low) & (points <= high)).all(2)[:, 1:].float().mean(1)
    assert (parts[:, 2] >= 35).all() and 0.45 < inside.mean() < 0.9 and (parts[:, 2] < 100).float().mean() > 0.5
    few = known & (torch.arange(12) < 4)  # three known: no half of a body
    assert torch.equal(part_boxes(points, few, box, with_settings(PLAIN, {"part": 1.0}), draws()), box)
    five = part_boxes(points, known & (torch.arange(12) < 6), box, with_settings(PLAIN, {"part": 1.0}), draws())
    span = points[:, 1:6].amax(1) - points[:, 1:6].amin(1)  # of five all stay, as on a CPU
    assert torch.allclose(five[:, 2], (span.amax(1) * 1.15).clamp(min=35.0), atol=1e-3)


def test_spreads_and_shares_follow_the_recipe() -> None:
    boxes = torch.tensor([50.0, 50.0, 40.0]).repeat(4000, 1)

    def scales(**changes) -> torch.Tensor:
        places = draw_places(boxes, with_settings(PLAIN, {"crop": 1.0, "rotation_share": 0.0} | changes), draws())
        return 64 / 40 / places.to_crop[:, 1, 1]

    even = scales(scale_spread="uniform", scale_low=0.8, scale_high=1.2)
    assert 0.8 <= even.min() < 0.81 and 1.19 < even.max() <= 1.2 and abs(even.mean() - 1) < 0.01
    assert abs(scales(scale=0.05).std() - 0.05) < 0.005
    assert abs(scales(scale=0.05, scale_spread="octaves").log2().std() - 0.05) < 0.005
    recipe = with_settings(PLAIN, {"rotation_spread": "uniform", "rotation_limit": 30.0, "rotation_share": 0.6,
                                   "flip": True, "flip_share": 0.25})  # fmt: skip
    places = draw_places(boxes, recipe, draws())
    degrees = torch.rad2deg(torch.atan2(-places.to_crop[:, 1, 0], places.to_crop[:, 1, 1]))
    assert abs((degrees != 0).float().mean() - 0.6) < 0.04 and 29 < degrees.abs().max() <= 30.01
    assert abs(places.mirrored.float().mean() - 0.25) < 0.03


def test_colours_follow_the_recipe() -> None:
    grey = torch.full((400, 3, 16, 16), 100.0)
    still = recolour(grey, with_settings(PLAIN, {"erase": 0}), draws())
    assert (still == 100).all() and still.dtype == torch.uint8
    lit = recolour(grey, with_settings(PLAIN, {"colour": 0.3, "light": 0.2, "erase": 0}), draws()).float()
    assert 100 * 0.7 * 0.8 - 1 <= lit.min() < 75 and 130 < lit.max() <= 100 * 1.3 * 1.2 + 1
    alike = (lit.amax((1, 2, 3)) == lit.amin((1, 2, 3))).float().mean()
    assert abs(alike - 0.3) < 0.08
    coloured = torch.rand(400, 3, 16, 16, generator=torch.manual_seed(0)) * 255
    greyed = recolour(coloured, with_settings(PLAIN, {"grey": 0.4, "erase": 0}), draws())
    assert abs((greyed[:, 0] == greyed[:, 2]).all((1, 2)).float().mean() - 0.4) < 0.08
    erased = (erase(coloured, 0.5, draws()) != coloured).any(1)
    share = erased.float().mean((1, 2))
    assert abs((share > 0).float().mean() - 0.5) < 0.08 and share.max() < 0.2


def test_blur_is_opencvs() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)
    sigmas = (0.01, 0.7, 1.5)
    found = blur(torch.from_numpy(pictures).permute(0, 3, 1, 2).float(), torch.tensor(sigmas)).permute(0, 2, 3, 1)
    assert np.allclose(found[0], pictures[0], atol=1e-3)
    for n in (1, 2):
        expected = cv2.GaussianBlur(pictures[n], (9, 9), sigmas[n], borderType=cv2.BORDER_REPLICATE)
        assert np.abs(found[n].numpy() - expected).max() < 2
