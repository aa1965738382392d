"""Mutated files of every layout: read with a listed remainder, or refused in one sentence; nothing else."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.layouts import LAYOUTS, aflw, read, sniff
from tests.engine.layouts import writers
from tests.engine.layouts.test_aflw import FACES, full, pifa
from tests.engine.layouts.test_coco_and_packs import coco, pack, person
from tests.engine.layouts.test_faces import FACE, WFLW, wflw_line
from tests.engine.layouts.test_mpii import hrnet, release

MUTANTS = int(os.environ.get("HOURBIT_FUZZ", "25"))


def make(form: str, folder: Path) -> Path:
    """A small sound file of a layout."""
    if form == "wflw":
        (folder / "list_98pt_test.txt").write_text(wflw_line(WFLW, "x.jpg"))
        return folder / "list_98pt_test.txt"
    joints = np.ones((16, 3)).tolist()
    pose = {"img_paths": "a.jpg", "objpos": [1, 2], "scale_provided": 1, "joint_self": joints, "isValidation": 1}
    columns = {"part": np.ones((1, 16, 2)), "visible": np.ones((1, 16)), "center": [[1.0, 2]], "scale": [1.0]}
    makers = {
        "mpii-mat": lambda: release(folder), "mpii-json": lambda: writers.as_json(folder / "train.json", [hrnet()]),
        "mpii-h5": lambda: writers.mpii_h5(folder / "valid.h5", imgname=["x.jpg"], **columns),
        "mpii-pose-json": lambda: writers.as_json(folder / "mpii_annotations.json", [pose]),
        "lsp": lambda: writers.mat(folder / "joints.mat", joints=np.ones((3, 14, 3))),
        "lsp-extended": lambda: writers.mat(folder / "joints.mat", joints=np.ones((14, 3, 3))),
        "coco": lambda: coco(folder, [person(7, 1, {5: (1, 2, 2)})]),
        "300w": lambda: writers.pts(folder / "a.pts", FACE),
        "300w-lp": lambda: writers.mat(folder / "i.mat", pt2d=FACE.T, Pose_Para=[[0.0, 0, 0]]),
        "aflw2000": lambda: writers.mat(folder / "i.mat", pt2d=np.ones((2, 21)), pt3d_68=np.ones((3, 68))),
        "aflw": lambda: writers.aflw(folder / "aflw.sqlite", FACES, list(aflw.AFLW_NAMES)),
        "aflw-full": lambda: full(folder), "aflw-pifa": lambda: pifa(folder, np.zeros((4, 102))),
        "pack": lambda: pack(folder / "p.npz"),
    }  # fmt: skip
    return makers[form]()


def mutant(data: bytes, rng: random.Random) -> bytes:
    """The bytes cut off, changed in a few places, or with a part put in again."""
    found = bytearray(data)
    kind = rng.random()
    if kind < 0.2:
        return bytes(found[: rng.randrange(len(found))])
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        at = rng.randrange(len(found))
        found[at] = rng.choice([0, 255, rng.randrange(256), found[at] ^ (1 << rng.randrange(8))])
    if kind > 0.9:
        at, part = rng.randrange(len(found)), rng.randrange(len(found))
        found[at:at] = found[part : part + rng.randrange(64)]
    return bytes(found)


@pytest.mark.parametrize("form", LAYOUTS)
@pytest.mark.filterwarnings("ignore")
def test_mutants_are_read_or_refused(tmp_path: Path, form: str) -> None:
    path = make(form, tmp_path)
    data, rng, refused = path.read_bytes(), random.Random(f"{form} 1"), 0
    assert read(path, form).tables and sniff(path) == (form,)
    for n in range(MUTANTS):
        changed = mutant(data, rng)
        path.write_bytes(changed)
        try:
            sniff(path)
            read(path, form)
        except UserError as error:
            refused += 1
            assert "\n" not in str(error) and str(error).rstrip()[-1] in ".?)", (n, str(error))
    assert refused
