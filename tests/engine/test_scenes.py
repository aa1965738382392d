"""Detectors on scene packs: reading, scoring by class, and what is out of the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.images import encode_png
from engine.scenes import evaluate_detector, is_scenes, load_scenes, sample_scenes
from engine.types import Box


def scene_pack(path: Path, **changes: np.ndarray) -> Path:
    """Three pictures of grey 10, 20 and 30: two faces (one human), nobody with an ignored face, one person."""
    files = [encode_png(np.full((60, 80, 3), 10 * (n + 1), np.uint8)) for n in range(3)]
    fields = {
        "blob": np.frombuffer(b"".join(files), np.uint8), "offsets": np.cumsum([0, *map(len, files)]),
        "size": np.full((3, 2), (80, 60)),
        "face_boxes": np.array([[10.0, 10, 30, 30], [40, 10, 60, 30]]), "face_offsets": np.array([0, 2, 2, 2]),
        "face_kind": np.array([b"human", b"teacher"]), "face_known": np.array([True, True, False]),
        "person_boxes": np.array([[20.0, 10, 40, 50]]), "person_offsets": np.array([0, 0, 0, 1]),
        "person_kind": np.array([b"human"]), "person_known": np.array([False, True, True]),
        "ignore_boxes": np.array([[0.0, 0, 20, 20], [0, 0, 80, 60]]), "ignore_offsets": np.array([0, 0, 2, 2]),
        "ignore_class": np.array([0, 1]),
    }  # fmt: skip
    np.savez(path, **fields | changes)
    return path


class Told:
    """A detector that says what a table tells of each picture, known by its grey."""

    def __init__(self, name: str, said: dict[int, list[Box]]) -> None:
        self.name, self.said, self.threshold = name, said, 0.4

    def detect(self, picture: np.ndarray) -> list[Box]:
        return self.said.get(int(picture[0, 0, 0]), [])


def square(x0: float, y0: float, side: float, origin: str = "face") -> Box:
    return Box(x0 + side / 2, y0 + side / 2, side, 0.9, origin)


def test_faces(tmp_path: Path) -> None:
    """One of two found twice; a false alarm in the empty picture, not in the ignored corner, none where unknown."""
    said = {
        10: [square(10, 10, 20), square(11, 11, 20), square(60, 40, 20)],
        20: [square(2, 2, 14), square(50, 20, 20)], 30: [square(0, 0, 20)],
    }  # fmt: skip
    value = evaluate_detector(Told("face", said), ["face"], load_scenes(scene_pack(tmp_path / "s.npz")))
    face = value["face"]
    assert value["person"] is None and value["ms"] >= 0 and value["pictures"] == 3
    assert (face["recall"], face["recall_is"], face["n"]) == (100, "human", 1)
    assert (face["recall_all"], face["n_all"], face["doubles"]) == (50, 2, 1)
    assert (face["false_alarms"], face["pictures"], face["false_alarms_per_picture"]) == (2, 2, 1)
    assert face["mean_iou"] == 1 and face["threshold"] == 0.4


def test_people_are_compared_as_squares(tmp_path: Path) -> None:
    """The labelled box is 20 x 40; a square of 40 around the same centre is it. Boxes by landmarks are widened."""
    pack = load_scenes(scene_pack(tmp_path / "s.npz"))
    hit = Box(30, 30, 40 / 1.1, 0.9, "person")
    value = evaluate_detector(Told("person", {30: [hit]}), ["person"], pack)["person"]
    assert value["recall"] == 100 and value["mean_iou"] == pytest.approx(1) and value["false_alarms"] == 0
    nothing = evaluate_detector(Told("person", {}), ["person"], pack)["person"]
    assert (nothing["recall"], nothing["mean_iou"], nothing["n"]) == (0, None, 1)


def test_a_detector_of_both(tmp_path: Path) -> None:
    said = {10: [square(10, 10, 20)], 30: [square(10, 10, 40, "body"), square(0, 0, 9, "face")]}
    detector = Told("detect", said)
    value = evaluate_detector(detector, ("face", "person"), load_scenes(scene_pack(tmp_path / "s.npz")))
    assert value["face"]["recall"] == 100 and value["face"]["false_alarms"] == 0
    assert value["person"]["recall"] == 0  # "body" is no class of a scene pack
    said[30][0] = square(10, 10, 40, "person")
    value = evaluate_detector(detector, ("face", "person"), load_scenes(scene_pack(tmp_path / "s.npz")))
    assert value["person"]["recall"] == 100 and value["person"]["mean_iou"] == 1


def test_no_human_boxes_give_the_recall_of_all(tmp_path: Path) -> None:
    pack = load_scenes(scene_pack(tmp_path / "s.npz", face_kind=np.array([b"teacher"] * 2)))
    value = evaluate_detector(Told("face", {10: [square(10, 10, 20)]}), ["face"], pack)["face"]
    assert (value["recall"], value["recall_is"], value["n"], value["recall_human"]) == (50, "all", 2, None)


@pytest.mark.parametrize("changes", [
    {"face_offsets": np.array([0, 2, 2])}, {"face_offsets": np.array([0, 1, 3, 2])}, {"offsets": np.array([0, 9**9])},
    {"face_boxes": np.zeros((2, 3))}, {"face_boxes": np.full((2, 4), np.nan)}, {"face_known": np.ones(2, bool)},
    {"ignore_offsets": np.array([0, 0, 0, 9])}, {"offsets": np.array([0])},
])  # fmt: skip
def test_damaged_packs_are_a_sentence(tmp_path: Path, changes: dict) -> None:
    with pytest.raises(UserError, match="no scene pack.*complete"):
        load_scenes(scene_pack(tmp_path / "s.npz", **changes))


def test_what_is_a_scene_pack(tmp_path: Path) -> None:
    assert is_scenes(scene_pack(tmp_path / "s.npz"))
    (tmp_path / "x.npz").write_bytes(b"PK")
    np.savez(tmp_path / "y.npz", blob=np.zeros(1))
    assert not any(is_scenes(tmp_path / name) for name in ("x.npz", "y.npz", "missing.npz"))
    with pytest.raises(UserError, match="scene pack"):
        load_scenes(tmp_path / "x.npz")


def test_sample_scenes_hold_one_face_each() -> None:
    scenes = sample_scenes()
    assert scenes.count == 24 and set(scenes.classes) == {"face"}
    assert all(len(b) == 1 and np.ptp(b[0][2:] - b[0][:2]) < 1e-9 for b in scenes.classes["face"].boxes)
