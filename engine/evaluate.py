"""Accuracy of a model on labelled pictures; every figure in percent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import metrics
from engine.detect import Detector, make_detector, overlap
from engine.errors import UserError
from engine.labelled import Labelled, load_labelled
from engine.predictor import Predictor
from engine.schema import Schema
from engine.types import Box

if TYPE_CHECKING:
    from engine.runtime import Runtime

METRICS = ("nme", "pck")
PCK_THRESHOLD = 0.2
AUC_LIMIT, FAILURE_LIMIT = 0.07, 0.08
MATCH = 0.3  # intersection / union from which a detected box is the labelled subject's


@dataclass(frozen=True)
class Found:
    """What the model said. points (N, K, 2) picture pixels, NaN where missed; found (N,) bool."""

    points: np.ndarray
    found: np.ndarray


def evaluate(
    runtime: Runtime, data: str | Path | Labelled, format: str | None = None, metric: str | None = None,
    normalise: str | None = None, threshold: float | None = None, detector: str | Detector = "file",
    flip: bool = False, progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Measure a model on a pack or a COCO keypoints file.

    metric nme or pck, by default what suits the schema; normalise interocular (outer eye corners), interpupil,
    box, diagonal or torso; threshold of pck, a share of the normaliser; detector "file" takes the labelled boxes,
    any other looks itself: a subject without a box of at least 0.3 intersection over union is missed and stays
    out of the figures. Subjects without the normaliser's landmarks are left out.

    Returns metric, normalise, mean, per_landmark, auc, failure_rate (both None for pck), n, missed and
    left_out. nme: mean over subjects; pck: share of all labelled landmarks of weight > 0.5, of bodies over
    LSP's 14. Raises UserError for what does not fit.
    """
    schema = runtime.model.schema
    metric, normalise = _choose(schema, metric, normalise)
    if threshold is not None and not (np.isfinite(threshold) and threshold > 0):
        raise UserError(f"The threshold is a share of the normaliser, above 0, such as 0.2, not {threshold}.")
    labelled = data if isinstance(data, Labelled) else load_labelled(data, schema, format)
    size = normaliser(labelled, schema, normalise)
    seen = predict_all(Predictor(runtime, _detector(detector, runtime), flip), labelled, detector == "file", progress)
    usable = np.isfinite(size) & (size > 0)
    used = usable & seen.found
    # A subject that is both missed and without normaliser counts as left out: it could not have been scored.
    result: dict[str, Any] = {"metric": metric, "normalise": normalise}
    pick = (seen.points[used], labelled.points[used], size[used], labelled.weight[used])
    if metric == "nme":
        result |= _nme(schema, *pick)
    else:
        result |= _pck(schema, *pick, PCK_THRESHOLD if threshold is None else threshold)
    return result | {
        "n": int(used.sum()), "missed": int((usable & ~seen.found).sum()), "left_out": int((~usable).sum())
    }  # fmt: skip


def predict_all(
    predictor: Predictor, labelled: Labelled, boxes_from_file: bool, progress: Callable[[int, int], None] | None = None
) -> Found:
    """Landmarks of every labelled subject, from its own box or from the detected box that covers it best."""
    points, found = np.full(labelled.points.shape, np.nan), np.zeros(len(labelled), bool)
    for n in range(len(labelled)):
        picture, own = labelled.picture(n), Box(*(float(v) for v in labelled.box[n]), origin="file")
        box: Box | None = own
        if not boxes_from_file:
            box = max(predictor.detector.detect(picture), key=lambda b: overlap(b, own), default=None)
            if box is not None and overlap(box, own) < MATCH:
                box = None
        if box is not None:
            points[n], found[n] = predictor.predict_box(picture, box).landmarks[:, :2], True
        if progress is not None:
            progress(n + 1, len(labelled))
    return Found(points, found)


