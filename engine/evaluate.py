"""Accuracy of a model on labelled pictures; every figure in percent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import crop, metrics, scores
from engine.architecture import LANDMARKS, SEGMENTATION
from engine.detect import Detector, make_detector
from engine.errors import UserError
from engine.finding import doubt_figures
from engine.labelled import Labelled, load_labelled
from engine.parts import all_known, intersection_over_union, label_schema, mask, overlaps, part_map, parts_of
from engine.predictor import Predictor
from engine.schema import Schema
from engine.scores import MIOU
from engine.types import Box, Prediction, overlap

if TYPE_CHECKING:
    from engine.runtime import Runtime

METRICS = ("nme", "pck", "pckh", "oks", MIOU)
NORMALISERS = ("interocular", "interpupil", "box", "file", "diagonal", "head", "torso")
DECODES = ("parabola", "quarter")
PCK_THRESHOLD, PCKH_THRESHOLD = 0.2, 0.5
MATCH = 0.3  # intersection / union from which a detected box is the labelled subject's
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """What to measure and how.

    metric nme, pck, pckh or oks, of a segmentation miou, by default what suits; normalise interocular (outer eye
    corners), interpupil, box (the tight one), file (the data's own box), diagonal, head or torso; threshold of
    pck and pckh, auc_limit and failure_limit of nme, all as shares of the normaliser; detector "file" takes the
    labelled boxes, any other looks itself; flip: average with the mirror image; decode: parabola, or quarter as in
    the paper's code; doubt: also how many of the worst each criterion of doubt finds, with one more pass.
    """

    metric: str | None = None
    normalise: str | None = None
    threshold: float | None = None
    detector: str | Detector = "file"
    flip: bool = False
    decode: str = "parabola"
    auc_limit: float = scores.AUC_LIMIT
    failure_limit: float = scores.FAILURE_LIMIT
    doubt: bool = False


@dataclass(frozen=True)
class Found:
    """What the model said. points (N, K, 2) picture pixels, NaN where missed; score (N,); found (N,) bool.

    seconds: for everything, reading of pictures and detection included; crop_seconds: the model's part alone.
    """

    points: np.ndarray
    found: np.ndarray
    score: np.ndarray
    seconds: float = 0.0
    crop_seconds: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """A result with what it was made of: `figures` for JSON, and the arrays behind them, one row a subject.

    errors (N, K) float64 percent of the normaliser, NaN where unlabelled, missed or without normaliser;
    size (N,) pixels, NaN where the normaliser's landmarks lack.
    """

    figures: dict[str, Any]
    labelled: Labelled
    seen: Found
    size: np.ndarray
    errors: np.ndarray


def evaluate(
    runtime: Runtime, data: str | Path | Labelled, format: str | None = None, metric: str | None = None,
    normalise: str | None = None, threshold: float | None = None, detector: str | Detector = "file",
    flip: bool = False, progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The figures of a model on a pack or a COCO keypoints file; `Options` says what the words mean.

    Returns metric, normalise, mean, per_landmark, auc, failure_rate (both None for pck), n, missed, left_out and
    what the metric tells besides. Raises UserError for what does not fit.
    """
    options = Options(metric, normalise, threshold, detector, flip)
    return measure(runtime, data, options, format, progress).figures


def measure(
    runtime: Runtime, data: str | Path | Labelled, options: Options = Options(),  # noqa: B008 (a frozen value)
    format: str | None = None, progress: Progress | None = None,
) -> Evaluation:  # fmt: skip
    """Measure a model on a pack, a COCO keypoints file or labelled subjects.

    A subject without a detected box of at least 0.3 intersection over union is missed and stays out of the
    figures (of oks it counts as not found); subjects without any or the normaliser's landmarks are left out. nme: mean
    over subjects; pck: share of all labelled landmarks of weight > 0.5, of bodies over LSP's 14; pckh: plain mean
    over 14 landmarks of all annotated ones. Raises UserError for what does not fit.
    """
    schema, head = label_schema(runtime.model), runtime.model.head
    options = choose(schema, options, head)
    labelled = data if isinstance(data, Labelled) else load_labelled(data, schema, format)
    if head == SEGMENTATION:
        return _measure_parts(runtime, labelled, options, progress)
    size = np.where((labelled.weight > 0).any(1), normaliser(labelled, schema, options.normalise or "box"), np.nan)
    predictor = Predictor(runtime, _detector(options.detector, runtime), options.flip, options.decode)
    judged: dict[int, np.ndarray] = {}

    def judge(n: int, picture: np.ndarray, prediction: Prediction) -> None:
        judged[n] = predictor.doubts(picture, prediction)

    seen = predict_all(predictor, labelled, options.detector == "file", progress, judge if options.doubt else None)
    usable = np.isfinite(size) & (size > 0)
    used = usable & seen.found
    yaw = labelled.extras.get("yaw")
    scored = scores.Scored(
        schema, seen.points[used], labelled.points[used], size[used], labelled.weight[used],
        None if yaw is None else yaw[used],
    )  # fmt: skip
    figures: dict[str, Any] = {"metric": options.metric, "normalise": options.normalise}
    figures |= _figures(scored, options, labelled, seen, predictor)
    errors = np.full(labelled.points.shape[:2], np.nan)
    errors[used] = 100 * scored.errors
    # A subject that is both missed and without normaliser counts as left out: it could not have been scored.
    figures |= {
        "n": int(used.sum()), "missed": int((usable & ~seen.found).sum()), "left_out": int((~usable).sum()),
        "flip": options.flip, "decode": options.decode, "predicted": labelled.predicted, "speed": speed(runtime, seen),
    }  # fmt: skip
    if options.doubt:
        figures["doubt"] = doubt_figures(errors, judged)
    return Evaluation(figures, labelled, seen, size, errors)


def _measure_parts(
    runtime: Runtime, labelled: Labelled, options: Options, progress: Progress | None
) -> Evaluation:
    """Mean IoU of a segmentation. A subject that lacks a landmark has no mask and is left out."""
    division = parts_of(runtime.model.schema)
    predictor = Predictor(runtime, _detector(options.detector, runtime), options.flip)
    usable = all_known(labelled.weight)
    counted = np.full((len(labelled), len(division), 2), np.nan)

    def compare(n: int, picture: np.ndarray, prediction: Prediction) -> None:
        if usable[n]:
            found = part_map(prediction.heatmaps)
            truth = mask(division, crop.apply(prediction.heatmaps.affine, labelled.points[n]), len(found))
            counted[n] = overlaps(found, truth, len(division))

    seen = predict_all(predictor, labelled, options.detector == "file", progress, compare)
    figures = {"metric": MIOU, "normalise": None} | scores.score_parts(division.schema, counted) | {
        "n": int((usable & seen.found).sum()), "missed": int((usable & ~seen.found).sum()),
        "left_out": int((~usable).sum()), "flip": options.flip, "decode": None, "predicted": labelled.predicted,
        "speed": speed(runtime, seen),
    }  # fmt: skip
    errors = 100 * (1 - intersection_over_union(counted))
    return Evaluation(figures, labelled, seen, np.where(usable, 1.0, np.nan), errors)


def _figures(
    scored: scores.Scored, options: Options, labelled: Labelled, seen: Found, predictor: Predictor
) -> dict[str, Any]:
    if options.metric == "nme":
        return scores.score_nme(scored, options.auc_limit, options.failure_limit)
    if options.metric == "oks":
        from engine.precision import average_precision

        return average_precision(predictor, labelled, seen, options.detector == "file")
    if options.metric == "pckh":
        return scores.score_pck(scored, options.threshold or PCKH_THRESHOLD, scored.weight > 0, "plain")
    counted = scored.weight > 0.5
    if scored.schema.by_mpii:
        counted = counted & np.isin(np.arange(len(scored.schema)), metrics.LSP_LANDMARKS)
    return scores.score_pck(scored, options.threshold or PCK_THRESHOLD, counted, "weighted")


def speed(runtime: Runtime, seen: Found) -> dict[str, Any]:
    """Which runtime computed, and how fast: milliseconds a crop and pictures a second, wall time."""
    crops = int(seen.found.sum())
    return {
        "runtime": runtime.name, "isa": runtime.isa, "threads": runtime.threads,
        "ms_per_crop": 1000 * seen.crop_seconds / crops if crops else None,
        "pictures_per_second": len(seen.found) / seen.seconds if seen.seconds > 0 else None,
    }  # fmt: skip


def predict_all(
    predictor: Predictor, labelled: Labelled, boxes_from_file: bool, progress: Progress | None = None,
    see: Callable[[int, np.ndarray, Prediction], None] | None = None,
) -> Found:  # fmt: skip
    """Landmarks of every labelled subject, from its own box or from the detected box that covers it best.

    see(n, picture, prediction) is called, with heatmaps, for each subject that was found.
    """
    count = (len(labelled), predictor.runtime.model.landmarks, 2)
    points, found = np.full(count, np.nan), np.zeros(len(labelled), bool)
    score, crops, start = np.full(len(labelled), np.nan), 0.0, time.perf_counter()
    last, detected, picture = None, [], np.zeros((1, 1, 3), np.uint8)
    for n in range(len(labelled)):
        if not labelled.image or labelled.image[n] != last:
            last, picture = labelled.image[n] if labelled.image else None, labelled.picture(n)
            detected = [] if boxes_from_file else predictor.detector.detect(picture)
        own = Box(*(float(v) for v in labelled.box[n]), origin="file")
        box: Box | None = own
        if not boxes_from_file:
            box = max(detected, key=lambda b, own=own: overlap(b, own), default=None)
            if box is not None and overlap(box, own) < MATCH:
                box = None
        if box is not None:
            began = time.perf_counter()
            prediction = predictor.predict_box(picture, box, see is not None)
            crops += time.perf_counter() - began
            points[n], found[n], score[n] = prediction.landmarks[:, :2], True, prediction.score
            if see is not None:
                see(n, picture, prediction)
        if progress is not None:
            progress(n + 1, len(labelled))
    return Found(points, found, score, time.perf_counter() - start, crops)


def normaliser(labelled: Labelled, schema: Schema, name: str) -> np.ndarray:
    """(N,) float64 pixels by which errors are divided; NaN for subjects that lack what it needs.

    Raises UserError where the data holds no such size for anybody.
    """
    points, known = labelled.points, labelled.weight > 0
    if name == "head":
        if "head_size" not in labelled.extras:
            raise UserError("The labels hold no head sizes, which pckh needs; add head boxes, or use --metric pck.")
        return np.asarray(labelled.extras["head_size"], np.float64)
    if name == "file":
        return np.asarray(labelled.extras.get("box_size", labelled.box[:, 2]), np.float64)
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
    measured = metrics.box_size if name == "box" else metrics.diagonal
    size[some] = measured(masked[some])
    return size


def _detector(detector: str | Detector, runtime: Runtime) -> Detector:
    if isinstance(detector, str):
        return make_detector("whole" if detector == "file" else detector, runtime)
    return detector


def choose(schema: Schema, options: Options, head: str = LANDMARKS) -> Options:
    """The options with the schema's defaults for metric and normaliser; raises UserError where they do not fit.

    schema: of the labels; head: what the model's maps mean.
    """
    face, body = "Right eye" in schema.groups and "Left eye" in schema.groups, schema.by_mpii
    for name in ("threshold", "auc_limit", "failure_limit"):
        value = getattr(options, name)
        if value is not None and not (np.isfinite(value) and value > 0):
            what = name.replace("_", " ").replace("auc", "AUC")
            raise UserError(f"The {what} is a share of the normaliser, above 0, such as 0.2, not {value}.")
    if options.decode not in DECODES:
        raise UserError(f"Unknown decoding {options.decode!r}; use one of {', '.join(DECODES)}.")
    metric = options.metric or (MIOU if head == SEGMENTATION else "pck" if body else "nme")
    if metric not in METRICS:
        raise UserError(f"Unknown metric {metric!r}; use one of {', '.join(METRICS)}.")
    if (metric == MIOU) != (head == SEGMENTATION):
        raise UserError(f"{MIOU} is the metric of segmentations and their only one; leave --metric out.")
    if metric == "pckh" and not body:
        raise UserError(f"{schema.title} has no head size, so no pckh; use --metric pck or nme.")
    default = "head" if metric == "pckh" else "torso" if body else "interocular" if face else "box"
    normalise = options.normalise or ("box" if metric == "oks" else default)
    fits = dict.fromkeys(NORMALISERS, True) | {"interocular": face, "interpupil": face, "torso": body, "head": body}
    if normalise not in fits:
        raise UserError(f"Unknown normaliser {normalise!r}; use one of {', '.join(fits)}.")
    if not fits[normalise]:
        raise UserError(f"{schema.title} has no {normalise} distance; normalise by box or diagonal.")
    return replace(options, metric=metric, normalise=normalise)
