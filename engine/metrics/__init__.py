"""Accuracy of landmarks, by family: distances and normalisers, curves, bodies, faces, boxes.

Plain NumPy on arrays, without pictures or models. All results are fractions, not percent; NaN says that there
was nothing to measure.
"""

from __future__ import annotations

from engine.metrics.boxes import BoxScore, join_scores, score_boxes, squares
from engine.metrics.curves import auc, auc_steps, ced, failure_rate
from engine.metrics.distances import (
    LSP_LANDMARKS,
    TORSO,
    box_size,
    correct,
    diagonal,
    distances,
    nme,
    pair_distance,
    pupil_distance,
    tight_boxes,
    torso,
)  # fmt: skip
from engine.metrics.faces import YAW_BINS, balanced_subset, by_yaw, yaw_bins
from engine.metrics.pose import COLUMNS, COUNTED, HEAD_SHARE, columns, head_size, means, shares
from engine.metrics.similarity import object_similarity, oks, sigmas

__all__ = [
    "COLUMNS", "COUNTED", "HEAD_SHARE", "LSP_LANDMARKS", "TORSO", "YAW_BINS", "BoxScore", "auc", "auc_steps",
    "balanced_subset", "box_size", "by_yaw", "ced", "columns", "correct", "diagonal", "distances", "failure_rate",
    "head_size", "join_scores", "means", "nme", "object_similarity", "oks", "pair_distance", "pupil_distance",
    "score_boxes", "shares", "sigmas", "squares", "tight_boxes", "torso", "yaw_bins",
]  # fmt: skip
