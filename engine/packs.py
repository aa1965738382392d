"""Reader of .npz packs: encoded pictures and their landmarks in one file.

The layout serves the training packs and our own frozen snapshots alike:
`blob` (uint8, encoded pictures one after the other), `offsets` (int64, N + 1), `landmarks` or `joints`
(N, K, 2) in picture pixels, `box` (N, 3) = centre x, centre y, side (where it is not above 0, the square around the
labelled landmarks counts, and a subject whose landmarks span none is unlabelled); optional `weight` (N, K),
`absent` (N, K), `source`, `id`, `kind` (N,) bytes, `holdout` (N,) bool: kept out of training.
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from engine.errors import UserError
from engine.images import ImageError, decode

MAX_BYTES = 4 << 30  # of what is held in memory
MAPPED = 64 << 20  # bytes from which pictures stay in the file and are read from there
NEEDED = ("blob", "offsets", "box")  # arrays of a pack besides its landmarks
BLOB = "blob.npy"
UNKNOWN = -1.0  # both coordinates of a landmark that is not labelled
LOCAL_HEADER = 30  # bytes of a file's header inside a zip archive, before its name


class PackError(UserError):
    """A pack that cannot be read; the message is one sentence with a remedy."""


TEACHER = "teacher"  # the kind of labels that a model placed


@dataclass(frozen=True)
class Pack:
    """N pictures with K landmarks each.

    points (N, K, 2) float32, picture pixels; weight (N, K) float32: 1 labelled, 0.5 occluded, 0 unknown;
    absent (N, K) bool: known to be outside the picture; box (N, 3) float32: cx, cy, side;
    source, ids, kind: N strings each; holdout (N,) bool, all False where the pack names none (has_holdout).
    """

    path: Path
    blob: np.ndarray
    offsets: np.ndarray
    points: np.ndarray
    weight: np.ndarray
    absent: np.ndarray
    box: np.ndarray
    source: tuple[str, ...]
    ids: tuple[str, ...]
    kind: tuple[str, ...]
    holdout: np.ndarray
    has_holdout: bool = False

    def __len__(self) -> int:
        return len(self.points)

    @property
    def hand(self) -> np.ndarray:
        """(N,) bool: False for what a teacher, a model, labelled."""
        return np.array([kind != TEACHER for kind in self.kind], bool)

    def image(self, index: int) -> np.ndarray:
        """Picture `index`, (H, W, 3) uint8 RGB; raises PackError where it cannot be decoded."""
        data = self.blob[self.offsets[index] : self.offsets[index + 1]].tobytes()
        try:
            return decode(data, f"Picture {index} of {self.path.name}")
        except ImageError as error:
            raise PackError(str(error)) from error

    def images(self) -> Iterator[np.ndarray]:
        """All pictures in order."""
        return (self.image(i) for i in range(len(self)))


def _strings(data: np.lib.npyio.NpzFile, name: str, n: int) -> tuple[str, ...]:
    if name not in data:
        return ("",) * n
    values = data[name]
    if values.shape != (n,) or values.dtype.kind not in "SU":
        raise PackError(f"{name} does not hold one string for each of the {n} pictures; write the pack again.")
    return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist())


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, KeyError, ValueError, TypeError, EOFError,
    NotImplementedError, RuntimeError, OverflowError, MemoryError, SyntaxError,
)  # fmt: skip


def load_pack(path: str | Path) -> Pack:
    """Read a pack; raises PackError where it is damaged or not a landmark pack, OSError where absent."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            blob = _mapped_blob(path, archive)
            entries = [entry for entry in archive.infolist() if blob is None or entry.filename != BLOB]
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise PackError(f"{path.name} unpacks to more than 4 GB; split it, or write it uncompressed.")
        with np.load(path, allow_pickle=False) as data:
            return _read(path, data, blob)
    except (OSError, *_DAMAGE) as error:
        if isinstance(error, OSError) and error.filename is not None:  # absent or unreadable, not damaged
            raise
        raise PackError(f"{path.name} is not a landmark pack ({error}); check that the file is complete.") from error


