"""The cases that every build must compute alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.graph import BLOCKS, Architecture
from engine.random_model import random_model
from tests.native.cases import write_cases

SMALL = (
    *(Architecture(5, width=32, stem=16, side=64, block=block) for block in BLOCKS),
    Architecture(16, width=32, stem=16, side=64, pad=0),
    Architecture(3, width=64, stem=32, side=64, relu=True),
)
LARGE = (
    Architecture(17, width=96, stem=48, side=128, pad=0),
    Architecture(68, width=192, stem=64, side=64, pad=0, relu=True),
    Architecture(1, width=256, stem=64, side=64),
)


def _write(folder: Path, architectures: tuple[Architecture, ...]) -> Path:
    rng = np.random.default_rng(11)
    models = [random_model("case", architecture, seed=9) for architecture in architectures]
    pairs = [(m, rng.integers(0, 256, (m.architecture.side, m.architecture.side, 3), np.uint8)) for m in models]
    return write_cases(folder / "cases", pairs)


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of several kinds with a picture and the reference's logits, for `replay`."""
    return _write(tmp_path_factory.mktemp("cases"), SMALL + LARGE)


@pytest.fixture(scope="session")
def small_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smaller of them, for emulators and for builds that check every access."""
    return _write(tmp_path_factory.mktemp("cases"), SMALL)
