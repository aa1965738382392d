"""What is drawn over the live picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Look:
    """What is drawn over the picture. by_score: marks take the colour of their score, viridis from 0 to 1.

    heatmap: one is the selected landmark's, or the most doubtful one's.
    """

    landmarks: bool = True
    lines: bool = True
    box: bool = True
    names: bool = False
    scores: bool = False
    by_score: bool = False
    mirror: bool = False
    heatmap: Literal["off", "one", "max", "sum"] = "off"
    opacity: float = 0.6
