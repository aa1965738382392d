"""OKS and average precision as COCO measures them, through pycocotools (an optional extra, loaded when asked for)."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import metrics, scores
from engine.errors import UserError
from engine.predictor import Predictor
from engine.subjects import Labelled

if TYPE_CHECKING:
    from engine.evaluate import Found

NAMES = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large")


def average_precision(predictor: Predictor, labelled: Labelled, seen: Found, boxes_from_file: bool) -> dict[str, Any]:
    """AP and AR over OKS 0.5 to 0.95, and OKS itself of the subjects found; percent.

    With the file's boxes there is one detection a subject, scored by its landmarks; with a detector every
    detection in every picture of the data counts, so that false ones cost precision. Crowds and subjects
    without landmarks are ignored as COCO does it.
    """
    schema = predictor.runtime.model.schema
    sigma = metrics.sigmas(schema.sigmas, len(schema))
    area = subject_areas(labelled)
    hit = seen.found
    similarity = metrics.object_similarity(seen.points[hit], labelled.points[hit], area[hit], sigma)
    known = labelled.weight[hit] > 0
    told: dict[str, Any] = {
        "auc": None, "failure_rate": None, "curve": None,
        "per_landmark": scores.per_landmark(schema, np.where(known, similarity, np.nan)),
        "oks": scores.percent(metrics.oks(similarity, labelled.weight[hit])),
        "area": "of the labels" if "area" in labelled.extras else "of the landmarks' box",
    }  # fmt: skip
    found = _per_subject(labelled, seen) if boxes_from_file else _per_picture(predictor, labelled)
    told |= coco_figures(labelled, area, found, sigma)
    return told | {"mean": told["ap"], "detections": len(found)}


def subject_areas(labelled: Labelled) -> np.ndarray:
    """(N,) square pixels: the labels' own areas, else the tight box of the labelled landmarks."""
    if "area" in labelled.extras:
        return np.asarray(labelled.extras["area"], np.float64)
    known = (labelled.weight > 0)[..., None]
    low, high = np.where(known, labelled.points, np.inf).min(1), np.where(known, labelled.points, -np.inf).max(1)
    return np.where(known.any((1, 2)), np.clip(high - low, 0, None).prod(1), 0.0)


def coco_figures(
    labelled: Labelled, area: np.ndarray, found: list[dict[str, Any]], sigma: np.ndarray
) -> dict[str, float | None]:
    """pycocotools' ten figures for detections {"image_id", "keypoints", "score"}; percent, None where undefined."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise UserError('Average precision needs pycocotools; use: pip install "hourbit[evaluate]".') from error
    if not found:
        return dict.fromkeys(NAMES, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # it reports on stdout, which is the command's own
        truth = COCO()
        truth.dataset = _truth(labelled, area)
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(found), "keypoints")
        run.params.kpt_oks_sigmas = sigma
        run.evaluate()
        run.accumulate()
        run.summarize()
    return {name: 100 * float(v) if v >= 0 else None for name, v in zip(NAMES, run.stats, strict=True)}


def _truth(labelled: Labelled, area: np.ndarray) -> dict[str, Any]:
    count = labelled.scenes.count if labelled.scenes else len(labelled)
    rows = [_subject(labelled, area, n) for n in range(len(labelled))]
    k = labelled.points.shape[1]
    for image, box, crowd in labelled.scenes.ignored if labelled.scenes else ():
        rows.append({
            "id": len(rows) + 1, "image_id": image, "category_id": 1, "keypoints": [0] * (3 * k), "num_keypoints": 0,
            "bbox": list(box), "area": box[2] * box[3], "iscrowd": int(crowd),
        })  # fmt: skip
    return {"images": [{"id": n} for n in range(count)], "categories": [{"id": 1}], "annotations": rows, "info": {}}


def _subject(labelled: Labelled, area: np.ndarray, n: int) -> dict[str, Any]:
    seen = np.select([labelled.weight[n] > 0.5, labelled.weight[n] > 0], [2, 1], 0)
    known = labelled.points[n][seen > 0]
    if not len(known):  # ignored by COCO, as far as its box reaches
        cx, cy, side = labelled.box[n]
        known = np.array([[cx - side / 2, cy - side / 2], [cx + side / 2, cy + side / 2]])
    (x, y), (right, bottom) = known.min(0), known.max(0)
    return {
        "id": n + 1, "image_id": labelled.image[n] if labelled.image else n, "category_id": 1, "iscrowd": 0,
        "keypoints": np.column_stack([labelled.points[n], seen]).astype(float).ravel().tolist(),
        "num_keypoints": int((seen > 0).sum()), "area": float(area[n]),
        "bbox": [float(x), float(y), float(right - x), float(bottom - y)],
    }  # fmt: skip


def _detection(image: int, points: np.ndarray, score: float) -> dict[str, Any]:
    values = np.column_stack([points, np.ones(len(points))]).astype(float).ravel().tolist()
    return {"image_id": image, "category_id": 1, "keypoints": values, "score": float(score)}


def _per_subject(labelled: Labelled, seen: Found) -> list[dict[str, Any]]:
    return [
        _detection(labelled.image[n] if labelled.image else int(n), seen.points[n], seen.score[n])
        for n in np.flatnonzero(seen.found)
    ]


def _per_picture(predictor: Predictor, labelled: Labelled) -> list[dict[str, Any]]:
    count, load = len(labelled), labelled.picture
    if labelled.scenes is not None:
        count, load = labelled.scenes.count, labelled.scenes.load
    return [
        _detection(n, prediction.landmarks[:, :2], prediction.score * prediction.box.score)
        for n in range(count) for prediction in predictor.predict(load(n))
    ]  # fmt: skip
