"""Scene packs for training the detector: whole photographs with boxes of faces and people."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.images import decode
from engine.packs import PackError

CLASSES = ("face", "person")
# How often a picture of a source is drawn beside one of the others: small sources hold what the large ones lack.
SHARES = {"coco": 6.0, "inria": 2.0, "helen": 1.5}


@dataclass(frozen=True)
class Scenes:
    """N photographs with at most M squares each.

    images: N arrays (H, W, 3) uint8 RGB; squares (N, M, 3) float32: centre x, centre y, side in picture pixels;
    kind (N, M) int64: class of the square, + 2 where it is to be ignored, -1 where there is none;
    known (N, 2) bool: whether faces, people are labelled at all; share (N,) float64; ids: N strings.
    """

    images: tuple[np.ndarray, ...]
    squares: np.ndarray
    kind: np.ndarray
    known: np.ndarray
    share: np.ndarray
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, index: np.ndarray) -> Scenes:
        """The scenes at `index`, in that order."""
        return Scenes(
            tuple(self.images[i] for i in index), self.squares[index], self.kind[index], self.known[index],
            self.share[index], tuple(self.ids[i] for i in index),
        )  # fmt: skip


def square(boxes: np.ndarray) -> np.ndarray:
    """Boxes (M, 4) x0, y0, x1, y1 as squares of the longer side around the same centre, (M, 3)."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([centre, (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)], 1).astype(np.float32)


def load_scenes(paths: Sequence[str | Path], every: int) -> tuple[Scenes, Scenes]:
    """Read scene packs into training scenes and a fixed hold-out of one in `every`; raises PackError."""
    rows, held = [], []
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as data:
                found = _read(data)
        except (KeyError, ValueError) as error:
            raise PackError(f"{Path(path).name} is not a scene pack ({error}); give one with boxes.") from error
        rows.extend(found)
        held.extend(zlib.crc32(row[-1].encode()) % every == 0 for row in found)
    most = max(len(row[1]) for row in rows)
    squares, kind = np.zeros((len(rows), most, 3), np.float32), np.full((len(rows), most), -1, np.int64)
    for i, row in enumerate(rows):
        squares[i, : len(row[1])], kind[i, : len(row[1])] = row[1], row[2]
    everything = Scenes(
        tuple(row[0] for row in rows), squares, kind, np.array([row[3] for row in rows]),
        np.array([row[4] for row in rows]), tuple(row[-1] for row in rows),
    )  # fmt: skip
    mask = np.array(held)
    return everything.subset(np.flatnonzero(~mask)), everything.subset(np.flatnonzero(mask))


def _read(data: np.lib.npyio.NpzFile) -> list[tuple]:
    """One (image, squares, kind, known, share, id) a picture."""
    blob, offsets = data["blob"], data["offsets"]
    parts = {name: (data[f"{name}_boxes"], data[f"{name}_offsets"]) for name in (*CLASSES, "ignore")}
    ignored, known = data["ignore_class"], np.stack([data["face_known"], data["person_known"]], 1)
    found = []
    for i in range(len(offsets) - 1):
        squares, kinds = [], []
        for number, name in enumerate((*CLASSES, "ignore")):
            boxes, ends = parts[name]
            rows = slice(ends[i], ends[i + 1])
            squares.append(square(boxes[rows]))
            kinds.append(ignored[rows] + 2 if name == "ignore" else np.full(len(boxes[rows]), number))
        source, name = (str(np.char.decode(data[key][i], "utf-8")) for key in ("source", "id"))
        share = next((value for key, value in SHARES.items() if source.startswith(key)), 1.0)
        picture = decode(blob[offsets[i] : offsets[i + 1]].tobytes(), f"Picture {i}")
        found.append((picture, np.concatenate(squares), np.concatenate(kinds), known[i], share, f"{source}/{name}"))
    return found