def normaliser(labelled: Labelled, schema: Schema, name: str) -> np.ndarray:
    """(N,) float64 pixels by which errors are divided; NaN for subjects that lack the landmarks it needs."""
    points, known = labelled.points, labelled.weight > 0
    if name == "torso":
        return metrics.torso(points, labelled.weight)
    if name == "interocular":
        a, b = schema.normaliser
        return np.where(known[:, a] & known[:, b], metrics.pair_distance(points, (a, b)), np.nan)
    if name == "interpupil":
        eyes = [list(schema.groups[group]) for group in ("Right eye", "Left eye")]
        return np.where(known[:, eyes[0] + eyes[1]].all(1), metrics.pupil_distance(points, *eyes), np.nan)
    masked = np.where(known[..., None], points, np.nan)
    some = known.sum(1) > 1
    size = np.full(len(points), np.nan)
    measure = metrics.box_size if name == "box" else metrics.diagonal
    size[some] = measure(masked[some])
    return size


def _detector(detector: str | Detector, runtime: Runtime) -> Detector:
    if isinstance(detector, str):
        return make_detector("whole" if detector == "file" else detector, runtime)
    return detector


def _choose(schema: Schema, metric: str | None, normalise: str | None) -> tuple[str, str]:
    """Metric and normaliser by name, with the schema's defaults; raises UserError where they do not fit."""
    face, body = "Right eye" in schema.groups and "Left eye" in schema.groups, schema.name == "mpii16"
    metric = metric or ("pck" if body else "nme")
    if metric in ("pckh", "oks") or normalise == "head":
        raise UserError(
            "Head sizes and areas, which pckh and oks need, are not in these files; use --metric pck or nme."
        )
    if metric not in METRICS:
        raise UserError(f"Unknown metric {metric!r}; use one of {', '.join(METRICS)}.")
    normalise = normalise or ("torso" if body else "interocular" if face else "box")
    fits = {"interocular": face, "interpupil": face, "torso": body, "box": True, "diagonal": True}
    if normalise not in fits:
        raise UserError(f"Unknown normaliser {normalise!r}; use one of {', '.join(fits)}.")
    if not fits[normalise]:
        raise UserError(f"{schema.title} has no {normalise} distance; normalise by box or diagonal.")
    return metric, normalise


def _nme(schema: Schema, points: np.ndarray, truth: np.ndarray, size: np.ndarray, weight: np.ndarray) -> dict:
    errors = metrics.nme(points, truth, size, weight)
    single = np.where(weight > 0, metrics.distances(points, truth) / size[:, None], np.nan)
    return {
        "mean": _percent(errors), "per_landmark": _per_landmark(schema, single),
        "auc": _percent(metrics.auc(errors, AUC_LIMIT)), "failure_rate": _percent(
            metrics.failure_rate(errors, FAILURE_LIMIT)),
    }  # fmt: skip


def _pck(
    schema: Schema, points: np.ndarray, truth: np.ndarray, size: np.ndarray, weight: np.ndarray, threshold: float
) -> dict:
    hit = metrics.correct(points, truth, size, threshold).astype(np.float64)
    counted = weight > 0.5
    if schema.name == "mpii16":
        counted &= np.isin(np.arange(len(schema)), metrics.LSP_JOINTS)
    single = np.where(counted, hit, np.nan)
    return {
        "mean": _percent(single), "per_landmark": _per_landmark(schema, single), "auc": None, "failure_rate": None
    }  # fmt: skip


def _per_landmark(schema: Schema, values: np.ndarray) -> dict[str, float]:
    """Name -> mean in percent, of the landmarks that are labelled anywhere."""
    return {
        name: _percent(values[:, k]) for k, name in enumerate(schema.landmarks) if np.isfinite(values[:, k]).any()
    }


def _percent(values: np.ndarray | float) -> float | None:
    """Mean of the finite values in percent; None where there are none, as strict JSON wants it."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    return 100 * float(finite.mean()) if finite.size else None
