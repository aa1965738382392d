"""Sample material that ships: two free pictures, and what is made from them by moving, turning and scaling."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from engine import crop
from engine.errors import UserError
from engine.images import decode, encode_jpeg
from engine.opencv import cv2
from engine.schema import load_schema

PORTRAIT, SCENE = "astronaut", "cameraman"
COUNT = 24  # still pictures of a sample project
STILL_SIDE = 448  # pixels
CLIP_SIZE = 640, 480
CLIP_FRAMES, CLIP_RATE = 90, 30.0


@dataclass(frozen=True)
class Sample:
    """A still picture (H, W, 3) uint8 RGB and its face's true landmarks (68, 2), picture pixels."""

    name: str
    pixels: np.ndarray
    landmarks: np.ndarray


def sample_pictures() -> list[tuple[str, np.ndarray]]:
    """Name and pixels (H, W, 3) uint8 RGB of the pictures that ship."""
    return [(name, _picture(name)) for name in (PORTRAIT, SCENE)]


def sample_landmarks() -> np.ndarray:
    """(68, 2) float64: the portrait's landmarks in iBUG order, placed by eye, good to about 2 pixels."""
    data = json.loads((resources.files("resources") / "samples" / f"{PORTRAIT}.json").read_text("utf-8"))
    return np.array(data["landmarks"], np.float64)


def sample_people(count: int = COUNT) -> list[Sample]:
    """Pictures varied from the portrait by turning, scaling, mirroring and light; the same ones every time."""
    return [_varied(n) for n in range(count)]


def write_sample_folder(folder: str | Path, count: int = COUNT) -> list[Path]:
    """Write the varied pictures as JPEG into a folder, made where needed; returns their paths in order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for sample in sample_people(count):
        path = folder / f"{sample.name}.jpg"
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(encode_jpeg(sample.pixels))
        os.replace(part, path)
        paths.append(path)
    return paths


def sample_frames(count: int = CLIP_FRAMES) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of the clip: pixels (480, 640, 3) uint8 RGB and the face's landmarks (68, 2) in frame pixels."""
    portrait, landmarks = _picture(PORTRAIT), sample_landmarks()
    back = cv2.GaussianBlur(_picture(SCENE), (0, 0), 3)
    cover = np.full(portrait.shape[:2], 255, np.uint8)
    width, height = CLIP_SIZE
    for n in range(count):
        turn = 2 * np.pi * n / CLIP_FRAMES
        sway = np.array([70 * np.sin(turn), 25 * np.sin(2 * turn)])
        affine = _placed(landmarks.mean(0), (width / 2, height * 0.42) + sway, 1.25 + 0.3 * np.sin(turn + 1),
                         12 * np.sin(1.5 * turn))  # fmt: skip
        wide = crop.matrix(256 - 40 * np.sin(turn), 256 - 30 * np.cos(turn), 420, width)
        wide[1, 2] -= (width - height) / 2
        frame = cv2.warpAffine(back, wide, CLIP_SIZE, borderMode=cv2.BORDER_REFLECT_101)
        moved = cv2.warpAffine(portrait, affine, CLIP_SIZE)
        share = cv2.GaussianBlur(cv2.warpAffine(cover, affine, CLIP_SIZE), (0, 0), 1)[..., None] / np.float32(255)
        yield (frame + (moved - frame.astype(np.float32)) * share).astype(np.uint8), crop.apply(affine, landmarks)


def sample_clip(path: str | Path, frames: int = CLIP_FRAMES) -> Path:
    """Write the clip as an MP4 file, whole or not at all; raises UserError where OpenCV cannot write video."""
    path = Path(path)
    part = path.with_name(f".{path.stem}.part.mp4")
    writer = cv2.VideoWriter(str(part), cv2.VideoWriter_fourcc(*"mp4v"), CLIP_RATE, CLIP_SIZE)
    try:
        if not writer.isOpened():
            raise UserError(f"{path.name} cannot be written; check the folder, or that OpenCV can write MP4.")
        for pixels, _ in sample_frames(frames):
            writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        writer.release()
        os.replace(part, path)
    finally:
        writer.release()
        part.unlink(missing_ok=True)
    return path


def _picture(name: str) -> np.ndarray:
    return decode((resources.files("resources") / "samples" / f"{name}.jpg").read_bytes(), f"{name}.jpg")


def _placed(source: np.ndarray, target: np.ndarray, scale: float, angle: float) -> np.ndarray:
    """(2, 3) affine that turns by `angle` degrees, scales, and brings `source` to `target`."""
    turn = np.deg2rad(angle)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.concatenate([linear, (target - linear @ source)[:, None]], 1)


def _varied(number: int) -> Sample:
    rng = np.random.default_rng([2017, number])
    landmarks, schema = sample_landmarks(), load_schema("ibug68")
    low, high = landmarks.min(0), landmarks.max(0)
    size = float((high - low).max())
    flip = number % 2 == 1
    centre = (low + high) / 2 + rng.uniform(-0.3, 0.3, 2) * size
    affine = crop.matrix(*centre, size * rng.uniform(2.0, 3.6), STILL_SIDE, rng.uniform(-15, 15), flip)
    picture = crop.sample(_picture(PORTRAIT), affine, STILL_SIDE, cv2.BORDER_REFLECT_101)
    gain = rng.uniform(0.75, 1.2) * rng.uniform(0.92, 1.08, 3)
    table = np.clip(np.arange(256)[:, None] * gain + rng.uniform(-12, 12) + 0.5, 0, 255).astype(np.uint8)
    placed = crop.apply(affine, landmarks)
    return Sample(
        f"sample-{number + 1:02d}",
        cv2.LUT(picture, np.ascontiguousarray(table).reshape(1, 256, 3)),
        placed[schema.permutation] if flip else placed,
    )
