"""Every compiler, processor and sanitizer: the same logits as the reference's, bit for bit, and no report."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.native import builds

COMPILERS = ("g++", "clang++")
# `replay` asks for what no machine has; a null is what the library must then pass on.
STRICT = {"ASAN_OPTIONS": "allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1"}

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="these builds are made on Linux")


def native(compiler: str, *options: str) -> Path:
    builds.need(compiler)
    return builds.build(f"-DCMAKE_CXX_COMPILER={compiler}", *options)


def run_all(folder: Path, cases: Path, threads: int = 1) -> None:
    """Each instruction set that this machine has; that is one at least."""
    ran = 0
    for isa in builds.ISAS:
        done = builds.replay(folder, cases, "equal", isa, threads, **STRICT)
        if "has no instruction set" not in done.stderr:
            assert done.returncode == 0 and " 0 differing" in done.stdout, done.stdout + done.stderr
            ran += 1
    assert ran


@pytest.mark.parametrize("compiler", COMPILERS)
def test_each_compiler_gives_the_references_bits(compiler: str, cases: Path) -> None:
    run_all(native(compiler), cases)


@pytest.mark.parametrize("isa", ["neon", "scalar"])
def test_64_bit_arm_gives_the_references_bits(isa: str, small_cases: Path) -> None:
    done = builds.replay_arm(small_cases, "equal", isa, 1)
    assert done.returncode == 0 and f"{isa} of neon,scalar" in done.stdout, done.stdout + done.stderr


def test_a_difference_is_found(small_cases: Path, tmp_path: Path) -> None:
    data = bytearray(small_cases.read_bytes())
    data[-1] ^= 1  # the last case's last logit
    (tmp_path / "spoilt").write_bytes(data)
    done = builds.replay(native("g++"), tmp_path / "spoilt", "equal", "scalar", 1)
    assert done.returncode == 1 and " 6 differing" in done.stdout, done.stdout + done.stderr  # three teams, two runs


def test_sanitizers_report_nothing(small_cases: Path) -> None:
    run_all(native("g++", "-DHOURBIT_SANITIZE=address,undefined"), small_cases)


def test_threads_with_nets_of_their_own_do_not_race(small_cases: Path) -> None:
    run_all(native("g++", "-DHOURBIT_SANITIZE=thread"), small_cases, threads=2)


@pytest.mark.parametrize("seed", [1, 2])
def test_impossible_sizes_fail_in_words(cases: Path, seed: int) -> None:
    """Sizes negative, zero, one off and giant, and nulls: refused with a reason, or run within their memory."""
    folder = native("g++", "-DHOURBIT_SANITIZE=address,undefined")
    done = builds.replay(folder, cases, "hostile", 1500, seed, **STRICT)
    assert done.returncode == 0, done.stdout + done.stderr
    refused, served = (int(word) for word in done.stdout.split() if word.isdigit())
    assert refused > 500 and served > 50, done.stdout
