"""How sure a detector must be, chosen on held-out photographs: as willing as the false alarms allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine import metrics
from engine.scores import percent
from engine.squares import CLASSES, THRESHOLD, read_squares
from engine.train.hourglass import Hourglass
from engine.train.scenes import Scenes
from engine.train.views import View, plain_view

LEVELS = tuple(round(0.01 * n, 2) for n in range(15, 91))
ALARMS = 0.1  # a picture: no more are wanted
BATCH = 8


def choose(network: Hourglass, holdout: Scenes, device: torch.device) -> tuple[dict[str, float], dict[str, Any]]:
    """The least score of each class, and what it gives on the hold-out: recall and mean IoU, false alarms a picture.

    The lowest level is taken whose false alarms are few enough; without labelled boxes it is THRESHOLD.
    """
    found = detections(network, holdout, device)
    least, told = {}, {}
    for number, name in enumerate(CLASSES):
        scores = {level: score(found, number, level) for level in LEVELS}
        first = next(iter(scores.values()))
        if not first.every:
            least[name] = THRESHOLD
            continue
        few = [level for level in LEVELS if scores[level].alarms <= ALARMS * scores[level].pictures]
        least[name] = few[0] if few else LEVELS[-1]
        best = scores[least[name]]
        told[name] = {
            "recall": round(percent(best.found_every / best.every), 2), "boxes": best.every,
            "false alarms a picture": round(best.alarms / best.pictures, 3),
            "mean overlap": round(float(np.mean(best.iou)), 3) if best.iou else None,
        }  # fmt: skip
    return least, told


@torch.no_grad()
def detections(network: Hourglass, holdout: Scenes, device: torch.device) -> list[tuple[View, list[np.ndarray]]]:
    """Each photograph, shown whole, and the squares of each class found in it, by the exact network."""
    network.eval()
    side, found = network.architecture.side, []
    lowest = dict.fromkeys(CLASSES, LEVELS[0])
    for start in range(0, len(holdout), BATCH):
        views = [plain_view(scene, side) for scene in holdout.scenes[start : start + BATCH]]
        images = torch.from_numpy(np.stack([view.picture for view in views])).permute(0, 3, 1, 2).to(device)
        logits = network(images).cpu().numpy()
        found += [(view, read_squares(one, lowest)) for view, one in zip(views, logits, strict=True)]
    return found


def score(found: list[tuple[View, list[np.ndarray]]], number: int, level: float) -> metrics.BoxScore:
    """One class at one threshold, over the pictures in which it is labelled."""
    rows = []
    for view, squares in found:
        if not view.known[0][-1][number]:
            continue
        sure = squares[number][squares[number][:, 3] >= level]
        labelled, ignored = (_corners(view.boxes[view.kind == kind]) for kind in (number, number + len(CLASSES)))
        corners = np.concatenate([sure[:, :2] - sure[:, 2:3] / 2, sure[:, :2] + sure[:, 2:3] / 2], 1)
        rows.append(metrics.score_boxes(corners, labelled, np.ones(len(labelled), bool), ignored))
    return metrics.join_scores(rows)


def _corners(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
