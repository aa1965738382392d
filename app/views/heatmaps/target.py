"""Whose maps the dock shows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.schema import Schema
from engine.types import Box


@dataclass(frozen=True, eq=False)
class Target:
    """One subject in one picture.

    key: names both; source: the picture's file or pixels (H, W, 3) uint8 RGB; model: the file of the model looked at;
    landmark: the selected one, -1 for none; label (K, 2) float64: places by hand in picture pixels, NaN where no hand
    was; others: (path, title) of models to compare with.
    """

    key: Hashable
    source: Path | np.ndarray
    box: Box
    model: Path
    schema: Schema
    landmark: int
    label: np.ndarray
    others: tuple[tuple[str, str], ...] = ()
