"""Norms of gradients: what is compared differs in kind and loss alone, and groups add up."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.train.gradients import KINDS, LOSSES, norms, run  # noqa: E402
from engine.train.worker import Orders  # noqa: E402
from tests.engine.packfile import blob_points, write_pack  # noqa: E402
from tests.engine.train.toys import new_fit  # noqa: E402


def test_groups_add_up_to_the_gradient_of_all_weights(tmp_path: Path) -> None:
    fit = new_fit(tmp_path)
    found = norms(fit, 2)
    total = found.pop("all")
    assert list(found) == ["stem.conv", "stem.blocks", *(f"hourglass.{n}" for n in (4, 3, 2, 1)), "head"]
    assert total == pytest.approx(math.sqrt(sum(v * v for v in found.values())))
    fit.network.zero_grad()
    ((fit.loss(0) + fit.loss(1)) / 2).backward()
    squares = sum(float(p.grad.square().sum()) for n, p in fit.network.named_parameters() if p.dim() == 4)
    assert total == pytest.approx(math.sqrt(squares), rel=1e-4)


def test_the_comparison_names_every_kind_and_loss(tmp_path: Path) -> None:
    points = blob_points(6)
    named = np.tile(points, (1, 6, 1))[:, :16]
    pack = write_pack(tmp_path / "p.npz", named, pictures=points, holdout=np.zeros(6, bool))
    told = []
    start = {
        "snapshot": [str(pack)], "schema": "mpii16", "out": str(tmp_path / "out"), "steps": 1, "batches": 1,
        "settings": {"width": 32, "stem": 16, "side": 64, "batch": 6, "bf16": False},  # of 2 batch-norm makes noise
    }  # fmt: skip
    run(start, lambda type, **values: told.append({"type": type, **values}), Orders())
    done = told[-1]
    every = done["rows"][-1]
    assert every["group"] == "all" and done["type"] == "done"
    for kind in KINDS:
        assert done["ratios"][f"bce to l2, {kind}"] == pytest.approx(every[f"{kind}_bce"] / every[f"{kind}_l2"])
    for loss in LOSSES:
        expected = every[f"real_{loss}"] / every[f"binary_{loss}"]
        assert done["ratios"][f"real to binary, {loss}"] == pytest.approx(expected)
    assert done["ratios"]["bce to l2, binary"] > 1.5  # the sigmoid's slope shrinks the gradients of L2
    assert [record["done"] for record in told[:-1]][-1] == 1
