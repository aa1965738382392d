"""Training examples from packs and label files: their landmarks, pictures on demand, and a fixed hold-out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.labelled import is_samples, sample_subjects
from engine.layouts.subjects import Learnable, learnable
from engine.packs import PackError, load_pack
from engine.schema import Schema
from engine.train.pictures import Pictures
from engine.train.recipes import Recipe

PACK = ".npz"


@dataclass(frozen=True)
class Examples:
    """N labelled pictures.

    images: N arrays (H, W, 3) uint8 RGB, perhaps decoded only when asked for; points (N, K, 2) float32,
    picture pixels; weight (N, K) float32; absent (N, K) bool; box (N, 3) float32: cx, cy, side; share (N,)
    float64: how often each is drawn; ids: N names of the pictures, or none; flip: the landmarks' mirror pairs, where
    the data knows them.
    """

    images: Sequence[np.ndarray]
    points: np.ndarray
    weight: np.ndarray
    absent: np.ndarray
    box: np.ndarray
    share: np.ndarray
    ids: tuple[str, ...] = ()
    flip: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, index: np.ndarray) -> Examples:
        """The examples at `index`, in that order."""
        lazy = isinstance(self.images, Pictures)
        return Examples(
            self.images.subset(index) if lazy else tuple(self.images[i] for i in index),
            *(getattr(self, name)[index] for name in ("points", "weight", "absent", "box", "share")),
            tuple(self.ids[i] for i in index) if self.ids else (), self.flip,
        )

    def drawn(self, recipe: Recipe, seed: int, step: int) -> np.ndarray:
        """Which examples make the batch of a step, (batch,) int64: by share, or in passes over all of them."""
        if recipe.order == "share":
            cumulated = np.cumsum(self.share)
            drawn = np.random.default_rng([seed, step]).random(recipe.batch) * cumulated[-1]
            return np.minimum(np.searchsorted(cumulated, drawn, "right"), len(self) - 1)
        places = np.arange(step * recipe.batch, (step + 1) * recipe.batch)
        return np.array([_order(len(self), seed, place // len(self))[place % len(self)] for place in places])


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, 1, epoch]).permutation(count)


@dataclass(frozen=True)
class _File:
    """One file's examples before they are divided; human (N,) bool, held (N,) bool."""

    reader: Callable[[int], np.ndarray]
    arrays: dict[str, np.ndarray]
    human: np.ndarray
    held: np.ndarray
    ids: tuple[str, ...]
    flip: tuple[tuple[int, int], ...] = ()


def _held_out(source: Sequence[str], ids: Sequence[str], every: int) -> np.ndarray:
    """(N,) bool: a fixed one in `every`, by source and id, so that pictures of one origin stay together."""
    keys = [f"{s}/{i}" if i else f"{s}/{n}" for n, (s, i) in enumerate(zip(source, ids, strict=True))]
    return np.array([zlib.crc32(key.encode()) % every == 0 for key in keys], bool)


def _read(path: Path, schema: Schema | None, every: int, limit: int, form: str | None) -> _File:
    flip: tuple[tuple[int, int], ...] = ()
    if form in (None, "pack") and (path.suffix.lower() == PACK or schema is None):
        pack = load_pack(path)
        held = pack.holdout if pack.has_holdout else _held_out(pack.source, pack.ids, every)
        arrays = {name: getattr(pack, name) for name in ("points", "weight", "absent", "box")}
        reader, ids, human = pack.image, pack.ids, pack.hand
    else:
        learnt = _samples(schema) if is_samples(path) else learnable(path, schema, form)
        found = learnt.subjects
        ids, human = tuple(found.name(n) for n in range(len(found))), np.ones(len(found), bool)
        held = _held_out([path.stem] * len(found), learnt.groups, every) if learnt.held is None else learnt.held
        arrays = {
            "points": np.nan_to_num(found.points).astype(np.float32), "weight": found.weight.astype(np.float32),
            "absent": np.zeros(found.points.shape[:2], bool), "box": found.box.astype(np.float32),
        }  # fmt: skip
        reader, flip = found.picture, learnt.flip
    first = slice(limit or None)
    return _File(reader, {n: a[first] for n, a in arrays.items()}, human[first], held[first], tuple(ids)[first], flip)


def _samples(schema: Schema) -> Learnable:
    subjects = sample_subjects(schema)
    return Learnable(subjects, None, subjects.ids)


def load_examples(
    paths: Sequence[str | Path], human_share: float, every: int, limit: int = 0, schema: Schema | None = None,
    form: str | None = None,
) -> tuple[Examples, Examples]:
    """Read packs, and label files of `schema`, into training examples and a hold-out: a pack's own, or one in `every`.

    Human labels are drawn with the probability `human_share`, the rest evenly, where files hold both. Only
    labels are read here; pictures are decoded when they are drawn. `limit` takes the first so many of a file.
    `form` names the layout of the label files (engine.layouts), else it is seen by their look; what they keep for
    test is left out, and what they keep for validation is the hold-out.
    """
    try:
        files = [_read(Path(path), schema, every, limit, form) for path in paths]
    except OSError as error:
        raise PackError(f"{error.filename} cannot be read ({error.strerror}); check the path.") from error
    counts = {file.arrays["points"].shape[1] for file in files}
    if len(counts) > 1:
        found = " and ".join(map(str, sorted(counts)))
        raise PackError(f"The files have {found} landmarks; train on those of one kind.")
    human, held = (np.concatenate([getattr(file, name) for file in files]) for name in ("human", "held"))
    share = np.full(len(human), 1.0 / max(1, len(human)))
    if human.any() and not human.all():
        share = np.where(human, human_share / human.sum(), (1 - human_share) / (~human).sum())
    everything = Examples(
        Pictures([(file.reader, n) for file in files for n in range(len(file.human))]),
        *(np.concatenate([file.arrays[name] for file in files]) for name in ("points", "weight", "absent", "box")),
        share,
        tuple(name for file in files for name in file.ids), next((file.flip for file in files if file.flip), ()),
    )
    return everything.subset(np.flatnonzero(~held)), everything.subset(np.flatnonzero(held))