def landmark_count(path: str | Path) -> int:
    """How many landmarks a pack's subjects have, by its headers alone; raises as `load_pack`."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            name = _landmarks_of(path, [name.removesuffix(".npy") for name in names])
            with archive.open(f"{name}.npy") as file:
                shape = _npy_header(file)[0]
    except (OSError, *_DAMAGE) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise PackError(f"{path.name} is not a landmark pack ({error}); check that the file is complete.") from error
    if len(shape) != 3 or shape[2] != 2:
        raise PackError(f"{name} in {path.name} must have the shape (N, K, 2), not {shape}.")
    return shape[1]


def _landmarks_of(path: Path, names: Sequence[str]) -> str:
    """The array that holds the landmarks; raises PackError where there is none, with what the file is instead."""
    found = next((name for name in ("landmarks", "joints") if name in names), None)
    if found is None:
        if "face_boxes" in names or "person_boxes" in names:
            raise PackError(f"{path.name} holds the boxes of a scene pack and no landmarks; choose a landmark pack.")
        raise PackError(f"{path.name} holds no landmarks; choose a landmark pack.")
    return found


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    return read[np.lib.format.read_magic(file)[0]](file)


def _mapped_blob(path: Path, archive: zipfile.ZipFile) -> np.ndarray | None:
    """The encoded pictures as they lie in the file, (bytes,) uint8; None where they are few or compressed."""
    entry = next((e for e in archive.infolist() if e.filename == BLOB), None)
    if entry is None or entry.compress_type != zipfile.ZIP_STORED or entry.file_size < MAPPED:
        return None
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        local = file.read(LOCAL_HEADER)
        if len(local) < LOCAL_HEADER or local[:4] != b"PK\x03\x04":
            raise PackError(f"{path.name} is not a landmark pack (its directory is wrong); write it again.")
        file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
        shape, _, dtype = _npy_header(file)
        if dtype != np.uint8 or len(shape) != 1 or file.tell() + shape[0] > path.stat().st_size:
            raise PackError(f"{path.name} is not a landmark pack (its pictures are cut off); write it again.")
        return np.memmap(path, np.uint8, "r", file.tell(), shape)


def _sized(box: np.ndarray, points: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 3) that all have a size, and of which subjects it is known, (N,) bool.

    A box without one becomes the square around the known landmarks (N, K); where these span none either, nobody can
    say which part of the picture is meant.
    """
    lacking = np.flatnonzero(box[:, 2] <= 0)
    box, spanned = box.copy(), np.ones(len(box), bool)
    for i in lacking:
        held = points[i][known[i]]
        side = float(np.ptp(held, 0).max()) if len(held) else 0.0
        if side > 0:
            box[i] = *(held.min(0) + held.max(0)) / 2, side
        else:
            box[i, 2], spanned[i] = 1, False
    return box, spanned


def _read(path: Path, data: np.lib.npyio.NpzFile, blob: np.ndarray | None) -> Pack:
    name = _landmarks_of(path, data.files)
    lacking = [part for part in NEEDED if part not in data]
    if lacking:
        raise PackError(f"{path.name} lacks {', '.join(lacking)} of a landmark pack; choose another file.")
    points = np.asarray(data[name], np.float32)
    if points.ndim != 3 or points.shape[2] != 2:
        raise PackError(f"{name} in {path.name} must have the shape (N, K, 2), not {points.shape}.")
    n, k = points.shape[:2]
    offsets, box = data["offsets"].astype(np.int64), np.asarray(data["box"], np.float32)
    blob = data["blob"] if blob is None else blob
    if offsets.shape != (n + 1,) or (np.diff(offsets) < 0).any() or offsets[0] < 0 or offsets[-1] > len(blob):
        raise PackError(f"The picture offsets in {path.name} do not fit its {n} pictures; write the pack again.")
    weight = np.asarray(data["weight"], np.float32) if "weight" in data else np.ones((n, k), np.float32)
    absent = np.asarray(data["absent"], bool) if "absent" in data else np.zeros((n, k), bool)
    if weight.shape != (n, k) or absent.shape != (n, k):
        raise PackError(f"weight and absent in {path.name} must have the shape ({n}, {k}).")
    if not (weight >= 0).all() or not np.isfinite(weight).all():
        raise PackError(f"weight in {path.name} must hold numbers of 0 or more; write the pack again.")
    points = np.where((weight == 0)[..., None] & ~np.isfinite(points), np.float32(UNKNOWN), points)
    if box.shape != (n, 3) or not np.isfinite(box).all() or not np.isfinite(points).all():
        raise PackError(f"Boxes or landmarks in {path.name} are missing or not finite; write the pack again.")
    box, spanned = _sized(box, points, (weight > 0) & ~absent)
    weight = weight * spanned[:, None]
    has_holdout = "holdout" in data
    holdout = np.asarray(data["holdout"]) if has_holdout else np.zeros(n, bool)
    if holdout.shape != (n,) or holdout.dtype != bool:
        raise PackError(f"holdout in {path.name} must hold true or false for each of the {n} pictures.")
    return Pack(
        path=path, blob=blob, offsets=offsets, points=points, weight=weight, absent=absent, box=box,
        source=_strings(data, "source", n), ids=_strings(data, "id", n), kind=_strings(data, "kind", n),
        holdout=holdout, has_holdout=has_holdout,
    )  # fmt: skip
