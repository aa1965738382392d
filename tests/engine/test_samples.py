"""The sample material: free pictures, their landmarks, and what is made from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.images import load_image
from engine.opencv import cv2
from engine.samples import (
    sample_clip,
    sample_frames,
    sample_landmarks,
    sample_people,
    sample_pictures,
    write_sample_folder,
)
from engine.schema import load_schema

FOLDER = Path(__file__).parents[2] / "resources" / "samples"


def test_pictures() -> None:
    pictures = dict(sample_pictures())
    assert [p.shape for p in pictures.values()] == [(512, 512, 3)] * 2
    assert np.abs(np.diff(pictures["cameraman"].astype(int), axis=2)).max() == 0
    assert pictures["astronaut"][300, 60, 0] != pictures["astronaut"][300, 60, 2]


def test_files_are_small_and_their_origin_is_stated() -> None:
    said = (FOLDER / "README.md").read_text("utf-8")
    for file in FOLDER.iterdir():
        assert file.stat().st_size <= 200_000
        assert file.name in said or file.name == "README.md"
    assert "public domain" in said and "CC0" in said


def test_landmarks_lie_on_a_face() -> None:
    """About the shape of the schema's mean face, once moved and scaled onto it."""
    points, mean = sample_landmarks(), np.array(load_schema("ibug68").mean)
    assert points.shape == (68, 2)
    centred, mean = points - points.mean(0), mean - mean.mean(0)
    # Least-squares similarity in complex numbers: p = a m.
    p, m = (v @ [1, 1j] for v in (centred, mean))
    a = (np.conj(m) @ p) / (np.conj(m) @ m)
    assert abs(np.angle(a)) < np.deg2rad(8)
    size = np.ptp(points, 0).max()
    assert np.abs(p - a * m).mean() < 0.06 * size and np.abs(p - a * m).max() < 0.16 * size


def test_people_are_the_same_every_time() -> None:
    one, other = sample_people(3), sample_people(3)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)
        np.testing.assert_array_equal(a.landmarks, b.landmarks)
    assert len({s.pixels.tobytes() for s in one}) == 3


def test_landmarks_move_with_the_pictures() -> None:
    """The pupils, between their eyes' landmarks, are darker than the cheeks in every picture and frame."""
    shown = [(s.pixels, s.landmarks) for s in sample_people()] + list(sample_frames(90))[::15]
    for pixels, points in shown:
        for eye, corner, mouth in ((slice(36, 42), 36, 48), (slice(42, 48), 45, 54)):
            pupil, cheek = points[eye].mean(0), (points[corner] + points[mouth]) / 2
            values = [pixels[round(y), round(x)].mean() for x, y in (pupil, cheek)]
            assert values[0] < 0.8 * values[1]
        assert points.min() > 0 and (points < [pixels.shape[1], pixels.shape[0]]).all()


def test_mirrored_people_keep_left_and_right() -> None:
    """Right eye on the picture's left, in mirrored ones too."""
    for sample in sample_people(6):
        assert sample.landmarks[36, 0] < sample.landmarks[45, 0]
        assert sample.landmarks[0, 0] < sample.landmarks[16, 0]


def test_folder(tmp_path: Path) -> None:
    paths = write_sample_folder(tmp_path / "new" / "samples", 4)
    assert [p.name for p in paths] == [f"sample-0{n}.jpg" for n in range(1, 5)]
    assert sorted(p for p in (tmp_path / "new" / "samples").iterdir()) == paths
    people = sample_people(4)
    for path, sample in zip(paths, people, strict=True):
        assert np.abs(load_image(path).astype(int) - sample.pixels).mean() < 4


def test_clip(tmp_path: Path) -> None:
    path = sample_clip(tmp_path / "clip.mp4", 12)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    capture.release()
    expected = [pixels for pixels, _ in sample_frames(12)]
    assert len(frames) == 12
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(frames, expected, strict=True)) < 8
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 3


def test_clip_that_cannot_be_written(tmp_path: Path) -> None:
    from engine.errors import UserError

    with pytest.raises(UserError, match="clip.mp4"):
        sample_clip(tmp_path / "missing" / "clip.mp4", 2)
