"""Where the subjects are: detectors give landmark boxes, squares around a subject's landmarks.

OpenCV's face cascade frames a face differently: its box side is 1.156 landmark box sides, and its centre
lies 0.165 landmark box sides too high, on average over faces, with about 10 % scatter. `from_cascade`
undoes both. Bodies are found by the pose network itself (engine.persons).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.modelfile import Model, read_model
from engine.opencv import cv2
from engine.persons import PersonDetector, seen_box, whole_box
from engine.schema import Schema
from engine.squares import CLASSES
from engine.types import Box, Prediction, check_picture, suppress

if TYPE_CHECKING:
    from engine.runtime import Runtime

SEARCH_SIDE = 640  # faces are sought in a picture no larger than this, pixels
WINDOW = 24  # the cascades' own window, pixels of the searched picture
# Cascade, step between sizes, smallest face as a share of the picture's longer side. The second, less exact
# one looks where the first finds nothing, coarsely, because that is the case in every frame without a face.
CASCADES = (
    ("haarcascade_frontalface_alt2.xml", 1.1, 1 / 20),
    ("haarcascade_frontalface_default.xml", 1.2, 1 / 12),
)
CASCADE_SIDE = 1.156  # cascade side / landmark box side
CASCADE_RISE = 0.165  # how far the cascade's centre lies above the landmarks', in landmark box sides
FOLLOWED = 0.15  # mean score under which a followed face is lost

DEFAULTS = {"face": "detect", "person": "person"}  # by the subject of a landmark model
THROUGH_MODEL = ("person", "whole")  # these look through the landmark model; others know its subject at most


class Detector(Protocol):
    """Finds subjects in a picture."""

    name: str

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Landmark boxes of the subjects in (H, W, 3) uint8 RGB, largest first; empty where there is none."""


@runtime_checkable
class Watcher(Protocol):
    """A detector that looks at frame after frame, at a part of the price of a picture by itself."""

    def watch(self, picture: np.ndarray, followed: Sequence[Prediction], room: bool = True) -> list[Box]:
        """Landmark boxes of who is followed and still there, and of newcomers; see `engine.persons`."""


