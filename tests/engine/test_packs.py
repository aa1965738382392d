"""Packs: pictures and labels come back, a hold-out is kept, damage is refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.packs import PackError, landmark_count, load_pack
from tests.engine.blobs import blob_picture
from tests.engine.packfile import SIZE, blob_boxes, blob_points, write_pack

PACKS = Path(os.environ.get("HOURBIT_PACKS", Path(__file__).parents[3] / "shared" / "data"))
POINTS = blob_points(5)


def test_round_trip(tmp_path: Path) -> None:
    ids = np.array([b"a", b"b", "é".encode(), b"d", b"e"])
    pack = load_pack(write_pack(tmp_path / "p.npz", POINTS, id=ids, source=np.array(["s"] * 5)))
    assert len(pack) == 5 and pack.ids == ("a", "b", "é", "d", "e") and pack.source == ("s",) * 5
    np.testing.assert_array_equal(pack.points, POINTS)
    np.testing.assert_array_equal(pack.box, blob_boxes(POINTS))
    assert (pack.weight == 1).all() and not pack.absent.any() and pack.kind == ("",) * 5
    for n, picture in enumerate(pack.images()):
        np.testing.assert_array_equal(picture, blob_picture(POINTS[n], *SIZE, 2.5))


def test_holdout(tmp_path: Path) -> None:
    plain = load_pack(write_pack(tmp_path / "plain.npz", POINTS))
    assert not plain.has_holdout and plain.holdout.tolist() == [False] * 5
    kept = np.array([False, True, False, True, False])
    pack = load_pack(write_pack(tmp_path / "kept.npz", POINTS, holdout=kept))
    assert pack.has_holdout and pack.holdout.tolist() == kept.tolist()


def test_training_uses_the_packs_holdout(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from engine.train.datasets import load_examples

    kept = np.array([False, True, False, True, True])
    path = write_pack(tmp_path / "kept.npz", POINTS, holdout=kept)
    training, held = load_examples([path], 0.5, 2)
    np.testing.assert_array_equal(held.points, POINTS[kept])
    np.testing.assert_array_equal(training.points, POINTS[~kept])
    other = write_pack(tmp_path / "plain.npz", POINTS, id=np.array([b"%d" % n for n in range(5)]))
    mixed_training, mixed_held = load_examples([path, other], 0.5, 2)
    assert len(mixed_training) + len(mixed_held) == 10
    np.testing.assert_array_equal(mixed_held.points[:3], POINTS[kept])


@pytest.mark.parametrize("more", [
    {"landmarks": POINTS[..., :1]}, {"landmarks": POINTS * np.nan}, {"box": np.zeros((4, 3))},
    {"box": np.full((5, 3), np.inf)}, {"offsets": np.arange(3)}, {"offsets": np.array([0, 1, 2, 3, 4, 10**9])},
    {"offsets": np.array([0, 5, 4, 6, 7, 8])}, {"weight": np.ones((5, 4))}, {"absent": np.ones(5)},
    {"weight": np.full((5, 3), np.nan)}, {"weight": np.full((5, 3), -1)},
    {"holdout": np.zeros(4, bool)}, {"holdout": np.zeros(5, int)}, {"id": np.array(["a"])}, {"id": np.arange(5)},
])  # fmt: skip
def test_wrong_fields(tmp_path: Path, more: dict) -> None:
    with pytest.raises(PackError, match=r"\.$"):
        load_pack(write_pack(tmp_path / "p.npz", POINTS, **more))


def test_boxes_without_size_come_from_the_landmarks(tmp_path: Path) -> None:
    box, weight, points = blob_boxes(POINTS), np.ones((5, 3), np.float32), POINTS.copy()
    box[1:4, 2] = 0, 0, -3
    weight[2], weight[3, 1:] = 0, 0  # nothing labelled, and one landmark alone
    points[2, 0] = np.nan
    pack = load_pack(write_pack(tmp_path / "p.npz", points, pictures=POINTS, box=box, weight=weight))
    low, high = POINTS[1].min(0), POINTS[1].max(0)
    np.testing.assert_allclose(pack.box[1], [*(low + high) / 2, (high - low).max()])
    assert (pack.box[:, 2] > 0).all() and np.isfinite(pack.points).all()
    assert (pack.weight > 0).any(1).tolist() == [True, True, False, False, True]


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    path = write_pack(tmp_path / "p.npz", POINTS, id=np.array([{}] * 5, object))
    with pytest.raises(PackError):
        load_pack(path)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_cut_packs(tmp_path: Path, share: float) -> None:
    path = write_pack(tmp_path / "p.npz", POINTS)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(PackError, match="not a landmark pack"):
        load_pack(path)


def test_not_a_pack(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(PackError):
        load_pack(path)
    with pytest.raises(FileNotFoundError):
        load_pack(tmp_path / "none.npz")


def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size after unpacking is read from the directory, before anything is unpacked."""
    path = tmp_path / "p.npz"
    np.savez_compressed(path, blob=np.zeros(1 << 20, np.uint8))
    monkeypatch.setattr("engine.packs.MAX_BYTES", 1 << 19)
    with pytest.raises(PackError, match="4 GB"):
        load_pack(path)


def test_damaged_picture(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path / "p.npz", POINTS, blob=np.zeros(10**5, np.uint8)))
    with pytest.raises(PackError, match="Picture 2 of p.npz"):
        pack.image(2)


def test_real_pack() -> None:
    path = PACKS / "face_test_afw.npz"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    pack = load_pack(path)
    assert len(pack) == 169 and pack.points.shape == (169, 68, 2) and set(pack.kind) == {"human"}
    assert pack.image(3).shape == (192, 192, 3)


def test_how_many_landmarks_is_told_by_the_headers_alone(tmp_path: Path) -> None:
    path = write_pack(tmp_path / "p.npz", POINTS)
    assert landmark_count(path) == POINTS.shape[1]
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files}
    points = arrays.pop("landmarks" if "landmarks" in arrays else "joints")
    np.savez(tmp_path / "joints.npz", **arrays, joints=points)
    np.savez(tmp_path / "flat.npz", **arrays, landmarks=points[..., 0])
    np.savez(tmp_path / "scenes.npz", **arrays, face_boxes=np.zeros((1, 4)))
    (tmp_path / "empty.npz").touch()
    assert landmark_count(tmp_path / "joints.npz") == POINTS.shape[1]
    for name, words in (("flat", "shape"), ("scenes", "scene pack"), ("empty", "empty.npz")):
        with pytest.raises(PackError, match=words):
            landmark_count(tmp_path / f"{name}.npz")
