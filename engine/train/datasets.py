"""Training examples from packs: pictures in memory, their landmarks, and a fixed hold-out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.packs import Pack, load_pack


@dataclass(frozen=True)
class Examples:
    """N labelled pictures.

    images: N arrays (H, W, 3) uint8 RGB; points (N, K, 2) float32, picture pixels; weight (N, K) float32;
    absent (N, K) bool; box (N, 3) float32: cx, cy, side; share (N,) float64: how often each is drawn;
    ids: N names of the pictures, or none.
    """

    images: tuple[np.ndarray, ...]
    points: np.ndarray
    weight: np.ndarray
    absent: np.ndarray
    box: np.ndarray
    share: np.ndarray
    ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, index: np.ndarray) -> Examples:
        """The examples at `index`, in that order."""
        return Examples(
            tuple(self.images[i] for i in index),
            *(getattr(self, name)[index] for name in ("points", "weight", "absent", "box", "share")),
            tuple(self.ids[i] for i in index) if self.ids else (),
        )


def _held_out(pack: Pack, every: int) -> np.ndarray:
    """(N,) bool: what the pack itself keeps out, else a fixed one in `every`, by source and id, so that pictures
    of one origin stay together."""
    if pack.has_holdout:
        return pack.holdout
    keys = [f"{s}/{i}" if i else f"{s}/{n}" for n, (s, i) in enumerate(zip(pack.source, pack.ids, strict=True))]
    return np.array([zlib.crc32(key.encode()) % every == 0 for key in keys])


def load_examples(paths: Sequence[str | Path], human_share: float, every: int) -> tuple[Examples, Examples]:
    """Read packs into training examples and a hold-out: a pack's own, else one in `every`.

    Human labels are drawn with the probability `human_share`, the rest evenly, where packs hold both.
    """
    packs = [load_pack(path) for path in paths]
    images = tuple(picture for pack in packs for picture in pack.images())
    human = np.array([kind != "teacher" for pack in packs for kind in pack.kind])
    share = np.full(len(human), 1.0 / len(human))
    if human.any() and not human.all():
        share = np.where(human, human_share / human.sum(), (1 - human_share) / (~human).sum())
    held = np.concatenate([_held_out(pack, every) for pack in packs])
    everything = Examples(
        images,
        *(np.concatenate([getattr(pack, name) for pack in packs]) for name in ("points", "weight", "absent", "box")),
        share,
        tuple(name for pack in packs for name in pack.ids),
    )
    return everything.subset(np.flatnonzero(~held)), everything.subset(np.flatnonzero(held))
