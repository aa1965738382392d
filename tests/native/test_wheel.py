"""Wheels: one serves every Python, without a compiler at hand; an install from source needs none either.

Each environment takes minutes and some hundred megabytes, so these tests run only where HOURBIT_WHEELS=1.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.native.builds import ROOT, need

VERSIONS = ("3.11", "3.12", "3.13")
COMPILERS = ("g++", "clang++")
HIDDEN = ("c++", "g++", "clang++", "cc", "gcc", "clang", "cmake", "ninja", "make", "gmake")

pytestmark = [
    pytest.mark.skipif(os.environ.get("HOURBIT_WHEELS") != "1", reason="set HOURBIT_WHEELS=1 for these"),
    pytest.mark.skipif(platform.system() != "Linux", reason="the names of Linux's wheels"),
]


def interpreter(version: str) -> str:
    """A Python of this version from PATH or from pyenv; skips without one."""
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for name in (f"python{version}", *map(str, pyenv)):
        found = shutil.which(name)
        if found and run(found, "-c", "import ensurepip, venv", check=False).returncode == 0:
            return found
    pytest.skip(f"not installed: Python {version}")


def clean(**variables: str) -> dict[str, str]:
    """The environment without this project's settings and without a Python's."""
    ours = ("HOURBIT_", "PYTHON", "VIRTUAL_ENV", "CXX", "CMAKE", "PYTEST")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | variables


def run(*words: object, check: bool = True, **variables: str) -> subprocess.CompletedProcess:
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, env=clean(**variables), timeout=1500)
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files under version control, in a folder of their own."""
    folder = tmp_path_factory.mktemp("source")
    for name in run("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def bare_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with all of the system's programs but compilers and what drives them."""
    folder = tmp_path_factory.mktemp("bin")
    for place in ("/usr/bin", "/bin"):
        for program in Path(place).iterdir():
            hidden = any(program.name == name or program.name.startswith(f"{name}-") for name in HIDDEN)
            link = folder / program.name
            if not hidden and "-linux-gnu-" not in program.name and not os.path.lexists(link):
                link.symlink_to(program)
    assert not any(shutil.which(name, path=str(folder)) for name in HIDDEN)
    return str(folder)


def make_wheel(source: Path, compiler: str, folder: Path) -> Path:
    run(interpreter("3.11"), "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source, CXX=compiler)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module", params=COMPILERS)
def wheel(request: pytest.FixtureRequest, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    need(request.param)
    return make_wheel(source, request.param, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_is_one_for_every_python(wheel: Path) -> None:
    assert wheel.name.endswith(f"-py3-none-linux_{platform.machine()}.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert "engine/native/libhourbit.so" in names and any(n.endswith(".hourbit") for n in names)
    assert not [n for n in names if n.endswith((".cpp", ".h")) or n.startswith(("tests", "benchmarks", "lib", "bin"))]


def installed(folder: Path, python: str, what: Path, path: str) -> Path:
    """A new environment with `what` in it and no compiler on its PATH; returns its folder of programs."""
    run(python, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-warn-script-location", what, PATH=path)
    return folder / "bin"


def hourbit(programs: Path, path: str, home: Path, *words: str, code: int = 0) -> dict:
    done = run(programs / "hourbit", *words, "--json", check=False, PATH=path, HOURBIT_HOME=str(home))
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_runs_without_a_compiler(version: str, wheel: Path, bare_path: str, tmp_path: Path) -> None:
    programs = installed(tmp_path / "env", interpreter(version), wheel, bare_path)
    found = hourbit(programs, bare_path, tmp_path, "doctor")
    assert found["ok"] and found["runtime"] == "packed" and found["isas"][-1] == "scalar"
    same = hourbit(programs, bare_path, tmp_path, "model", "verify", "face68")
    assert same["differing"] == 0 and set(found["isas"]) <= set(same["by"]) and same["compared"] > 1e6


def test_a_source_install_without_a_compiler_serves_with_numpy(source: Path, bare_path: str, tmp_path: Path) -> None:
    programs = installed(tmp_path / "env", interpreter("3.11"), source, bare_path)
    found = hourbit(programs, bare_path, tmp_path, "doctor")
    assert found["ok"] and (found["runtime"], found["isas"]) == ("reference", [])
    (engine,) = (check for check in found["checks"] if check["name"] == "engine")
    assert "C++ compiler" in engine["detail"] and "NumPy" in engine["detail"]
