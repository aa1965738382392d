"""From a picture and a box to landmarks in picture pixels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine import crop
from engine import heatmaps as maps
from engine.architecture import SEGMENTATION
from engine.detect import Detector, make_detector
from engine.doubts import CRITERIA, judge
from engine.errors import UserError
from engine.parts import predicted
from engine.squares import is_detector
from engine.types import Box, Heatmaps, Prediction, check_picture

if TYPE_CHECKING:
    from engine.runtime import Runtime


LEAST = "least score"  # in a model's card: the mean score under which there is no such subject in a box
LARGE = 24.0  # side in pixels of a box from which that holds: smaller faces score less, as they are blurred


class Predictor:
    """Runs a model on pictures.

    detector: a name of engine.detect or a Detector; flip: average with the mirror image, at twice the cost;
    decode: how `heatmaps.decode` refines a peak, parabola or, as the paper's code does, quarter.
    """

    def __init__(
        self, runtime: Runtime, detector: str | Detector = "face", flip: bool = False, decode: str = "parabola"
    ) -> None:  # fmt: skip
        if is_detector(runtime.model.schema):
            raise UserError(f"{runtime.model.name} finds boxes and no landmarks; choose a model such as face68.")
        self.runtime = runtime
        self.detector = make_detector(detector, runtime) if isinstance(detector, str) else detector
        self.flip, self.decode = flip, decode
        self.seconds = 0.0  # spent in the network so far
        least = runtime.model.card.get(LEAST)
        self._least = float(least) if isinstance(least, (int, float)) else 0.0

    def predict(self, picture: np.ndarray, heatmaps: bool = False) -> list[Prediction]:
        """Landmarks of every subject that the detector finds in (H, W, 3) uint8 RGB and the model too; often none."""
        found = [self.predict_box(picture, box, heatmaps) for box in self.detector.detect(picture)]
        return [prediction for prediction in found if self.stands(prediction)]

    def stands(self, prediction: Prediction) -> bool:
        """Whether there is a subject at all, by the least score that the model's card tells; a hand's box always."""
        box = prediction.box
        return box.origin == "hand" or box.side < LARGE or prediction.score >= self._least

    def predict_box(self, picture: np.ndarray, box: Box, heatmaps: bool = False) -> Prediction:
        """Landmarks of the subject in a landmark box; with `heatmaps` the prediction carries the model's maps.

        Of a segmentation it always does (engine.parts).
        """
        check_picture(picture)
        model = self.runtime.model
        affine = crop.matrix(box.cx, box.cy, box.side * model.crop, model.side)
        logits = self._run(picture, affine)
        if self.flip:
            side = model.side
            # The mirror image of the very same crop: its pixels are exactly the mirrored ones.
            mirrored = crop.matrix(box.cx, box.cy, box.side * model.crop, side, flip=True)
            logits = maps.merge_flip(logits, self._run(picture, mirrored), model.schema.permutation)
        if model.head == SEGMENTATION:
            return predicted(Heatmaps(logits, affine, model.stride, model.head), box, model.name)
        found = maps.decode(logits, self.decode)
        found[:, :2] = crop.apply(crop.invert(affine), maps.to_crop(found[:, :2], model.stride))
        return Prediction(found, box, model.name, Heatmaps(logits, affine, model.stride) if heatmaps else None)

    def mirrored(self, picture: np.ndarray, box: Box) -> np.ndarray:
        """(K, 3) float64: what the model finds in the mirror image of the same crop, sides swapped back."""
        check_picture(picture)
        model = self.runtime.model
        logits = self._run(picture, crop.matrix(box.cx, box.cy, box.side * model.crop, model.side, flip=True))
        turned = np.ascontiguousarray(logits[model.schema.permutation][:, :, ::-1])
        found = maps.decode(turned, self.decode)
        affine = crop.matrix(box.cx, box.cy, box.side * model.crop, model.side)
        found[:, :2] = crop.apply(crop.invert(affine), maps.to_crop(found[:, :2], model.stride))
        return found

    def doubts(self, picture: np.ndarray, prediction: Prediction, mirror: bool = True) -> np.ndarray:
        """(7,) float64 by engine.doubts.CRITERIA; a prediction with heatmaps, made with or without flip.

        mirror: with the mirror test, at the cost of one more pass. NaN for a segmentation.
        """
        if self.runtime.model.head == SEGMENTATION:
            return np.full(len(CRITERIA), np.nan)
        mirrored = self.mirrored(picture, prediction.box) if mirror else None
        return judge(prediction, self.runtime.model.schema, mirrored)

    def _run(self, picture: np.ndarray, affine: np.ndarray) -> np.ndarray:
        sampled = crop.sample(picture, affine, self.runtime.model.side)
        begin = time.perf_counter()
        logits = self.runtime.run(sampled, logits=True)
        self.seconds += time.perf_counter() - begin
        return logits
