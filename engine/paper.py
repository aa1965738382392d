"""The paper's tables beside our figures, with a word on which rows could be run and which could not.

Only figures that a source beside the paper's text confirms are listed (resources/paper.json); the rest are None.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from engine.graph import Architecture

DATA_SETS = {
    "mpii": "MPII validation, 2,958 people", "aflw2000-3d": "AFLW2000-3D", "aflw": "AFLW, test list unpublished",
    "pifa": "AFLW-PIFA",
}  # fmt: skip
# The layouts (engine.layouts) in which the paper's own test sets come, and how many subjects they have.
TEST_SETS = {
    "mpii": ({"mpii-mat", "mpii-h5", "mpii-json", "mpii-pose-json"}, 2958), "aflw2000-3d": ({"aflw2000"}, 2000),
    "pifa": ({"aflw-pifa"}, 1299),
}  # fmt: skip


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper: figure in percent (None: not confirmed), `net` the architecture's telling fields."""

    table: str
    name: str
    data: str
    metric: str
    figure: float | None
    net: dict[str, Any]
    normalise: str | None = None
    parameters: str = ""
    columns: tuple[float, ...] = ()
    bin: str = ""
    training: str = ""  # what sets the row apart where its network does not
    note: str = ""


@dataclass(frozen=True)
class Beside:
    """A row of the paper with ours: figure in percent or None, and whether and why it could be run."""

    paper: PaperRow
    ours: float | None
    run: str


@dataclass(frozen=True)
class Run:
    """What was measured: a model's architecture, the figures of `engine.evaluate`, and the data in words."""

    architecture: Architecture
    figures: dict[str, Any]
    data: str
    known_as: str = field(default="")  # mpii, aflw2000-3d, ... where the data is one of the paper's own sets


def known_as(layouts: Sequence[str], subjects: int) -> str:
    """Which of the paper's test sets data of these layouts with so many subjects is, "" for none of them."""
    fits = (name for name, (known, size) in TEST_SETS.items() if size == subjects and known & set(layouts))
    return next(fits, "")


@cache
def paper_rows() -> tuple[PaperRow, ...]:
    """All rows, in the order of the tables."""
    data = json.loads((resources.files("resources") / "paper.json").read_text("utf-8"))
    return tuple(PaperRow(**row | {"columns": tuple(row.get("columns", ()))}) for row in data["rows"])


def same_net(architecture: Architecture, row: PaperRow) -> bool:
    """Whether a network is the row's, as far as the row tells; what this version does not know counts as plain."""
    own = {"stacks": 1, "pool": "max", "mid": 0} | asdict(architecture)
    own["binary"] = not own.get("real", False)
    return all(own.get(name) == value for name, value in ({"pool": "max", "mid": 0} | row.net).items())


def beside(run: Run) -> list[Beside]:
    """Every row of the paper beside the run: our figure where network, metric and normaliser are the row's."""
    rows = []
    for row in paper_rows():
        fits = row.metric == run.figures["metric"] and row.normalise in (None, run.figures["normalise"])
        if fits and not row.training and same_net(run.architecture, row):
            ours = _figure(run.figures, row)
            where = "the paper's data" if run.known_as == row.data else f"other data ({run.data})"
            rows.append(Beside(row, ours, f"run, on {where}" if ours is not None else "not run: no yaw in the data"))
        elif fits:
            other = "training" if row.training else "network"
            rows.append(Beside(row, None, f"not run: another {other}; hourbit ablate trains small ones"))
        else:
            rows.append(Beside(row, None, f"not run: needs {DATA_SETS[row.data]}"))
    return rows


def _figure(figures: dict[str, Any], row: PaperRow) -> float | None:
    if not row.bin:
        return figures["mean"]
    yaw = figures.get("yaw")
    return None if yaw is None else yaw["mean_of_bins"] if row.bin == "mean" else yaw["bins"][row.bin]


def table_lines(rows: list[Beside]) -> list[tuple[str, ...]]:
    """Rows of words for a table: table, row, parameters, the paper's figure, ours, and whether it was run."""
    words = [("Table", "Row", "Parameters", "Metric", "Paper", "Ours", "Run?", "Note")]
    for row in rows:
        paper = "-" if row.paper.figure is None else f"{row.paper.figure:.2f}".rstrip("0").rstrip(".")
        ours = "-" if row.ours is None else f"{row.ours:.2f}"
        metric = "PCKh@0.5" if row.paper.metric == "pckh" else f"NME {row.paper.normalise}"
        told = row.paper
        words.append((told.table, told.name, told.parameters, metric, paper, ours, row.run, told.note))
    return words
