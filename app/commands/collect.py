"""Predictions gathered in a project of their own, so that the exporters of labels write them too."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.project.document import Document
from app.project.edits import AddImages, NewImage, Predicted
from app.project.values import Instance, Origin, State, Visibility
from engine.schema import Schema
from engine.types import Prediction
from engine.uncertainty import doubt

if TYPE_CHECKING:
    from app.commands.inputs import Item
    from app.formats import Exporter, ExportReport


def as_instance(prediction: Prediction, image: int) -> Instance:
    """A prediction as an instance of a project's image; every landmark counts as seen, its origin is the model."""
    points, score = prediction.landmarks[:, :2], prediction.landmarks[:, 2]
    k = len(points)
    return Instance(
        id=0, image=image, box=prediction.box, points=points, visibility=np.full(k, Visibility.VISIBLE, np.uint8),
        origin=np.full(k, Origin.MODEL, np.uint8), score=score.astype(np.float32), guess=points,
        model=prediction.model, annotator="",
    )  # fmt: skip


class Collection:
    """A project in a temporary folder; gone when the context is left."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._document: Document | None = None

    def __enter__(self) -> Collection:
        self._folder = tempfile.TemporaryDirectory(prefix="hourbit-predict-")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._document is not None:
            self._document.close()
        self._folder.cleanup()

    @property
    def document(self) -> Document:
        if self._document is None:
            path = Path(self._folder.name) / "predictions.hourbit-project"
            self._document = Document.create(path, self._schema, "predictions")
        return self._document

    def add(self, item: Item, predictions: list[Prediction]) -> None:
        """Keep what was found in one picture, nothing included."""
        height, width = item.pixels.shape[:2]
        digest = hashlib.sha256(item.path.encode("utf-8", "surrogateescape")).hexdigest()
        added = self.document.apply(AddImages((NewImage(item.path, width, height, digest),)))
        (image,) = added.images
        instances = tuple(as_instance(prediction, image) for prediction in predictions)
        worst = max((doubt(prediction) for prediction in predictions), default=None)
        self.document.apply(Predicted(image, instances, worst))

    def export(self, exporter: Exporter, path: Path) -> ExportReport:
        """Write all of it with an exporter of labels."""
        return exporter.export(self.document, path, frozenset(State))
