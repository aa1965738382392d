"""Snapshots: accepted labels as a pack that training reads, with a fixed hold-out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import Accept, Link, Relink
from app.project.snapshot import snapshot
from app.project.values import Instance, Visibility
from engine.errors import UserError
from engine.images import encode_png
from engine.packs import Pack, load_pack
from engine.regular import digest_of
from tests.app.labelled import GONE, HIDDEN, labelled
from tests.app.projects import K, new_document, put


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    made = labelled(tmp_path)
    yield made
    made.close()


def accepted_document(folder: Path, images: int) -> Document:
    folder.mkdir(exist_ok=True)
    document = new_document(folder, images)
    for image in document.images():
        put(document, image.id, image.id)
        document.apply(Accept(image.id))
    return document


def accepted(document: Document) -> list[Instance]:
    return [i for image in document.images()[:3] for i in document.instances(image.id)]


def back(pack: Pack, row: int, truth: Instance) -> np.ndarray:
    """A row's landmarks in picture pixels: its box is the square around the labelled ones."""
    seen = truth.visibility != Visibility.ABSENT
    low, high = truth.points[seen].min(0), truth.points[seen].max(0)
    scale = (high - low).max() / pack.box[row, 2]
    return (pack.points[row].astype(float) - pack.box[row, :2]) * scale + (low + high) / 2


def test_training_reads_the_accepted_labels(document: Document, tmp_path: Path) -> None:
    frozen = snapshot(document, tmp_path / "new folder.npz")
    pack = load_pack(frozen.path)
    assert len(pack) == frozen.count == 3 and frozen.skipped == ()
    assert pack.has_holdout and frozen.held_out == pack.holdout.sum()
    first, _, third = (image.digest for image in document.images()[:3])
    assert pack.ids == (first, first, third) and set(pack.source) == {"pictures"}
    assert set(pack.kind) == {"human"}
    for n, picture in enumerate(pack.images()):
        assert picture.shape == (len(picture), len(picture), 3)
        seen = ~pack.absent[n]
        assert (pack.points[n][seen] > -0.5).all() and (pack.points[n][seen] < len(picture) - 0.5).all()


def test_landmarks_come_back_to_where_they_are(document: Document, tmp_path: Path) -> None:
    pack = load_pack(snapshot(document, tmp_path / "labels.npz").path)
    for n, truth in enumerate(accepted(document)):
        seen = truth.visibility != Visibility.ABSENT
        np.testing.assert_allclose(back(pack, n, truth)[seen], truth.points[seen], atol=0.01)


def test_the_crop_shows_what_lies_at_a_landmark(document: Document, tmp_path: Path) -> None:
    """Spots of light painted at the landmarks of a picture lie at the pack's landmarks of the crop."""
    image = document.images()[2]
    truth = document.instances(image.id)[0].points[[0, 5, 9]]
    x, y = np.arange(160), np.arange(120)[:, None]
    light = [255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in truth]
    Path(image.path).write_bytes(encode_png(np.stack(light, 2).round().astype(np.uint8)))
    document.apply(Relink((Link(image.id, image.path, digest_of(image.path)),)))
    pack = load_pack(snapshot(document, tmp_path / "labels.npz").path)
    crop = pack.image(2).astype(float)
    places = np.arange(len(crop))
    for channel, landmark in enumerate((0, 5, 9)):
        spot = np.where(crop[..., channel] > 8, crop[..., channel], 0)
        centre = (spot.sum(0) @ places / spot.sum(), spot.sum(1) @ places / spot.sum())
        np.testing.assert_allclose(centre, pack.points[2, landmark], atol=0.25)


def test_weights_tell_seen_hidden_and_absent(document: Document, tmp_path: Path) -> None:
    pack = load_pack(snapshot(document, tmp_path / "labels.npz").path)
    expected = np.ones(K)
    expected[[HIDDEN, GONE]] = 0.5, 0.0
    assert pack.weight[0].tolist() == expected.tolist()
    assert np.flatnonzero(pack.absent[0]).tolist() == [GONE] and not pack.absent[1:].any()


@pytest.mark.parametrize(("images", "held"), [(1, 0), (2, 1)])
def test_the_hold_out_of_few_images(tmp_path: Path, images: int, held: int) -> None:
    document = accepted_document(tmp_path, images)
    assert snapshot(document, tmp_path / "labels.npz").held_out == held
    document.close()


def test_the_hold_out_of_ten_images_follows_the_pictures(tmp_path: Path) -> None:
    document = accepted_document(tmp_path, 10)
    for image in document.images():
        put(document, image.id, 50 + image.id)
    pack = load_pack(snapshot(document, tmp_path / "labels.npz").path)
    assert len(pack) == 20
    held = {id for id, out in zip(pack.ids, pack.holdout, strict=True) if out}
    learnt = {id for id, out in zip(pack.ids, pack.holdout, strict=True) if not out}
    assert held and learnt and not held & learnt  # all of a picture is on one side
    everything = load_pack(snapshot(document, tmp_path / "most.npz", every=1).path)
    assert 0 < everything.holdout.sum() < 20
    document.close()


def test_a_missing_picture_is_left_out_and_named(document: Document, tmp_path: Path) -> None:
    Path(document.images()[0].path).unlink()
    frozen = snapshot(document, tmp_path / "labels.npz")
    assert frozen.count == len(load_pack(frozen.path)) == 1
    assert len(frozen.skipped) == 1 and "image 1.png" in frozen.skipped[0]
    Path(document.images()[2].path).write_bytes(b"no picture")
    with pytest.raises(UserError):
        snapshot(document, tmp_path / "none.npz")
    assert not (tmp_path / "none.npz").exists()


def test_another_picture_of_the_name_is_left_out_and_named(document: Document, tmp_path: Path) -> None:
    first, second = (Path(document.images()[n].path) for n in (0, 1))
    first.write_bytes(second.read_bytes())
    frozen = snapshot(document, tmp_path / "labels.npz")
    assert frozen.count == len(load_pack(frozen.path)) == 1
    assert frozen.skipped == ("image 1.png: it is another picture than the one that was labelled",)


def test_the_same_labels_give_the_same_bytes(document: Document, tmp_path: Path) -> None:
    one, two = (snapshot(document, tmp_path / name).path.read_bytes() for name in ("one.npz", "two.npz"))
    assert one == two


def test_nothing_accepted_is_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path, 2)
    put(document, document.images()[0].id)
    with pytest.raises(UserError, match="accept some images"):
        snapshot(document, tmp_path / "labels.npz")
    document.close()
