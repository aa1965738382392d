"""The two commands of the README, and what an installation must bring; the network is never asked."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib import metadata, util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("sh", "cat", "cksum", "dirname", "env", "id", "uname", "head", "sleep")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="start and check are for POSIX shells")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for PATH with the shell's helpers and nothing that could install anything."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that setting up looks at, in a folder of their own."""
    folder = tmp_path / "check out"
    shutil.copytree(ROOT / "engine" / "native", folder / "engine" / "native")
    for name in ("start", "check", "setup.sh", "pyproject.toml", "CMakeLists.txt"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def installed(checkout: Path) -> Path:
    """That checkout, set up: its `hourbit` tells its arguments and where it runs."""
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    script(programs / "python", f'exec "{sys.executable}" "$@"')
    script(programs / "hourbit", 'printf "%s|" "$@" "in $PWD"')
    # Without the caller's settings, as HOURBIT_VENV would name the environment that runs this very test.
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HOURBIT_")}
    for place in ("window", "offscreen"):
        text = f'. ./setup.sh; fingerprint export >"$venv/.hourbit-export-{place}"'
        subprocess.run(["sh", "-c", text], cwd=checkout, env=settings, check=True)
    return checkout


def record_pip(installed: Path) -> Path:
    """Make pip only write down what it is asked for; returns the file."""
    asked = installed / "asked"
    rest = f'exec "{sys.executable}" "$@"'
    script(installed / ".venv/bin/python", f'case "$*" in *pip*) echo "$@" >>"{asked}" ;; *) {rest} ;; esac')
    return asked


def run(command: Path, tools: Path, *arguments: str, cwd: Path | None = None, **variables: str):
    settings: Mapping[str, str] = {"PATH": str(tools), "HOME": str(tools)} | variables
    return subprocess.run(
        [str(command), *arguments], cwd=cwd or command.parent, env=settings, capture_output=True, text=True, timeout=60
    )


def test_scripts_are_executable_and_parse() -> None:
    for name in ("start", "check", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK), name
        shell = "bash" if name == ".ci/run" else "sh"
        subprocess.run([shell, "-n", str(ROOT / name)], check=True)


def test_without_a_python_one_sentence_and_exit_code_2(checkout: Path, tools: Path) -> None:
    script(tools / "python3", 'echo "Python 3.9"; exit 1')
    done = run(checkout / "start", tools)
    assert done.returncode == 2
    assert "Hourbit needs Python 3.11, 3.12 or 3.13" in done.stderr


def test_a_second_start_passes_arguments_on_at_once(installed: Path, tools: Path, tmp_path: Path) -> None:
    done = run(installed / "start", tools, "predict", "my photo.jpg", cwd=tmp_path, DISPLAY=":7")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"predict|my photo.jpg|in {tmp_path}|"
    assert "Installing" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a display")
def test_without_a_display_start_runs_the_demo(installed: Path, tools: Path) -> None:
    assert run(installed / "start", tools).stdout.startswith("demo|--once|")
    assert run(installed / "start", tools, DISPLAY=":7").stdout.startswith("in ")
    assert run(installed / "start", tools, WAYLAND_DISPLAY="wayland-0").stdout.startswith("in ")


@pytest.mark.parametrize("changed", ["pyproject.toml", "CMakeLists.txt", "engine/native/net.cpp"])
def test_changed_sources_are_installed_again(installed: Path, tools: Path, changed: str) -> None:
    asked = record_pip(installed)
    assert run(installed / "start", tools, "doctor", DISPLAY=":7").returncode == 0
    assert not asked.exists()
    with (installed / changed).open("a") as file:
        file.write("\n\n")
    done = run(installed / "start", tools, "doctor", DISPLAY=":7", HOURBIT_TORCH_INDEX="file:///some/index")
    assert done.returncode == 0, done.stderr
    lines = asked.read_text().splitlines()
    assert any(" -e .[export]" in line for line in lines), lines
    assert any("--index-url file:///some/index torch==2.13.0" in line for line in lines), lines
    again = run(installed / "start", tools, "doctor", DISPLAY=":7")
    assert "Installing" not in again.stderr and len(asked.read_text().splitlines()) == len(lines)


def test_torch_can_be_left_out(installed: Path, tools: Path) -> None:
    asked = record_pip(installed)
    done = run(installed / "start", tools, "doctor", DISPLAY=":7", HOURBIT_NO_TORCH="1")
    assert done.returncode == 0, done.stderr
    assert "torch" not in asked.read_text().replace(str(installed), "")


def test_declared_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "opencv-python>=4.10,<5" in project["dependencies"]
    assert "torch==2.13.0" in project["optional-dependencies"]["train"]
    assert project["scripts"] == {"hourbit": "app.cli:main"}


def test_installed_package_is_this_one_and_has_its_engine() -> None:
    try:
        metadata.version("hourbit")
    except metadata.PackageNotFoundError:
        pytest.skip("runs from a checkout that is not installed")
    for name in ("app", "engine", "plugins", "resources"):
        spec = util.find_spec(name)
        assert spec is not None and spec.origin == str(ROOT / name / "__init__.py")
    from engine.runtime import available_isas

    assert "scalar" in available_isas(), "the C++ engine was not built"


def test_none_keeps_its_references(qapp: object) -> None:
    """PySide6 6.12.0 on Python 3.11 loses one in every call, and the program dies in the end."""
    before = sys.getrefcount(None)
    for _ in range(150):
        qapp.processEvents()
    assert sys.getrefcount(None) > before - 100
