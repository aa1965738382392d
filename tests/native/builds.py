"""Builds of the C library for tests: with other compilers, for another processor, with sanitizers."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARM_COMPILER, ARM_EMULATOR, X86_EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64", "qemu-x86_64"
ARM_SYSTEM = Path("/usr/aarch64-linux-gnu")  # where Debian's cross compiler has its libraries

X86 = platform.machine() in ("x86_64", "AMD64")
ISAS = ("amx", "avx512", "avx512bw", "avx2", "scalar") if X86 else ("neon", "scalar")

_folders: list[TemporaryDirectory[str]] = []  # kept, and removed when the tests end


def need(*programs: str) -> None:
    """Skip the test where a program is missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def _environment() -> dict[str, str]:
    """Without the caller's flags; CMake and Ninja may be Python packages, so beside the interpreter."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CXXFLAGS", "LDFLAGS")}
    return kept | {"PATH": f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"}


@cache
def build(*options: str) -> Path:
    """A folder with libhourbit.so and `replay`, built with warnings as errors; made once for all tests."""
    folder = TemporaryDirectory(prefix="hourbit-build-")
    _folders.append(folder)
    settings = ("-DCMAKE_BUILD_TYPE=Release", "-DHOURBIT_STRICT=ON", "-DHOURBIT_TESTS=ON", *options)
    environment = _environment()
    cmake = shutil.which("cmake", path=environment["PATH"])
    if not cmake:
        pytest.skip("not installed: cmake")
    if shutil.which("ninja", path=environment["PATH"]):
        settings = ("-G", "Ninja", *settings)
    for words in (["-S", str(ROOT), "-B", folder.name, *settings], ["--build", folder.name]):
        done = subprocess.run([cmake, *words], capture_output=True, text=True, timeout=600, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    return Path(folder.name)


def build_arm() -> Path:
    need(ARM_COMPILER, ARM_EMULATOR)
    target = ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64")
    return build(*target, f"-DCMAKE_CXX_COMPILER={ARM_COMPILER}")


def replay(folder: Path, *words: object, runner: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess:
    """Run a build's `replay`, where `runner` says so in an emulator."""
    command = [*runner, str(folder / "replay"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=os.environ | variables)


def replay_arm(*words: object) -> subprocess.CompletedProcess:
    return replay(build_arm(), *words, runner=(ARM_EMULATOR, "-L", str(ARM_SYSTEM)))
