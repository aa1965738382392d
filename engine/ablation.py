"""The rows of the paper's Tables 1 to 8 as changes of one base training, and what the paper concludes from them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from engine.errors import UserError
from engine.paper import PaperRow, paper_rows

LEAST_WIDTH, LEAST_STEM = 32, 16


@dataclass(frozen=True)
class Row:
    """One training: its settings against the base, a factor of the width, and the paper's row, where there is one."""

    id: str
    groups: tuple[str, ...]
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    width: float = 1.0
    paper: PaperRow | None = None

    def all_settings(self, width: int, side: int) -> dict[str, Any]:
        """The row's settings at a size: widths are rounded to what networks may have."""
        wide = max(LEAST_WIDTH, round(width * self.width / 32) * 32)
        stem = max(LEAST_STEM, round(wide / 64) * 16)  # a quarter, as in the paper's network
        return {"width": wide, "stem": stem, "side": side, **self.settings}


@dataclass(frozen=True)
class Claim:
    """A conclusion of the paper: row `better` scores above row `worse`."""

    group: str
    text: str
    better: str
    worse: str


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((resources.files("resources") / "ablations.toml").read_text("utf-8"))


@cache
def rows() -> tuple[Row, ...]:
    """All rows, the base first."""
    known = {row.name: row for row in paper_rows()}
    return tuple(
        Row(one["id"], tuple(one["groups"]), one["name"], one.get("settings", {}), one.get("width", 1.0),
            known[one["paper"]] if "paper" in one else None)
        for one in _data()["row"]
    )  # fmt: skip


def claims() -> tuple[Claim, ...]:
    """All conclusions."""
    return tuple(Claim(**one) for one in _data()["claim"])


def groups() -> tuple[str, ...]:
    """What may be asked for."""
    return rows()[0].groups


def chosen(names: Iterable[str]) -> list[Row]:
    """The rows of some groups, each once; raises UserError for a group that there is not."""
    wanted = list(names)
    for name in wanted:
        if name not in groups():
            raise UserError(f"There are no rows {name!r}; choose from {', '.join(groups())}.")
    return [row for row in rows() if set(row.groups) & set(wanted)]


def alike(wanted: Iterable[Row], width: int, side: int) -> list[Row]:
    """Rows that are the base row at a size, because widths are rounded."""
    base = rows()[0]
    same = base.all_settings(width, side)
    return [row for row in wanted if row is not base and row.all_settings(width, side) == same]


def spread(scores: Iterable[float | None]) -> float | None:
    """How far apart the scores of trainings are that differ in their seed alone; None of fewer than two."""
    known = [score for score in scores if score is not None]
    return max(known) - min(known) if len(known) > 1 else None


def judged(scores: Mapping[str, float | None], more_is_better: bool, chance: float | None) -> list[dict[str, Any]]:
    """Each claim whose two rows have scores: by how much it holds here, and whether by more than chance.

    scores by row id; chance: the `spread` of one row's seeds, None where it is not known and counts as 0.
    """
    found = []
    for claim in claims():
        better, worse = scores.get(claim.better), scores.get(claim.worse)
        if better is not None and worse is not None:
            gain = (better - worse) if more_is_better else (worse - better)
            found.append({"group": claim.group, "claim": claim.text, "holds": gain > (chance or 0.0), "by": gain})
    return found
