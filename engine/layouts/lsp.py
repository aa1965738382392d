"""LSP and LSP-extended: two files of one name, with other axes and the opposite flag."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.label_files import FormatError
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Problems
from engine.layouts.matlab import array, load_mat, variables
from engine.layouts.pictures import Gallery, around
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows

COUNT, AXES = 14, 3
TRAIN = 1000  # pictures of LSP before its test part, which is as large
JOINTS = "joints"


def read_lsp(path: Path, options: Options) -> LabelSet:
    """LSP: joints (3, 14, N): x, y and 1 where **occluded**; every landmark has a place.

    Pictures im0001.jpg and on; the first 1000 are for training, the rest for test. Offset 0 (the base is not
    stated; a setting). Read by this name, any order of axes is taken. Raises FormatError.
    """
    joints = _joints(path, (1, 0))
    seen = np.where(joints[..., 2] == 1, OCCLUDED, VISIBLE)
    return _set(path, options, joints, seen, 4, TRAIN)


def read_extended(path: Path, options: Options) -> LabelSet:
    """LSP-extended: joints (14, 3, N): x, y and 1 where **given**; places of the others are junk.

    Pictures im00001.jpg and on, all for training. Offset 0. Raises FormatError.
    """
    joints = _joints(path, (0, 1))
    seen = np.where(joints[..., 2] == 1, VISIBLE, ABSENT)
    return _set(path, options, joints, seen, 5, len(joints))


def _joints(path: Path, usual: tuple[int, int]) -> np.ndarray:
    """(N, 14, 3) float64 from any order of axes; `usual`: where landmarks and values lie in this data set."""
    found = array(path, load_mat(path, JOINTS)[JOINTS], JOINTS)
    if found.ndim == 2:  # MATLAB drops a last axis of one picture
        found = found[..., None]
    if found.ndim == 3:
        orders = [(*usual, 2), (*usual[::-1], 2), (1, 2, 0), (2, 1, 0), (0, 2, 1), (2, 0, 1)]
        for landmarks, values, pictures in orders:
            if (found.shape[landmarks], found.shape[values]) == (COUNT, AXES):
                return found.transpose(pictures, landmarks, values)
    raise FormatError(f"joints in {path.name} must hold 14 landmarks of 3 values a picture, not {found.shape}.")


def _set(path: Path, options: Options, joints: np.ndarray, seen: np.ndarray, digits: int, train: int) -> LabelSet:
    problems, add = Problems(), offset(options, 0.0)
    flags = joints[..., 2]
    if not np.isin(flags, (0, 1)).all():
        raise FormatError(f"The third values of joints in {path.name} are flags, 0 or 1; choose the original file.")
    share = float(flags.mean()) if flags.size else 0.0
    if len(joints) >= 100 and (share > 0.5) != (digits == 5):
        other = "lsp" if digits == 5 else "lsp-extended"
        problems.add(path.name, f"{share:.0%} of the flags are 1, as in the other data set; is it {other}?")
    gallery, rows = Gallery(around(path, options, problems), problems), Rows(skeleton("lsp14"))
    for n, (places, known) in enumerate(zip(joints, seen, strict=True)):
        name = f"im{n + 1:0{digits}d}.jpg"
        rows.add(gallery.number(name, "train" if n < train else "test"), places[:, :2] + add, known)
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "LSP"})


def _shape(path: Path) -> tuple[int, ...]:
    return variables(path).get(JOINTS, ()) if path.suffix.lower() == ".mat" else ()


def _claims_lsp(path: Path, head: bytes) -> bool:
    return _shape(path)[:2] == (AXES, COUNT) or _unclear(path)


def _claims_extended(path: Path, head: bytes) -> bool:
    return _shape(path)[:2] == (COUNT, AXES) or _unclear(path)


def _unclear(path: Path) -> bool:
    """Whether the axes are in an order of neither data set, so that both are possible."""
    shape = _shape(path)
    return len(shape) == 3 and {shape[0], shape[1]} != {COUNT, AXES} and {COUNT, AXES} <= set(shape)


def _file(digits: int) -> object:
    """The joints.mat of a folder, for the data set whose axes fit."""
    axes = (AXES, COUNT) if digits == 4 else (COUNT, AXES)

    def files(folder: Path) -> list[Path]:
        path = folder / "joints.mat"
        return [path] if path.is_file() and _shape(path)[:2] == axes else []

    return files


LSP = Layout("lsp", "LSP (joints.mat)", _claims_lsp, read_lsp, _file(4))
EXTENDED = Layout("lsp-extended", "LSP-extended (joints.mat)", _claims_extended, read_extended, _file(5))
