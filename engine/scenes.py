"""Detectors on scene packs: whole photographs with the boxes of faces and people, and regions that do not count."""

from __future__ import annotations

import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import metrics
from engine.detect import Detector
from engine.errors import UserError
from engine.images import decode
from engine.samples import sample_people
from engine.scores import percent
from engine.squares import CLASSES, PERSON_MARGIN
from engine.types import Box

BY_LANDMARKS = ("person",)  # detectors whose boxes end at the outermost landmark


@dataclass(frozen=True)
class Boxes:
    """The labelled boxes of one class, picture by picture.

    boxes, ignored: N arrays (M, 4) x0, y0, x1, y1 in picture pixels; human: N arrays (M,) bool; known (N,) bool:
    whether the class is labelled in the picture at all.
    """

    boxes: list[np.ndarray]
    human: list[np.ndarray]
    ignored: list[np.ndarray]
    known: np.ndarray


@dataclass(frozen=True)
class ScenePack:
    """N photographs, (H, W, 3) uint8 RGB by picture(n), and their boxes by class."""

    picture: Callable[[int], np.ndarray]
    count: int
    classes: dict[str, Boxes]
    sources: tuple[str, ...] = ()  # where each picture is from, if the pack says so


def is_scenes(path: Path) -> bool:
    """Whether a file is a scene pack: an .npz with face or person boxes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"face_boxes.npy", "person_boxes.npy"} & set(archive.namelist()) != set()
    except (zipfile.BadZipFile, OSError):
        return False


def load_scenes(path: str | Path) -> ScenePack:
    """Read a scene pack; raises UserError where it is damaged or none."""
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as data:
            return _read(path, {name: data[name] for name in data.files})
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, IndexError) as error:
        raise UserError(f"{path.name} is no scene pack ({error}); check that the file is complete.") from error


def _read(path: Path, data: dict[str, np.ndarray]) -> ScenePack:
    blob, offsets = data["blob"], data["offsets"].astype(np.int64)
    count = len(offsets) - 1
    if count < 1 or offsets[0] < 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(blob):
        raise ValueError("its picture offsets do not fit")
    ignored = _rows(data, "ignore_boxes", "ignore_offsets", count) if "ignore_boxes" in data else None
    classes = {}
    for number, name in enumerate(CLASSES):
        if f"{name}_boxes" not in data:
            continue
        boxes = _rows(data, f"{name}_boxes", f"{name}_offsets", count)
        kinds = _rows(data, f"{name}_kind", f"{name}_offsets", count) if f"{name}_kind" in data else None
        human = [np.ones(len(b), bool) for b in boxes] if kinds is None else [_text(k) == "human" for k in kinds]
        passed = [np.zeros((0, 4))] * count
        if ignored is not None:
            of = _rows(data, "ignore_class", "ignore_offsets", count)
            passed = [b[c == number] for b, c in zip(ignored, of, strict=True)]
        known = np.asarray(data.get(f"{name}_known", np.ones(count, bool)), bool)
        if known.shape != (count,):
            raise ValueError(f"{name}_known does not fit its {count} pictures")
        classes[name] = Boxes([b.astype(np.float64) for b in boxes], human, passed, known)

    def picture(n: int) -> np.ndarray:
        return decode(blob[offsets[n] : offsets[n + 1]].tobytes(), f"Picture {n} of {path.name}")

    sources = tuple(str(name) for name in _text(data["source"])) if "source" in data else ()
    if len(sources) not in (0, count):
        raise ValueError(f"source does not fit its {count} pictures")
    return ScenePack(picture, count, classes, sources)


def _text(values: np.ndarray) -> np.ndarray:
    return values.astype("U") if values.dtype.kind == "S" else values


def _rows(data: dict[str, np.ndarray], name: str, offsets: str, count: int) -> list[np.ndarray]:
    """The rows of each picture."""
    values, at = data[name], data[offsets].astype(np.int64)
    if at.shape != (count + 1,) or (np.diff(at) < 0).any() or at[0] != 0 or at[-1] != len(values):
        raise ValueError(f"{offsets} does not fit {name}")
    if name.endswith("_boxes") and (values.ndim != 2 or values.shape[1] != 4 or not np.isfinite(values).all()):
        raise ValueError(f"{name} must be (M, 4) finite numbers")
    return [values[a:b] for a, b in zip(at[:-1], at[1:], strict=True)]


def sample_scenes() -> ScenePack:
    """The sample pictures that ship, with the square around the landmarks of each one's face."""
    people = sample_people()
    boxes = [np.concatenate([p.landmarks.min(0), p.landmarks.max(0)])[None] for p in people]
    none, human = [np.zeros((0, 4))] * len(people), [np.ones(1, bool)] * len(people)
    faces = Boxes([metrics.squares(b) for b in boxes], human, none, np.ones(len(people), bool))
    return ScenePack(lambda n: people[n].pixels, len(people), {"face": faces})


