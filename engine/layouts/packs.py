"""Packs and snapshots of our own as labels; their pictures stay inside the file."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.images import load_image
from engine.label_files import FormatError
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Skeleton, table
from engine.layouts.values import Layout, Options, skeleton
from engine.packs import Pack, PackError, load_pack
from engine.rows import numbered
from engine.schema import SchemaError, load_schema, schema_from_json, schema_names

INDEX = "pack_index"  # attribute of a picture that lies inside a pack: its number there


def read_pack(path: Path, options: Options) -> LabelSet:
    """A pack or a project's snapshot; coordinates are ours already.

    weight 1 is visible, 0.5 occluded, 0 or outside the picture absent; extras outside (N, K): known to be outside;
    hand is False for a teacher's labels; what a pack holds out is its validation split. Raises PackError.
    """
    if path.suffix.lower() != ".npz":
        raise FormatError(f"{path.name} is no pack; packs end in .npz.")
    pack = load_pack(path)
    weight = np.where(pack.absent, 0, pack.weight)
    seen = np.select([weight > 0.5, weight > 0], [VISIBLE, OCCLUDED], ABSENT)
    half = pack.box[:, 2:] / 2.0
    names = [f"{s}/{i}" if s and i else i or str(n) for n, (s, i) in enumerate(zip(pack.source, pack.ids, strict=True))]
    pictures = tuple(
        Picture(name, path, None, "validation" if pack.holdout[n] else "train" if pack.has_holdout else "", True,
                {INDEX: n, "source": pack.source[n]})
        for n, name in enumerate(names)
    )  # fmt: skip
    made = table(
        _skeleton(path, pack), np.arange(len(pack)), np.where((seen > ABSENT)[..., None], pack.points, 0), seen,
        box=np.concatenate([pack.box[:, :2] - half, pack.box[:, :2] + half], 1), subject=pack.ids,
        hand=pack.hand, extras={"outside": pack.absent},
    )  # fmt: skip
    return LabelSet(pictures, (made,), (), {"format": "pack"})


def pixels(picture: Picture) -> np.ndarray:
    """A picture of any label set, (H, W, 3) uint8 RGB; raises FormatError where it is missing, else ImageError."""
    if picture.path is None:
        raise FormatError(f"The picture {picture.name} was not found; put it where the labels say.")
    if INDEX in picture.attributes:
        return _opened(picture.path).image(picture.attributes[INDEX])
    return load_image(picture.path)


@lru_cache(maxsize=4)
def _opened(path: Path) -> Pack:
    return load_pack(path)


def _skeleton(path: Path, pack: Pack) -> Skeleton:
    """The schema inside a snapshot; else the one that ships with as many landmarks, the packs' own first."""
    count = pack.points.shape[1]
    try:
        with np.load(path, allow_pickle=False) as data:
            if "schema" in data:
                own = schema_from_json(json.loads(np.asarray(data["schema"], np.uint8).tobytes()))
                return Skeleton(own.name, own.landmarks, own.edges, own.flip)
    except (SchemaError, ValueError, TypeError, RecursionError) as error:
        raise PackError(f"The schema inside {path.name} cannot be read ({error}); write it again.") from error
    fitting = sorted((n for n in schema_names() if len(load_schema(n)) == count), key=lambda n: n not in _USUAL)
    return skeleton(fitting[0]) if fitting else numbered(count)


_USUAL = ("ibug68", "mpii16")


def _claims(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".npz"


PACK = Layout("pack", "Pack or snapshot (.npz)", _claims, read_pack)
