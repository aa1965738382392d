"""The labelling benchmark: what it counts is what the canvas does, and faster hands are faster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.labelling import WAYS, run, told
from benchmarks.person import Person
from engine.images import encode_png
from engine.packs import load_pack
from engine.runtime import open_runtime
from engine.schema import load_schema
from tests.app.views.small import small_model

SCHEMA = load_schema("mpii16")


@pytest.fixture
def pack(tmp_path: Path):
    """Two pictures of noise with the mean shape in them, one landmark of the second not labelled."""
    rng = np.random.default_rng(0)
    blobs = [encode_png(rng.integers(0, 256, (160, 160, 3), np.uint8)) for _ in range(2)]
    joints = np.repeat((np.array(SCHEMA.mean) * 100 + 30)[None], 2, 0).astype(np.float32)
    weight = np.ones((2, len(SCHEMA)), np.float32)
    weight[1, 5] = 0
    path = tmp_path / "pack.npz"
    np.savez(
        path, blob=np.frombuffer(b"".join(blobs), np.uint8), offsets=np.cumsum([0, *map(len, blobs)]), joints=joints,
        weight=weight, box=np.array([[80, 80, 100]] * 2, np.float32),
    )  # fmt: skip
    return load_pack(path)


def test_placing_takes_a_click_a_landmark_and_fixing_brings_all_under_the_threshold(pack, qapp):
    runtime = open_runtime(small_model(SCHEMA), "reference")
    found = run(pack, runtime, [0, 1], threshold=20.0, precision=3.0)
    assert list(found) == list(WAYS)
    assert (found["scratch"]["clicks"] >= len(SCHEMA)).all() and (found["scratch"]["fixed"] <= 4).all()
    for figures in found.values():
        assert (figures["error"] < 20.0).all() and (figures["seconds"] > 1.0).all()
    # A network with random weights is wrong nearly everywhere: each correction is a press of the button.
    assert (found["fix"]["fixed"] >= 10).all() and (found["fix"]["clicks"] >= found["fix"]["fixed"]).all()
    table = told(found, pack, 20.0).splitlines()
    assert table[0].startswith("pack.npz, 2 subjects") and len(table) == 4 + len(WAYS)


class Still:
    """A canvas that takes no events."""

    def viewport(self) -> None:
        return None


def test_time_follows_the_published_laws(monkeypatch):
    person = Person(Still(), np.random.default_rng(0), at=np.zeros(2))
    monkeypatch.setattr(Person, "_send", lambda *a, **k: None)
    person.point(np.array([400.0, 0.0]), 32.0)
    assert person.seconds == pytest.approx(-0.107 + 0.223 * np.log2(400 / 32 + 1))  # 0.73 s
    person.seconds, person.at = 0.0, np.zeros(2)
    person.press()
    person.drag(np.array([60.0, 80.0]), 5.0)
    person.release()
    assert person.seconds == pytest.approx(0.2 + 0.135 + 0.249 * np.log2(100 / (4.133 * 5) + 1))
    assert person.clicks == 1