class WholeDetector:
    """One box: the square in the middle of the whole picture whose crop just holds it all."""

    name = "whole"

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Always one box."""
        check_picture(picture)
        return [whole_box(picture, self.factor)]


class FaceDetector:
    """Upright frontal faces by OpenCV's cascades: the exact one first, the more willing one where it finds none."""

    name = "face"

    def __init__(self) -> None:
        self._cascades: list[cv2.CascadeClassifier] = []

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Landmark boxes of faces, largest first; pictures of any size."""
        check_picture(picture)
        height, width = picture.shape[:2]
        scale = min(1.0, SEARCH_SIDE / max(height, width))
        small = max(1, round(width * scale)), max(1, round(height * scale))
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
        stretch = width / small[0], height / small[1]
        for cascade, (_, step, share) in zip(self._open(), CASCADES, strict=True):
            smallest = max(WINDOW, round(share * max(small)))
            found, neighbours = cascade.detectMultiScale2(
                grey, scaleFactor=step, minNeighbors=3, minSize=(smallest, smallest)
            )
            if len(found):
                boxes = [from_cascade(r, n, stretch) for r, n in zip(found, neighbours, strict=True)]
                return sorted(suppress(boxes), key=lambda box: -box.side)
        return []

    def _open(self) -> list[cv2.CascadeClassifier]:
        if not self._cascades:
            for name, _, _ in CASCADES:
                path = Path(cv2.data.haarcascades) / name
                cascade = cv2.CascadeClassifier(str(path))
                if cascade.empty():
                    raise UserError(f"OpenCV's face cascade {name} cannot be read; install opencv-python 4 again.")
                self._cascades.append(cascade)
        return self._cascades


def from_cascade(found: Iterable[int], neighbours: int, stretch: tuple[float, float] = (1.0, 1.0)) -> Box:
    """The landmark box of a cascade's box (x, y, width, height in pixels of the searched picture).

    `stretch` is how much larger the picture is in x and y. The score rises with the number of windows that agreed.
    """
    x, y, w, h = (float(v) for v in found)
    cx, cy = (x + w / 2) * stretch[0] - 0.5, (y + h / 2) * stretch[1] - 0.5  # edges to pixel centres
    side = max(w * stretch[0], h * stretch[1]) / CASCADE_SIDE
    return Box(cx, cy + CASCADE_RISE * side, side, float(neighbours) / (float(neighbours) + 5), "face")


def follow(prediction: Prediction, schema: Schema) -> Box | None:
    """The box for the next frame from this one's landmarks; None where the subject seems lost.

    Faces are boxed by all landmarks, as in training; of bodies only what is seen counts, so that a half body keeps a
    close box. A segmentation's parts are too coarse to follow: the box stays where it is.
    """
    if prediction.heatmaps is not None and prediction.heatmaps.head == SEGMENTATION:
        return prediction.box
    if schema.subject != "face":
        return seen_box(prediction.landmarks, "landmarks")
    if prediction.score < FOLLOWED:
        return None
    low, high = prediction.landmarks[:, :2].min(0), prediction.landmarks[:, :2].max(0)
    side = float((high - low).max())
    return Box(*(low + high) / 2, side, prediction.score, "landmarks") if side > 0 else None


def _person(runtime: Runtime | None, willing: bool = False) -> Detector:
    """The search through a body model, which our own detector shows where to look."""
    from engine.runtime import open_runtime
    from engine.scene_detector import Scout, shipped_detector

    if runtime is None or runtime.model.schema.subject == "face":
        raise UserError("Finding people needs a body model; choose one, such as pose16, or another detector.")
    return PersonDetector(runtime, Scout(open_runtime(shipped_detector())), willing=willing)


def _scene(runtime: Runtime | None, model: Model | None = None, closer: bool = False) -> Detector:
    """Our own detector, for the subject of the landmark model, or for all it finds."""
    from engine.runtime import open_runtime
    from engine.scene_detector import SceneDetector, shipped_detector

    subject = runtime.model.schema.subject if runtime else ""
    return SceneDetector(open_runtime(model or shipped_detector()), subject if subject in CLASSES else "", closer)


DETECTORS: dict[str, Callable[[Runtime | None], Detector]] = {
    "detect": _scene,
    "closer": lambda runtime: _scene(runtime, closer=True),
    "face": lambda runtime: FaceDetector(),
    "person": _person,
    "whole": lambda runtime: WholeDetector(runtime.model.crop if runtime else 1.0),
}


class DetectorKind(Protocol):
    """A kind of files that hold a detector; plugins register theirs."""

    name: str
    title: str

    def claims(self, path: Path) -> bool:
        """Whether the file is of this kind, by its contents."""

    def open(self, path: Path) -> Detector:
        """The detector in it, with landmark boxes; raises UserError."""


_KINDS: dict[str, DetectorKind] = {}


def register_detector(kind: DetectorKind) -> None:
    """Take files of this kind wherever a detector is named; raises UserError where another has the name."""
    held = _KINDS.get(kind.name)
    if kind.name in DETECTORS or (held is not None and type(held).__qualname__ != type(kind).__qualname__):
        raise UserError(f"There is a detector {kind.name!r} already; give this one another name.")
    _KINDS[kind.name] = kind


def make_detector(name: str, runtime: Runtime | None = None) -> Detector:
    """A detector by name, or from a file; `person` and `whole` look through the runtime's model.

    With a runtime `detect` finds its subject only, without one faces and people. Raises UserError.
    """
    if name in DETECTORS:
        return DETECTORS[name](runtime)
    path = Path(name)
    if not path.is_file():
        raise UserError(f"Unknown detector {name!r}; use one of {', '.join(DETECTORS)}, or name a detector's file.")
    if path.suffix.lower() == ".hourbit":
        return _scene(runtime, read_model(path))
    from engine.box_files import BoxFiles

    kinds = [*_KINDS.values(), BoxFiles()]
    kind = next((kind for kind in kinds if kind.claims(path)), None)
    if kind is None:
        titles = ", ".join(kind.title for kind in kinds)
        raise UserError(f"{path.name} is no detector that is known here ({titles}); choose another file.")
    return kind.open(path)


def default_detector(schema: Schema) -> str:
    """The name of the detector that serves models of a schema best, by its subject."""
    return DEFAULTS.get(schema.subject, "whole")


def patient_detector(runtime: Runtime) -> Detector:
    """The default detector, and where it finds nothing the slower one of the subject: for pictures, not for video.

    A body is drawn where any may be, since people look at each picture: a wrong one is rejected by one key.
    """
    from engine.scene_detector import FirstOf

    name = default_detector(runtime.model.schema)
    if name == "person":
        return _person(runtime, willing=True)
    first = make_detector(name, runtime)
    return FirstOf(first, make_detector("face", runtime)) if runtime.model.schema.subject == "face" else first
