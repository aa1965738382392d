"""Examples: pictures on demand, packs larger than what is held, the hold-out, and batches made ahead."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine import packs  # noqa: E402
from engine.packs import PackError, load_pack  # noqa: E402
from engine.train.augment import training_batch  # noqa: E402
from engine.train.datasets import load_examples  # noqa: E402
from engine.train.distributed import Group  # noqa: E402
from engine.train.loading import Loader  # noqa: E402
from engine.train.pictures import Pictures  # noqa: E402
from tests.engine.blobs import schema_of  # noqa: E402
from tests.engine.packfile import blob_points, write_coco, write_pack  # noqa: E402
from tests.engine.train.toys import RECIPE, SCHEMA, spots  # noqa: E402


def test_pictures_are_decoded_when_asked_for_and_kept_within_a_limit() -> None:
    asked: list[int] = []

    def read(number: int) -> np.ndarray:
        asked.append(number)
        return np.full((10, 10, 3), number, np.uint8)

    pictures = Pictures([(read, n) for n in range(5)], kept=650)
    assert not asked and len(pictures) == 5
    assert [int(p[0, 0, 0]) for p in pictures] == list(range(5)) == asked
    assert [int(p[0, 0, 0]) for p in pictures] == list(range(5))
    assert asked[5:] == [2, 3, 4]  # two of 300 bytes fit
    assert int(pictures.subset(np.array([3, 1]))[0][0, 0, 0]) == 3


def test_the_pictures_of_a_large_pack_stay_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = np.random.default_rng(0).integers(0, 256, 30 << 20, np.uint8)
    path = write_pack(tmp_path / "small.npz", blob_points(6))
    with np.load(path) as data:
        whole = dict(data)
    big = tmp_path / "big.npz"
    np.savez(big, **whole | {"blob": np.concatenate([whole["blob"], filler])})
    np.savez_compressed(tmp_path / "dense.npz", **whole | {"blob": np.concatenate([whole["blob"], filler])})
    del filler
    monkeypatch.setattr(packs, "MAPPED", 1 << 20)
    tracemalloc.start()
    training, _ = load_examples([big], 0.5, 20)
    batch = training_batch(training, RECIPE, SCHEMA.permutation, 0, 0)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 10 << 20
    expected = training_batch(load_examples([path], 0.5, 20)[0], RECIPE, SCHEMA.permutation, 0, 0)
    assert np.array_equal(batch.images, expected.images)
    assert np.array_equal(load_pack(tmp_path / "dense.npz").image(3), load_pack(big).image(3))
    monkeypatch.setattr(packs, "MAX_BYTES", 1 << 20)  # a mapped pack may be larger than what may be held
    load_pack(big)
    with pytest.raises(PackError, match="uncompressed"):
        load_pack(tmp_path / "dense.npz")


def test_a_large_pack_that_is_cut_or_odd_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "MAPPED", 1)
    path = write_pack(tmp_path / "p.npz", blob_points(3))
    whole = path.read_bytes()
    place = whole.index(b"\x93NUMPY")
    for damaged in (whole[: len(whole) // 2], whole[:place] + b"\x93NUMPX" + whole[place + 6 :], b"PX" + whole[2:]):
        path.write_bytes(damaged)
        with pytest.raises(PackError, match="p.npz"):
            load_pack(path)


def test_files_of_other_landmarks_are_not_mixed(tmp_path: Path) -> None:
    three = write_pack(tmp_path / "3.npz", blob_points(4))
    two = write_pack(tmp_path / "2.npz", blob_points(4)[:, :2], pictures=blob_points(4))
    with pytest.raises(PackError, match="2 and 3 landmarks"):
        load_examples([three, two], 0.5, 20)


def test_a_limit_takes_the_first_of_a_file(tmp_path: Path) -> None:
    points = blob_points(9)
    path = write_pack(tmp_path / "p.npz", points, holdout=np.zeros(9, bool))
    training, _ = load_examples([path], 0.5, 20, limit=4)
    assert np.array_equal(training.points, points[:4])


def test_label_files_with_pictures_in_a_folder_are_examples_too(tmp_path: Path) -> None:
    schema, points = schema_of(3), blob_points(30)
    path = write_coco(tmp_path / "coco", points, list(schema.landmarks), np.full((30, 3), 2))
    training, held = load_examples([path], 0.5, 5, schema=schema)
    assert len(training) + len(held) == 30 and 0 < len(held) < 15
    again = load_examples([path], 0.5, 5, schema=schema)[1]
    assert np.array_equal(held.points, again.points)
    assert training.images[0].shape == (80, 96, 3)
    np.testing.assert_allclose(training.points[0], points[[np.allclose(p, training.points[0]) for p in points]][0])


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_made_ahead_are_the_same(workers: int) -> None:
    examples = spots(6)
    one, several = (Loader(examples, RECIPE, SCHEMA.permutation, 4, Group(), n) for n in (0, workers))
    for step in (0, 1, 2, 3, 9, 2):  # in order, ahead, and back
        for mine, other in zip(one.batch(step), several.batch(step), strict=True):
            assert torch.equal(mine, other)
    several.close()
    assert torch.equal(one.batch(5)[0], several.batch(5)[0])  # and after a rest
    several.close()


def test_processes_share_a_batch_without_gap_or_overlap() -> None:
    examples, recipe = spots(6), RECIPE
    whole = training_batch(examples, recipe, SCHEMA.permutation, 1, 7)
    parts = [training_batch(examples, recipe, SCHEMA.permutation, 1, 7, (rank, 2)) for rank in (0, 1)]
    for name in ("images", "targets", "weight"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]))


def test_a_picture_that_does_not_decode_is_named(tmp_path: Path) -> None:
    path = write_pack(tmp_path / "p.npz", blob_points(2), blob=np.zeros(2, np.uint8), offsets=np.array([0, 1, 2]))
    training, _ = load_examples([path], 0.5, 10**6)
    loader = Loader(training, RECIPE, SCHEMA.permutation, 0, Group(), 1)
    with pytest.raises(PackError, match="p.npz"):
        loader.batch(0)
    loader.close()
