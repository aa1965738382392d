"""`hourbit doctor`: does everything that Hourbit needs work on this machine?"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path

import typer

from app.commands.output import Json, emit
from engine.errors import UserError

PACKAGES = ("hourbit", "PySide6-Essentials", "opencv-python", "numpy", "onnxruntime", "safetensors")


@dataclass(frozen=True)
class Check:
    """One finding. `needed` False: the rest of Hourbit works without it."""

    name: str
    ok: bool
    detail: str
    needed: bool = True


def register(cli: typer.Typer) -> None:
    cli.command("doctor", epilog="Example: hourbit doctor --json")(doctor)


def doctor(as_json: Json = False) -> None:
    """Check whether all that Hourbit needs works here."""
    from engine.runtime import available_isas

    engine, runtime, isa = _engine()
    checks = [_python(), _packages(), engine, _window(), _display(), _cameras(), _training(), *_folders()]
    ok = all(check.ok for check in checks if check.needed)
    value = {
        "ok": ok, "runtime": runtime, "isa": isa, "isas": available_isas(),
        "checks": [{k: v for k, v in asdict(check).items() if k != "needed"} for check in checks],
    }  # fmt: skip
    marks = {True: "ok", False: "--"}
    emit(value, as_json, [f"{marks[c.ok] if c.ok or not c.needed else '!!'}  {c.name}: {c.detail}" for c in checks])
    if not ok:
        raise typer.Exit(1)


def _python() -> Check:
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Check("python", fits, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _packages() -> Check:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if "hourbit" in missing:
        missing.remove("hourbit")
        found.insert(0, "hourbit from a checkout")
    return Check("packages", not missing, ", ".join(found) + (f"; missing: {', '.join(missing)}" if missing else ""))


def _engine() -> tuple[Check, str, str]:
    """Open the default runtime for a small model, which compares it with the reference."""
    from engine import trust
    from engine.graph import Architecture
    from engine.random_model import random_model
    from engine.runtime import open_runtime

    small = random_model("self-check", Architecture(5, width=32, stem=16, side=64))
    trust.folder = None  # what was seen on another day is no check
    try:
        runtime = open_runtime(small)
    except UserError as error:
        return Check("engine", False, str(error)), "reference", "numpy"
    if runtime.notice:
        return Check("engine", False, runtime.notice, needed=False), runtime.name, runtime.isa
    masked = "the best that HOURBIT_CPU_MASK leaves" if os.environ.get("HOURBIT_CPU_MASK") else ""
    why = "as HOURBIT_ISA says" if os.environ.get("HOURBIT_ISA") else masked or "the best of this machine"
    check = Check("engine", True, f"{runtime.name} {runtime.isa}, {why}; equal to the reference")
    return check, runtime.name, runtime.isa


def _window() -> Check:
    try:
        from PySide6 import QtCore, QtWidgets  # noqa: F401
    except ImportError as error:
        return Check("window", False, f"Qt does not load ({error}); run ./start again or install the library.", False)
    return Check("window", True, f"Qt {QtCore.qVersion()}")


def _display() -> Check:
    if not sys.platform.startswith("linux"):
        return Check("display", True, "the system's", needed=False)
    found = [f"{name}={os.environ[name]}" for name in ("WAYLAND_DISPLAY", "DISPLAY") if os.environ.get(name)]
    return Check("display", bool(found), ", ".join(found) or "none; commands work, the window does not", needed=False)


def _cameras() -> Check:
    from app.sources.camera import list_cameras

    names = [camera.name for camera in list_cameras()]
    return Check("cameras", bool(names), ", ".join(names) or "none found", needed=False)


def _training() -> Check:
    if util.find_spec("torch") is None:  # found, not imported: that would take seconds
        return Check("training", False, "PyTorch is not installed; everything but training works", needed=False)
    return Check("training", True, f"PyTorch {metadata.version('torch')}", needed=False)


def _folders() -> list[Check]:
    from app.files import data_folder

    places: list[tuple[str, Callable[[], Path]]] = [
        ("data folder", data_folder), ("temporary folder", lambda: Path(tempfile.gettempdir())),
    ]  # fmt: skip
    checks = []
    for name, where in places:
        try:
            folder = where()
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".hourbit-doctor"):
                pass
        except (OSError, UserError) as error:
            checks.append(Check(name, False, f"cannot be written: {error}"))
        else:
            checks.append(Check(name, True, f"{folder} can be written"))
    return checks
