"""A DeepLabCut project: config.yaml and the tables of labeled-data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from app.formats.deeplabcut.read import Reading
from app.formats.deeplabcut.sheets import load_sheet
from app.formats.extras import available
from app.formats.registry import ReadOptions
from app.formats.yamls import load_yaml, texts
from engine.label_reading import head_of, refuse
from engine.labels import LabelSet, Problems

CONFIG = "config.yaml"
MAX_FOLDERS = 100_000


def is_project(path: Path) -> bool:
    """Whether this is a project's folder or its config.yaml; cheap, never raises."""
    try:
        file = path / CONFIG if os.path.isdir(path) else path
        if file.suffix.lower() not in (".yaml", ".yml") or not os.path.isfile(file):
            return False
        head = head_of(file)
    except (OSError, ValueError):
        return False
    return b"scorer:" in head and (b"bodyparts:" in head or b"multianimalbodyparts:" in head)


def read_project(path: Path, options: ReadOptions) -> LabelSet:
    """All labels of a project, of each table the .h5 where it can be read; raises FormatError."""
    config = path / CONFIG if os.path.isdir(path) else path
    problems = Problems(config.parent.name)
    data = load_yaml(config, problems)
    order, edges = _landmarks(data), _edges(data)
    name = (texts(data.get("Task")) or ["animal"])[0]
    reading = Reading(config, options, problems, name, order, edges)
    for file in _tables(config.parent / "labeled-data", problems):
        reading.add(load_sheet(file, problems), file)
    if not reading.pictures:
        refuse(config, "", "its folder labeled-data holds no CollectedData table", "choose a project with labels")
    known = set(order)
    extra = {name for _, names in reading.rows for name in names} - known
    if known and extra:
        problems.add(CONFIG, f"it does not name the landmarks {', '.join(sorted(extra)[:5])}, which follow the others")
    return reading.finished()


def _landmarks(data: dict[str, Any]) -> list[str]:
    return [name for key in ("bodyparts", "multianimalbodyparts", "uniquebodyparts") for name in texts(data.get(key))
            if name != "MULTI!"]  # fmt: skip


def _edges(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines by name: a list of landmarks is a line through all of them."""
    made: list[tuple[str, str]] = []
    for line in data.get("skeleton") or () if isinstance(data.get("skeleton"), list) else ():
        names = texts(line) if isinstance(line, list) else []
        made += [pair for pair in zip(names, names[1:], strict=False) if pair[0] != pair[1] and pair not in made]
    return made


def _tables(folder: Path, problems: Problems) -> list[Path]:
    """One table a folder of labeled-data: .h5 before .csv, which is only a copy of it."""
    made = []
    try:
        folders = sorted(one for one in folder.iterdir() if os.path.isdir(one))[:MAX_FOLDERS]
        for one in folders:
            found = sorted(one.glob("CollectedData_*.csv")) + sorted(one.glob("CollectedData_*.h5"))
            stems = {file.stem: file for file in found}
            for file in stems.values():  # the later of a stem, which is the .h5
                copy = file.with_suffix(".csv")
                if file.suffix == ".h5" and not available("pandas", "tables", "h5py") and os.path.isfile(copy):
                    problems.add(f"{one.name}/{file.name}", "it needs pandas and PyTables; its copy as CSV was read")
                    file = copy
                made.append(file)
    except OSError:
        return made
    return made
