"""Snapshots: accepted labels as a pack that training reads, the same pictures held out each time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage, PutInstance, Reject
from app.project.snapshot import FACTOR, LARGEST, _held_out, snapshot
from app.project.values import Visibility
from engine.errors import UserError
from engine.images import encode_png, load_image
from engine.packs import load_pack
from engine.schema import schema_from_json
from tests.app.projects import SCHEMA, K, instance, new_document, put


@pytest.fixture
def document(tmp_path: Path) -> Document:
    made = new_document(tmp_path)
    yield made
    made.close()


def accept_all(document: Document, seed: int = 0) -> None:
    for n, image in enumerate(document.images()):
        put(document, image.id, seed + n)
        document.apply(Accept(image.id))


def test_accepted_labels_only_with_pixels_and_landmarks_in_step(document: Document, tmp_path: Path) -> None:
    accept_all(document)
    rejected, in_work, done = document.images()
    document.apply(Reject(rejected.id))
    document.undo()
    document.apply(Reject(rejected.id))
    document.apply(PutInstance(instance(in_work.id, 7)))  # still accepted: two instances now
    frozen = snapshot(document, tmp_path / "s.npz")
    pack = load_pack(frozen.path)
    assert (frozen.count, frozen.images, frozen.skipped) == (3, 2, ()) and len(pack) == 3
    assert pack.ids == ("digest-1", "digest-1", "digest-2")
    assert set(pack.source) == {"pictures"} and set(pack.kind) == {"human"}
    held = [*document.instances(in_work.id), *document.instances(done.id)]
    for n, (label, image) in enumerate(zip(held, (in_work, in_work, done), strict=True)):
        picture, crop = load_image(document.picture_path(image)), pack.image(n)
        low, high = label.points.min(0), label.points.max(0)
        side = (high - low).max()
        scale = crop.shape[0] / (side * FACTOR)
        assert crop.shape[0] == crop.shape[1] <= LARGEST and pack.box[n, 2] == pytest.approx(side * scale, rel=1e-5)
        assert pack.points[n].min(0) + pack.points[n].max(0) == pytest.approx(2 * pack.box[n, :2], abs=1e-3)
        # the pixel under a landmark is the same in picture and crop, as near as resampling leaves it
        back = (pack.points[n] - pack.box[n, :2]) / scale + (low + high) / 2
        assert back == pytest.approx(label.points, abs=1e-3)
        assert abs(float(crop.mean()) - float(picture.mean())) < 40
    with np.load(frozen.path) as data:
        assert schema_from_json(json.loads(data["schema"].tobytes())) == SCHEMA


def test_the_crop_shows_what_was_labelled(document: Document, tmp_path: Path) -> None:
    """A white spot under one landmark lies under it in the crop, half outside the picture or not."""
    image = document.images()[0]
    for spot in ((30, 40), (2, 3), (157, 117)):
        pixels = np.zeros((120, 160, 3), np.uint8)
        pixels[spot[1] - 1 : spot[1] + 2, spot[0] - 1 : spot[0] + 2] = 255
        document.picture_path(image).write_bytes(encode_png(pixels))
        points = np.random.default_rng(1).uniform(-10, 10, (K, 2)) + spot
        points[0] = spot
        held = document.instances(image.id)
        label = replace(instance(image.id), id=held[0].id if held else 0, points=points)
        document.apply(PutInstance(label))
        document.apply(Accept(image.id))
        pack = load_pack(snapshot(document, tmp_path / "s.npz").path)
        crop = pack.image(0).astype(np.float64).sum(2)
        ys, xs = np.mgrid[: crop.shape[0], : crop.shape[1]]
        centre = np.array([(xs * crop).sum(), (ys * crop).sum()]) / crop.sum()
        assert centre == pytest.approx(pack.points[0, 0], abs=0.6)


def test_visibility_becomes_weight_and_absence(document: Document, tmp_path: Path) -> None:
    image = document.images()[0].id
    seen = np.full(K, Visibility.VISIBLE)
    seen[1], seen[2] = Visibility.OCCLUDED, Visibility.ABSENT
    label = instance(image)
    far = np.array(label.points)
    far[2] = (150.0, 5.0)  # an absent landmark's old place says nothing about the box
    document.apply(PutInstance(replace(label, visibility=seen, points=far)))
    document.apply(Accept(image))
    pack = load_pack(snapshot(document, tmp_path / "s.npz").path)
    assert pack.weight[0, :4].tolist() == [1.0, 0.5, 0.0, 1.0]
    assert pack.absent[0].tolist() == [k == 2 for k in range(K)]
    known = np.delete(pack.points[0], 2, 0)
    assert (known.max(0) - known.min(0)).max() == pytest.approx(pack.box[0, 2], rel=1e-4)


def test_nothing_accepted_is_a_sentence(document: Document, tmp_path: Path) -> None:
    put(document, document.images()[0].id)
    document.apply(Accept(document.images()[1].id))  # done, empty
    with pytest.raises(UserError, match="no accepted labels"):
        snapshot(document, tmp_path / "s.npz")
    assert not (tmp_path / "s.npz").exists()


def test_pictures_that_cannot_be_read_or_have_another_size_are_named(document: Document, tmp_path: Path) -> None:
    accept_all(document)
    first, second, third = document.images()
    document.picture_path(first).unlink()
    document.picture_path(second).write_bytes(encode_png(np.zeros((60, 80, 3), np.uint8)))
    frozen = snapshot(document, tmp_path / "s.npz")
    assert frozen.count == frozen.images == 1 and frozen.held_out == 0
    assert frozen.skipped[0].startswith("image 1.png") and "160 x 120, not 80 x 60" in frozen.skipped[1]


def test_held_out_pictures_stay_held_out_and_copies_are_on_one_side(tmp_path: Path) -> None:
    document = new_document(tmp_path, 0)
    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    (tmp_path / "p.png").write_bytes(encode_png(pixels))
    kept: dict[str, bool] = {}
    for batch in range(3):
        names = range(batch * 8, batch * 8 + 8)
        for copy in ("", "copy of "):
            for n in names:
                path = tmp_path / "pictures" / f"{copy}{n}.png"
                path.write_bytes(encode_png(pixels))
                image = document.apply(AddImages((NewImage(str(path), 160, 120, f"content {n}"),))).created
                put(document, image, n)
                document.apply(Accept(image))
        pack = load_pack(snapshot(document, tmp_path / "s.npz").path)
        assert pack.has_holdout and 0 < pack.holdout.sum() < len(pack)
        sides = {(id, bool(held)) for id, held in zip(pack.ids, pack.holdout, strict=True)}
        assert len(sides) == len(set(pack.ids))  # a picture and its copy together
        now = dict(sides)
        assert all(now[id] == held for id, held in kept.items())
        kept = now
    document.close()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_at_least_one_picture_is_held_out_and_never_all(count: int) -> None:
    for start in range(200):
        ids = {f"{start} {n}" for n in range(count)}
        held = _held_out(ids, 5)
        assert held <= ids and len(held) < count and (held or count == 1)
