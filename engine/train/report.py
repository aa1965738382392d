"""What a training reached, told for people: figures before and after, the card, the worst pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine import crop, metrics
from engine.modelfile import write_whole
from engine.predictor import LEAST
from engine.train import augment, measure
from engine.train.datasets import Examples
from engine.train.recipes import Recipe
from engine.train.starting import Asked
from engine.train.tasks import Measured, Task

LONGEST_LIST = 1000  # images whose errors are told one by one
WORST = 12  # pictures kept for looking at
LIMIT = 8.0  # percent: an image above it counts as a failure
WORST_FILE = "worst.npz"


def compare(task: Task, before: Measured | None, after: Measured | None) -> dict[str, Any]:
    """Figures of both, named alike: the score, by group, by image, and for NME the area and the failures."""
    told: dict[str, Any] = {"metric": task.metric}
    for name, found in (("before", before), ("after", after)):
        told[name] = None if found is None else found.score
        if found is None:
            continue
        images = np.array(measure.by_image(found.errors))
        told[f"{name}_groups"] = dict(found.groups)
        told[f"{name}_images"] = [round(float(v), 2) for v in images[:LONGEST_LIST]]
        if told["metric"] == "nme":
            told[f"{name}_auc"] = metrics.auc(images, LIMIT)
            told[f"{name}_failures"] = 100 * metrics.failure_rate(images, LIMIT)
    return told


def card(asked: Asked, told: Mapping[str, Any]) -> dict[str, Any]:
    """The model card of a training on landmarks or parts; `told` is what `compare` and the training say of it."""
    made = origin(asked) | {
        "labels": told["labels"], "held out": told["held_out"], "steps": told["best_step"],
        "hold-out": {told["metric"]: told["after"]}, "groups": told.get("after_groups") or {},
    }  # fmt: skip
    if asked.parent is not None:
        made["hold-out"][f"{told['metric']} of the parent"] = told["before"]
    return made


def origin(asked: Asked) -> dict[str, Any]:
    """What every model card says of where its model is from."""
    made: dict[str, Any] = {
        "data": [path.name for path in asked.files], "recipe": asked.recipe_name, "batch": asked.recipe.batch,
        "rate": asked.recipe.rate, "seed": asked.seed, "date": asked.date,
    }  # fmt: skip
    if asked.parent is not None:
        made |= {"parent": asked.parent.name, "parent sha256": asked.parent.sha256}
        made["terms"] = asked.parent.card.get("terms", "")
        made |= {LEAST: asked.parent.card[LEAST]} if LEAST in asked.parent.card else {}
    return made


def write_worst(
    folder: Path, holdout: Examples, recipe: Recipe, before: Measured | None, after: Measured
) -> Path:
    """Keep the held-out pictures with the largest errors, worst first, as `worst.npz`; returns its path.

    picture (n, S, S, 3) uint8; truth, before, after (n, K, 2) float32 in its pixels; known (n, K) bool;
    error_before, error_after (n,) float32 percent, NaN where unknown; id (n,) bytes.
    """
    known, mean = np.isfinite(after.errors), _means(after.errors)
    order = [int(i) for i in np.argsort(-np.nan_to_num(mean, nan=-1.0), kind="stable")[:WORST] if known[i].any()]
    fields: dict[str, list[np.ndarray]] = {"picture": [], "truth": [], "before": [], "after": []}
    for i in order:
        picture, affine = augment.plain_crop(holdout, i, recipe)
        fields["picture"].append(picture)
        for name, points in (("truth", after.truth), ("after", after.points),
                             ("before", before.points if before is not None else after.truth)):  # fmt: skip
            fields[name].append(crop.apply(affine, points[i]).astype(np.float32))
    old = np.full(len(known), np.nan) if before is None else _means(before.errors)
    arrays = {name: np.stack(values) for name, values in fields.items() if values}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, **arrays, known=known[order], error_before=old[order].astype(np.float32),
        error_after=mean[order].astype(np.float32),
        id=np.array([holdout.ids[i].encode() if holdout.ids else b"" for i in order] or [b""][:0], dtype="S"),
    )  # fmt: skip
    path = folder / WORST_FILE
    write_whole(path, buffer.getvalue())
    return path


def _means(errors: np.ndarray) -> np.ndarray:
    means = np.full(len(errors), np.nan)
    known = np.isfinite(errors).any(1)
    means[known] = np.nanmean(errors[known], 1)
    return means
