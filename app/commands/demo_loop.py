"""The demo's steps: predict, correct, train with the corrections, use the result. The same code as the window's."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.collect import as_instance
from app.commands.output import say
from app.commands.worker import Worker
from app.files import atomic_write
from app.overlay import draw
from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage, Predicted, PutInstance
from app.project.snapshot import snapshot
from app.services.pipeline import LivePipeline
from app.sources.video import Video
from engine import metrics
from engine.detect import default_detector
from engine.images import encode_jpeg, encode_png
from engine.modelfile import Model, read_model
from engine.predictor import Predictor
from engine.runtime import Runtime, open_runtime
from engine.samples import Sample, sample_clip, sample_pictures
from engine.schema import Schema
from engine.types import Box, Prediction
from engine.uncertainty import doubt

CORRECTED = 0.02  # landmarks further off than this, in sides of the face, are corrected
LONGEST_CLIP = 60.0  # seconds


def true_box(sample: Sample) -> Box:
    """The square around a sample's true landmarks."""
    every = np.ones((1, len(sample.landmarks)), bool)
    cx, cy, side = (float(v) for v in metrics.tight_boxes(sample.landmarks[None], every)[0])
    return Box(cx, cy, side)


def mean_error(samples: list[Sample], predictions: list[Prediction], schema: Schema) -> float:
    """NME in percent: the mean distance from the truth, by the distance of the schema's two reference landmarks."""
    truth = np.stack([sample.landmarks for sample in samples])
    found = np.stack([prediction.landmarks[:, :2] for prediction in predictions])
    size = metrics.pair_distance(truth, schema.normaliser)
    return 100 * float(np.mean(metrics.nme(found, truth, size, np.ones(truth.shape[:2]))))


@dataclass
class Demo:
    """One walk through the whole loop; everything it makes lies in `out`."""

    out: Path
    model: Model
    runtime: Runtime = field(init=False)
    pictures: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = open_runtime(self.model)
        if self.runtime.notice:
            say(self.runtime.notice)

    @property
    def schema(self) -> Schema:
        return self.model.schema

    def picture(self, name: str, pixels: np.ndarray, predictions: list[Prediction]) -> None:
        """Write one overlay."""
        path = self.out / f"{name}.jpg"
        atomic_write(path, encode_jpeg(draw(pixels, predictions, self.schema)))
        self.pictures.append(path)

    def look(self) -> None:
        """Predict the sample pictures as they are."""
        predictor = Predictor(self.runtime, default_detector(self.schema))
        for name, pixels in sample_pictures():
            found = predictor.predict(pixels)
            say(f"{name}: {len(found)} face{'' if len(found) == 1 else 's'} found")
            self.picture(Path(name).stem, pixels, found)

    def clip(self) -> float:
        """Play the sample clip through the live pipeline as fast as it goes; frames a second."""
        path = self.out / "clip.mp4"
        sample_clip(path)
        moments: list[float] = []
        last: list[Any] = []

        def result(found) -> None:
            moments.append(time.monotonic())
            last[:] = [found]

        pipeline = LivePipeline(result, lambda state, sentence: None)
        pipeline.set_runtime(self.runtime)
        pipeline.start(Video(path, paced=False))
        try:
            pipeline.wait_ended(LONGEST_CLIP)
        finally:
            pipeline.stop()
        if last:
            self.picture("clip", last[0].frame.pixels, [subject.prediction for subject in last[0].subjects])
        return (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0

    def label(self, document: Document, samples: list[Sample]) -> int:
        """Predict each picture, drag what is wrong to where it belongs, accept; how many landmarks were moved."""
        moved = 0
        folder = self.out / "demo-images"
        folder.mkdir(exist_ok=True)
        for sample in samples:
            path, data = folder / f"{sample.name}.png", encode_png(sample.pixels)
            atomic_write(path, data)
            height, width = sample.pixels.shape[:2]
            new = NewImage(str(path.resolve()), width, height, hashlib.sha256(data).hexdigest())
            (image,) = document.apply(AddImages((new,))).images
            box = true_box(sample)
            found = Predictor(self.runtime).predict_box(sample.pixels, box)
            document.apply(Predicted(image, (as_instance(found, image),), doubt(found)))
            (instance,) = document.instances(image)
            for k, (x, y) in enumerate(sample.landmarks):
                if np.hypot(*(instance.points[k] - (x, y))) > CORRECTED * box.side:
                    instance = instance.with_point(k, float(x), float(y))
                    document.apply(PutInstance(instance, f"Move {self.schema.landmarks[k]}"))
                    moved += 1
            document.apply(Accept(image))
        return moved

    def measure(self, runtime: Runtime, samples: list[Sample], suffix: str) -> float:
        """NME in percent on pictures that training never saw; draws each as `NAME-suffix.jpg`."""
        predictor = Predictor(runtime)
        found = [predictor.predict_box(sample.pixels, true_box(sample)) for sample in samples]
        for sample, prediction in zip(samples, found, strict=True):
            self.picture(f"held-out-{sample.name}-{suffix}", sample.pixels, [prediction])
        return mean_error(samples, found, self.schema)

    def fine_tune(self, document: Document, run: Path, settings: dict[str, Any], seed: int) -> Model:
        """Freeze the accepted labels, train with them in a process of its own, and read what it wrote."""
        run.mkdir(parents=True, exist_ok=True)
        frozen = snapshot(document, run / "snapshot.npz")
        start = {
            "snapshot": [str(frozen.path.resolve())], "schema": self.schema.name, "recipe": None,
            "settings": settings, "from": str(self.model.path), "out": str(run.resolve()), "seed": seed,
        }  # fmt: skip
        done: dict[str, Any] = {}
        with Worker(start, run / "worker.log") as worker:
            for record in worker:
                if record["type"] == "progress":
                    say(f"  step {record.get('step')}: loss {record.get('loss', float('nan')):.4f}")
                done = record
        return read_model(done["model"])

