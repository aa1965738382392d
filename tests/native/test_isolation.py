"""No instruction leaks out of its instruction set's file, and a processor without one never meets it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.graph import Architecture
from engine.random_model import random_model
from engine.runtime import available_isas, open_runtime
from tests.native import builds

pytestmark = [
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the instruction sets of x86-64"),
    pytest.mark.skipif(platform.system() != "Linux", reason="reads ELF objects"),
]

# What an instruction's text shows, from the youngest set to the oldest.
AMX = re.compile(r"\t(tile|ldtilecfg|sttilecfg|tdp)|%tmm")
AVX512 = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]|\{evex\}")
AVX = re.compile(r"\tv[a-z]\w+ |%ymm")  # every mnemonic of the VEX vector encodings begins so
BMI2 = re.compile(r"\t(pdep|pext|mulx|rorx|sarx|shlx|shrx|bzhi)[lq]? ")
POPCNT = re.compile(r"\tpopcnt[lqw]? ")


def allowed(stem: str) -> set[re.Pattern[str]]:
    """What the object of a source file may hold."""
    if "amx" in stem:
        return {AMX, AVX512, AVX, BMI2, POPCNT}
    if "avx512" in stem:
        return {AVX512, AVX, BMI2, POPCNT}
    if "avx2" in stem:
        return {AVX, BMI2, POPCNT}
    return {POPCNT} if "scalar" in stem else set()


@pytest.fixture(scope="module", params=["g++", "clang++"])
def objects(request: pytest.FixtureRequest) -> dict[str, Path]:
    """The library's objects by the source's name."""
    builds.need(request.param, "objdump", "nm")
    folder = builds.build(f"-DCMAKE_CXX_COMPILER={request.param}")
    found = {path.name.split(".")[0]: path for path in folder.rglob("*.cpp.o") if "replay" not in path.name}
    assert {"net", "dispatch", "kernels_scalar", "kernels_avx2", "kernels_avx512"} <= set(found)
    return found


def tool(*words: object) -> str:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, timeout=120).stdout


def test_no_instruction_leaves_its_file(objects: dict[str, Path]) -> None:
    for stem, path in objects.items():
        text = tool("objdump", "-d", "--no-show-raw-insn", path)
        for kind in (AMX, AVX512, AVX, BMI2, POPCNT):
            if kind not in allowed(stem):
                found = kind.search(text)
                assert found is None, f"{path.name}: {text[found.start() - 60 : found.end() + 60]}"


def test_the_patterns_find_what_they_seek(objects: dict[str, Path]) -> None:
    text = tool("objdump", "-d", "--no-show-raw-insn", objects["kernels_amx"])
    assert AMX.search(text) and AVX512.search(text)
    text = tool("objdump", "-d", "--no-show-raw-insn", objects["kernels_avx512"])
    assert AVX512.search(text) and AVX.search(text)
    text = tool("objdump", "-d", "--no-show-raw-insn", objects["kernels_avx2"])
    assert BMI2.search(text) and AVX.search(text) and not AVX512.search(text)
    assert POPCNT.search(tool("objdump", "-d", "--no-show-raw-insn", objects["kernels_scalar"]))


def test_files_of_instruction_sets_share_nothing_through_the_linker(objects: dict[str, Path]) -> None:
    """Of a function in several objects the linker keeps one: it may be the one that an old processor cannot run."""
    for stem, path in objects.items():
        if stem.startswith("kernels_"):
            symbols = [line.split()[-2:] for line in tool("nm", "-C", path).splitlines()]
            weak = [name for kind, name in symbols if kind in "uvVwW"]
            assert weak == [], f"{path.name} shares {weak}"
            assert "GROUP" not in tool("readelf", "-SW", path), f"{path.name} has COMDAT sections"
            public = [name for kind, name in symbols if kind in "TDRB"]
            assert public == [f"hourbit::{stem.removeprefix('kernels_')}_kernels"], path.name


def test_the_library_gives_its_interface_and_needs_the_c_library_alone(objects: dict[str, Path]) -> None:
    (library,) = {path for path in objects["net"].parents if (path / "libhourbit.so").is_file()}
    symbols = [line.split()[-1] for line in tool("nm", "-D", "--defined-only", library / "libhourbit.so").splitlines()]
    assert "hb_run" in symbols and all(name.startswith("hb_") for name in symbols), symbols
    needed = re.findall(r"NEEDED.*\[(.+)\]", tool("readelf", "-d", library / "libhourbit.so"))
    assert needed and all(re.match(r"(libc|libm|libpthread|ld-linux.*)\.so", name) for name in needed), needed


MASKS = {
    "amx_tile": "avx512", "amx_int8": "avx512",
    "avx512_vpopcntdq": "avx512bw", "avx512f": "avx2", "avx512_vnni,popcntx": "avx512bw", "avx2": "scalar",
    "fma": "scalar", "bmi2,avx512f": "scalar", "osxsave": "scalar", "popcnt": "numpy",
}  # fmt: skip


@pytest.mark.parametrize(("mask", "isa"), MASKS.items())
def test_a_processor_that_lacks_a_feature_runs_what_it_can(mask: str, isa: str, monkeypatch) -> None:
    isas = available_isas()
    if "avx2" not in isas:
        pytest.skip("nothing to hide on this machine")
    monkeypatch.delenv("HOURBIT_ISA", raising=False)
    monkeypatch.setenv("HOURBIT_CPU_MASK", mask)
    assert available_isas() == (isas[isas.index(isa) :] if isa in isas else [])
    runtime = open_runtime(random_model("m", Architecture(5, width=32, stem=16, side=64), seed=4))
    assert (runtime.isa, runtime.checked) == (isa, True)
    assert bool(runtime.notice) == (isa == "numpy")


def test_forcing_what_the_processor_lacks_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    if not available_isas():
        pytest.skip("the C library is not built")
    monkeypatch.setenv("HOURBIT_CPU_MASK", "avx2")
    monkeypatch.setenv("HOURBIT_ISA", "avx2")
    model = random_model("m", Architecture(5, width=32, stem=16, side=64), seed=4)
    with pytest.raises(UserError, match="^This machine cannot run HOURBIT_ISA=avx2; use one of scalar.$"):
        open_runtime(model)
    environment = os.environ | {"PYTHONPATH": str(builds.ROOT)}
    words = [sys.executable, str(builds.ROOT / "main.py"), "doctor", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=builds.ROOT, timeout=120)
    assert "cannot run HOURBIT_ISA=avx2" in done.stdout and "Traceback" not in done.stderr


EMULATED = {"core2duo": "", "Nehalem": "scalar", "Haswell": "avx2"}


@pytest.mark.parametrize(("processor", "best"), EMULATED.items())
def test_emulated_processors_meet_no_illegal_instruction(processor: str, best: str, small_cases: Path) -> None:
    """The emulator stops at an instruction that the processor has not."""
    builds.need("g++", builds.X86_EMULATOR)
    folder = builds.build("-DCMAKE_CXX_COMPILER=g++")
    runner = (builds.X86_EMULATOR, "-cpu", processor)
    if best:
        done = builds.replay(folder, small_cases, "equal", best, 1, runner=runner)
        assert done.returncode == 0 and f"{best} of {best}" in done.stdout, done.stdout + done.stderr
    done = builds.replay(folder, small_cases, "equal", "avx512", 1, runner=runner)
    assert done.returncode == 2 and "no instruction set avx512" in done.stderr