def evaluate_detector(
    detector: Detector, looks_for: Iterable[str], scenes: ScenePack, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Recall, false alarms and mean overlap of a detector; percent, milliseconds a picture.

    Boxes count as squares of their longer side. recall is that of the human-labelled boxes where there are any,
    else of all; both stand beside it. A class that the detector does not look for, or the pack does not hold,
    is None.
    """
    looks_for = tuple(looks_for)
    told: dict[str, Any] = dict.fromkeys(CLASSES)
    margin = PERSON_MARGIN if detector.name in BY_LANDMARKS else 1.0
    threshold = getattr(detector, "threshold", None)
    found: dict[str, list[metrics.BoxScore]] = {name: [] for name in looks_for if name in scenes.classes}
    seconds = []
    for n in range(scenes.count):
        picture = scenes.picture(n)
        start = time.perf_counter()
        boxes = detector.detect(picture)
        seconds.append(time.perf_counter() - start)
        for name, scores in found.items():
            own = scenes.classes[name]
            if own.known[n]:
                corners = np.array([_corners(b, margin) for b in boxes if _class(b, looks_for) == name]).reshape(-1, 4)
                scores.append(metrics.score_boxes(corners, own.boxes[n], own.human[n], own.ignored[n]))
        if progress is not None:
            progress(n + 1, scenes.count)
    for name, scores in found.items():
        own = threshold.get(name) if isinstance(threshold, Mapping) else threshold
        told[name] = summary(metrics.join_scores(scores)) | {"threshold": own}
    return told | {"ms": 1000 * float(np.median(seconds)), "pictures": scenes.count}


def summary(score: metrics.BoxScore) -> dict[str, Any]:
    """The figures of one class for JSON; percent, None where nothing is labelled."""
    human = percent(score.found_human / score.human) if score.human else None
    every = percent(score.found_every / score.every) if score.every else None
    return {
        "recall": every if human is None else human, "recall_is": "all" if human is None else "human",
        "n": score.human or score.every, "recall_human": human, "n_human": score.human, "recall_all": every,
        "n_all": score.every, "false_alarms": score.alarms, "doubles": score.doubles,
        "false_alarms_per_picture": score.alarms / score.pictures if score.pictures else None,
        "doubles_per_picture": score.doubles / score.pictures if score.pictures else None,
        "mean_iou": float(np.mean(score.iou)) if score.iou else None, "pictures": score.pictures,
    }  # fmt: skip


def _class(box: Box, looks_for: tuple[str, ...]) -> str:
    """What a detector that looks for several classes says a box is; its origin."""
    return looks_for[0] if len(looks_for) == 1 else box.origin


def _corners(box: Box, margin: float) -> tuple[float, float, float, float]:
    half = box.side / 2 * margin
    return box.cx - half, box.cy - half, box.cx + half, box.cy + half
