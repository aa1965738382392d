"""Packs and COCO files for tests, made of blob pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.images import encode_png
from tests.engine.blobs import blob_picture

SIZE = 96, 80


def blob_points(count: int, seed: int = 0) -> np.ndarray:
    """(count, 3, 2) float32 places of three spots, well inside a 96 x 80 picture."""
    rng = np.random.default_rng(seed)
    return (rng.uniform((34, 28), (62, 52), (count, 3, 2)) + [[[-18, -9], [0, 9], [18, -9]]]).astype(np.float32)


def blob_boxes(points: np.ndarray) -> np.ndarray:
    """(N, 3) float32 squares around the points."""
    low, high = points.min(1), points.max(1)
    return np.column_stack([(low + high) / 2, (high - low).max(1)]).astype(np.float32)


def write_pack(path: Path, points: np.ndarray, pictures: np.ndarray | None = None, **more: Any) -> Path:
    """A pack of blob pictures: the spots lie at `pictures` (N, 3, 2), else at the points themselves."""
    files = [encode_png(blob_picture(p, *SIZE, 2.5)) for p in (points if pictures is None else pictures)]
    fields = {
        "blob": np.frombuffer(b"".join(files), np.uint8), "offsets": np.cumsum([0, *map(len, files)]),
        "landmarks": points, "box": blob_boxes(points),
    }  # fmt: skip
    np.savez(path, **fields | more)
    return path


def write_coco(folder: Path, points: np.ndarray, names: list[str], visibility: np.ndarray) -> Path:
    """A COCO keypoints file with its pictures in `images` beside it."""
    (folder / "images").mkdir(parents=True)
    annotations = []
    for n, places in enumerate(points):
        (folder / "images" / f"{n}.png").write_bytes(encode_png(blob_picture(places[:3], *SIZE, 2.5)))
        values = np.column_stack([places, visibility[n]]).astype(float).ravel().tolist()
        annotations.append({"id": n + 1, "image_id": n + 1, "category_id": 1, "keypoints": values})
    data = {
        "images": [{"id": n + 1, "file_name": f"{n}.png"} for n in range(len(points))],
        "categories": [{"id": 1, "name": "thing", "keypoints": names}], "annotations": annotations,
    }  # fmt: skip
    path = folder / "labels.json"
    path.write_text(json.dumps(data))
    return path
