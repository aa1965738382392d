"""Folders of trainings: what each began with, whether it can go on, and what it left to look at."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write, data_folder, free_name
from app.library import Entry, Library
from engine.errors import UserError
from engine.modelfile import Model
from engine.runtime import Runtime, open_runtime

START, LATEST, BEST, LOG, WORST = "start.json", "latest.safetensors", "best.safetensors", "worker.log", "worst.npz"
ROOT = Path(__file__).resolve().parents[2]
QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")  # what importing cv2 leaves behind
CHECKED = 2  # held-out pictures on which the packed engine is compared with the reference
MAX_WORST = 32 << 20  # bytes
NEEDED = {"progress": ("step", "loss"), "metric": ("step",)}
TAIL = 300  # characters of the log that are shown


@dataclass(frozen=True)
class Worst:
    """Held-out pictures with the largest errors, worst first.

    pictures (n, S, S, 3) uint8; truth, before, after (n, K, 2) float32 in their pixels; known (n, K) bool;
    error_before, error_after (n,) float32 percent, NaN where unknown; ids: the images' digests.
    """

    pictures: np.ndarray
    truth: np.ndarray
    before: np.ndarray
    after: np.ndarray
    known: np.ndarray
    error_before: np.ndarray
    error_after: np.ndarray
    ids: tuple[str, ...]


def new_folder(schema: str) -> Path:
    """A folder of its own for a run that starts now; raises UserError."""
    found = free_name(data_folder() / "runs", f"{time.strftime('%Y-%m-%d %H.%M.%S')} {schema}")
    try:
        found.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{found} cannot be made ({error.strerror}); check its permissions.") from error
    return found


def write_start(folder: Path, start: dict[str, Any]) -> None:
    """Keep what a run began with, so that it can go on later; raises UserError."""
    atomic_write(folder / START, json.dumps(start).encode())


def read_start(folder: Path) -> dict[str, Any] | None:
    """What a run began with; None where that is lost."""
    try:
        start = json.loads((folder / START).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return start if isinstance(start, dict) and start.get("type") == "start" else None


def can_go_on(folder: Path | None) -> bool:
    """Whether a run has a checkpoint and no result yet."""
    return folder is not None and os.path.isfile(folder / LATEST) and os.path.isfile(folder / START)


def unfinished() -> Path | None:
    """The newest run that broke off and can go on."""
    folders = sorted((data_folder() / "runs").glob("*"), key=lambda folder: folder.name, reverse=True)
    return next((folder for folder in folders if can_go_on(folder)), None)


def settle(folder: Path) -> None:
    """Give up what only going on would need; the log, the labels and the model stay."""
    for name in (LATEST, BEST):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Remove a run that came to nothing."""
    shutil.rmtree(folder, ignore_errors=True)


def tail(folder: Path) -> str:
    """The last line of a run's log."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:TAIL] if lines else "its log is empty."


def record(line: bytes) -> dict[str, Any] | None:
    """One record of the worker's protocol, or None for any other line; numbers that are needed are there."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return None
    needed = NEEDED.get(found["type"], ())
    return found if all(type(found.get(name)) in (int, float) for name in needed) else None


def next_name(library: Library, entry: Entry) -> str:
    """A model's name with the next free version number."""
    base, _, number = entry.title.rpartition(" v")
    base = base if base and number.isdigit() else entry.title
    taken, version = {e.title for e in library.entries()}, 2
    while f"{base} v{version}" in taken:
        version += 1
    return f"{base} v{version}"


def python_path(known: str) -> str:
    """PYTHONPATH for the worker: a checkout names itself, since -P keeps the current folder out."""
    if not os.path.isfile(ROOT / "pyproject.toml"):
        return known
    return os.pathsep.join([str(ROOT), known] if known else [str(ROOT)])


def read_worst(folder: Path) -> Worst | None:
    """What a run left to look at; None where it is missing or odd."""
    path = folder / WORST
    try:
        if path.stat().st_size > MAX_WORST:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            held = {name: data[name] for name in data.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    try:
        n, k = held["truth"].shape[:2]
        fits = held["picture"].dtype == np.uint8 and held["picture"].ndim == 4 and held["picture"].shape[::3] == (n, 3)
        fits &= all(held[name].shape == (n, k, 2) for name in ("truth", "before", "after"))
        fits &= held["known"].shape == (n, k) and held["id"].shape == (n,) and held["id"].dtype.kind == "S"
        fits &= all(held[name].shape == (n,) for name in ("error_before", "error_after"))
    except (KeyError, ValueError, IndexError):
        return None
    if not fits:
        return None
    return Worst(
        held["picture"], held["truth"], held["before"], held["after"], held["known"].astype(bool),
        held["error_before"], held["error_after"], tuple(v.decode("utf-8", "replace") for v in held["id"].tolist()),
    )  # fmt: skip


def check(model: Model, folder: Path) -> Runtime:
    """Run a new model on held-out pictures as the window will; raises UserError where the engines differ."""
    runtime, worst = open_runtime(model), read_worst(folder)
    if worst is None or runtime.name == "reference":
        return runtime
    reference, side = open_runtime(model, "reference"), model.architecture.side
    for picture in worst.pictures[:CHECKED]:
        if picture.shape != (side, side, 3):
            continue
        if not np.array_equal(runtime.run(picture, logits=True), reference.run(picture, logits=True)):
            raise UserError("The fast engine and the reference differ on it; check the engine with: hourbit doctor.")
    return runtime
