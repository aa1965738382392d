"""Detectors of other makers as ONNX files, which give boxes and scores.

What the ONNX file cannot say stands in a JSON file of the same name beside it:

    {"boxes": "boxes",            name of the output with N boxes, (N, 4) or (1, N, 4); needed
     "scores": "scores",          that with their scores, (N), (1, N), (N, C) or (1, N, C); needed
     "columns": {"face": 0},      which of the C scores is of a face, which of a person; else the first, of faces
     "form": "corners",           x0, y0, x1, y1; or "centre": middle, width, height
     "unit": "pixels",            of the input; or "share": of its width and height
     "threshold": 0.5,            least score
     "same": 0.45,                overlap from which two boxes are one subject
     "side": 1.0, "drop": 0.0,    a landmark box's side / the box's longer side, and how far its centre lies lower
     "colour": "RGB", "range": 1, "mean": [0, 0, 0], "std": [1, 1, 1]}      as in engine.external

Its one input is (1 or N, 3, H, W) float32; the whole picture is shown as large as fits, in the upper left corner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.external import (
    MAX_FILE,
    SUFFIX,
    ExternalModelError,
    Unfit,
    choice,
    description_path,
    number,
    picture_input,
    read_bytes,
    read_description,
    three,
)
from engine.onnxfile import OnnxFileError, read_contents
from engine.opencv import cv2
from engine.squares import CLASSES, suppress_squares
from engine.types import Box, check_picture

FORMS, UNITS = ("corners", "centre"), ("pixels", "share")
KEYS = ("boxes", "scores", "columns", "form", "unit", "threshold", "same", "side", "drop", "colour", "range", "mean",
        "std")  # fmt: skip
MOST = 1000  # boxes of a class that are looked at, the surest first
GREY = 114  # around the picture


@dataclass(frozen=True)
class Reading:
    """How pixels go in and boxes come out; size (H, W), the rest as the description says."""

    source: str
    size: tuple[int, int]
    boxes: str
    scores: str
    columns: Mapping[str, int]
    centre: bool
    share: bool
    threshold: float
    same: float
    side: float
    drop: float
    bgr: bool
    peak: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def claims(path: Path) -> bool:
    """Whether a file is an ONNX network whose description names its boxes."""
    if path.suffix.lower() != SUFFIX or not description_path(path).is_file():
        return False
    return "boxes" in read_description(path)


class BoxFile:
    """A described ONNX file as a detector, with landmark boxes."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Raises UserError where file or description cannot be used."""
        from engine.runtime.onnx.external import faults, first_line
        from engine.runtime.onnx.session import open_session

        self.name, self._line, self._faults = path.stem, first_line, faults()
        try:
            data = read_bytes(path, MAX_FILE)
            self.reading = _reading(read_description(path), data)
        except (OnnxFileError, Unfit) as error:
            raise ExternalModelError(f"{path.name}: {error}") from error
        self.classes, self.threshold = tuple(self.reading.columns), self.reading.threshold
        try:
            self._session = open_session(data, threads)
        except self._faults as error:
            told = self._line(error)
            raise ExternalModelError(f"ONNX Runtime cannot load {path.name} ({told}); use another.") from error

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Landmark boxes in (H, W, 3) uint8 RGB, largest first; their origin is their class."""
        check_picture(picture)
        reading = self.reading
        scale = min(reading.size[0] / picture.shape[0], reading.size[1] / picture.shape[1])
        boxes, scores = self._run(self._planes(picture, scale))
        found: list[Box] = []
        for name, column in reading.columns.items():
            if column >= scores.shape[1]:
                given = scores.shape[1]
                raise ExternalModelError(f"{self.name} gives {given} scores a box, so no column {column}; correct it.")
            squares = np.concatenate([self._squares(boxes), scores[:, column, None]], 1)
            sure = np.isfinite(squares).all(1) & (squares[:, 3] >= reading.threshold) & (squares[:, 2] > 0)
            squares = squares[sure]
            squares = squares[np.argsort(-squares[:, 3], kind="stable")[:MOST]]
            for x, y, side, score in suppress_squares(squares, reading.same):
                # Edges at 0 become pixel centres at -0.5.
                found.append(Box(x / scale - 0.5, y / scale - 0.5, side / scale, min(float(score), 1.0), name))
        return sorted(found, key=lambda box: -box.side)

    def _planes(self, picture: np.ndarray, scale: float) -> np.ndarray:
        """(1, 3, H, W) float32."""
        reading = self.reading
        size = [max(1, min(most, round(n * scale))) for n, most in zip(picture.shape[:2], reading.size, strict=True)]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        whole = np.full((*reading.size, 3), GREY, np.uint8)
        whole[: size[0], : size[1]] = cv2.resize(picture, (size[1], size[0]), interpolation=way)
        pixels = whole[..., :: -1 if reading.bgr else 1].astype(np.float32) * np.float32(reading.peak / 255)
        planes = ((pixels - np.float32(reading.mean)) / np.float32(reading.std)).transpose(2, 0, 1)[None]
        return np.ascontiguousarray(planes)

    def _run(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) and scores (N, C), float64."""
        names = [self.reading.boxes, self.reading.scores]
        try:
            boxes, scores = self._session.run(names, {self.reading.source: planes})
        except self._faults as error:
            why = self._line(error)
            raise ExternalModelError(f"ONNX Runtime cannot run {self.name} ({why}); export it again.") from error
        boxes = np.asarray(boxes, np.float64)
        boxes = boxes[0] if boxes.ndim == 3 and len(boxes) == 1 else boxes
        scores = np.asarray(scores, np.float64)
        scores = scores[0] if scores.ndim > 1 and len(scores) == 1 and len(boxes) != 1 or scores.ndim == 3 else scores
        scores = scores[:, None] if scores.ndim == 1 else scores
        if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.ndim != 2 or len(scores) != len(boxes):
            told = f"{boxes.shape} and {scores.shape}"
            raise ExternalModelError(f"{self.name} gives {told}, no boxes with scores; choose a detector.")
        return boxes, scores

    def _squares(self, boxes: np.ndarray) -> np.ndarray:
        """Landmark squares (N, 3) in input pixels with edges at 0: centre x, centre y, side."""
        reading = self.reading
        boxes = boxes * np.tile(reading.size[::-1], 2) if reading.share else boxes
        centre = boxes[:, :2] if reading.centre else (boxes[:, :2] + boxes[:, 2:]) / 2
        extent = boxes[:, 2:] if reading.centre else boxes[:, 2:] - boxes[:, :2]
        side = reading.side * extent.max(1, initial=0, keepdims=True)
        return np.concatenate([centre[:, :1], centre[:, 1:] + reading.drop * side, side], 1)


