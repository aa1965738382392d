"""The fuzz's networks in a build that reports bad memory accesses and undefined behaviour."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.modelfile import Model
from tests.fuzz.networks import random_network
from tests.fuzz.pictures import random_picture
from tests.native import builds
from tests.native.cases import write_cases

NETWORKS, FIRST = 150, 100_000
PLANS = 2  # of each network: as it runs, and as its layers are looked into


def pairs() -> Iterator[tuple[Model, np.ndarray]]:
    for seed in range(FIRST, FIRST + NETWORKS):
        model = random_network(seed)
        yield model, random_picture(seed, model.architecture.side)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cases(tmp_path_factory.mktemp("fuzz") / "cases", pairs())


@pytest.fixture(scope="module")
def sanitized() -> Path:
    if platform.system() != "Linux":
        pytest.skip("this build is made on Linux")
    builds.need("g++")
    return builds.build("-DCMAKE_CXX_COMPILER=g++", "-DHOURBIT_SANITIZE=address,undefined")


@pytest.mark.parametrize("isa", builds.ISAS)
def test_random_networks_without_a_report(isa: str, sanitized: Path, cases: Path) -> None:
    done = builds.replay(sanitized, cases, "equal", isa, 1)
    if "has no instruction set" in done.stderr:
        pytest.skip(f"no {isa} here")
    assert done.returncode == 0 and f" {PLANS * NETWORKS} cases" in done.stdout, done.stdout + done.stderr


def test_random_networks_with_spoilt_sizes(sanitized: Path, cases: Path) -> None:
    done = builds.replay(sanitized, cases, "hostile", 1500, 3, ASAN_OPTIONS="allocator_may_return_null=1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_random_networks_on_64_bit_arm(cases: Path) -> None:
    done = builds.replay_arm(cases, "equal", "neon", 1)
    assert done.returncode == 0 and " 0 differing" in done.stdout, done.stdout + done.stderr