def _reading(told: dict[str, Any], data: bytes) -> Reading:
    contents = read_contents(data)
    unknown = [key for key in told if key not in KEYS]
    if unknown:
        raise Unfit(f"Its description has no use for {unknown[0]!r}; it may hold {', '.join(KEYS)}.")
    if contents.external or contents.foreign:
        raise Unfit("It needs other files or operators that are not ONNX's own; export it without.")
    outputs = [port.name for port in contents.outputs]
    for key in ("boxes", "scores"):
        if told.get(key) not in outputs:
            raise Unfit(f'Its description must name one output of {", ".join(outputs)} as "{key}"; add it.')
    source, size = picture_input(contents)
    return Reading(
        source.name, size, told["boxes"], told["scores"], _columns(told.get("columns", {"face": 0})),
        centre=choice(told, "form", FORMS) == "centre", share=choice(told, "unit", UNITS) == "share",
        threshold=number(told, "threshold", 0.5, 0, 1), same=number(told, "same", 0.45, 0, 1),
        side=number(told, "side", 1.0, 0.1, 10), drop=number(told, "drop", 0.0, -5, 5),
        bgr=choice(told, "colour", ("RGB", "BGR")) == "BGR", peak=float(choice(told, "range", (1, 255))),
        mean=three(told, "mean", 0.0), std=three(told, "std", 1.0, positive=True),
    )  # fmt: skip


def _columns(told: Any) -> dict[str, int]:
    usable = isinstance(told, dict) and told and not set(told) - set(CLASSES)
    if not usable or not all(type(n) is int and 0 <= n < 10_000 for n in told.values()):
        raise Unfit(f'columns must be an object such as {{"face": 0, "person": 1}}, not {told!r}; correct it.')
    return dict(told)


class BoxFiles:
    """All of them, as a kind of detector's files."""

    name, title = "boxes", "ONNX with a description of its boxes"

    def claims(self, path: Path) -> bool:
        """Whether a description beside the file names its boxes."""
        return claims(path)

    def open(self, path: Path) -> BoxFile:
        """The detector; raises UserError."""
        return BoxFile(path)
