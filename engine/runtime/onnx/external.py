"""A network of another maker in ONNX Runtime, behind the protocol of all runtimes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.external import ExternalModel, ExternalModelError
from engine.heatmaps import sigmoid
from engine.runtime.inputs import check_crop, run_each
from engine.runtime.onnx.needed import onnxruntime_package
from engine.runtime.onnx.session import open_session

SURE = 1e-6  # how near to 0 and 1 a probability may come on its way to a logit
FAULTS = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException", "EPFail")


class ExternalRuntime:
    """An ExternalModel ready to run. Threads may share one."""

    name = "onnx"
    isa = "onnx"
    notice = ""
    checked = False

    def __init__(self, model: ExternalModel, threads: int = 1) -> None:
        """Raises ExternalModelError where ONNX Runtime cannot run the network, or it gives something else."""
        self.model = model
        self.threads = threads
        self._faults = faults()
        try:
            self._session = open_session(model.read(), threads)
        except self._faults as error:
            told = first_line(error)
            raise ExternalModelError(f"ONNX Runtime cannot load {model.name} ({told}); use another.") from error
        self._scale = np.float32(model.reading.peak / 255) / np.float32(model.reading.std)
        self._shift = np.float32(model.reading.mean) / np.float32(model.reading.std)
        self.run(np.zeros((model.side, model.side, 3), np.uint8))

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, h, h) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        reading = self.model.reading
        y, x = ((self.model.side - size) // 2 for size in reading.size)
        pixels = crop[y : y + reading.size[0], x : x + reading.size[1], :: -1 if reading.bgr else 1]
        planes = (pixels.astype(np.float32) * self._scale - self._shift).transpose(2, 0, 1)[None]
        try:
            (maps,) = self._session.run([reading.target], {reading.source: np.ascontiguousarray(planes)})
        except self._faults as error:
            told = f"{self.model.name} ({first_line(error)})"
            raise ExternalModelError(f"ONNX Runtime cannot run {told}; export it again.") from error
        found = self._square(self._logits(maps))
        return found if logits else sigmoid(found)

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, h, h) float32, as `run` gives them."""
        return run_each(self, crops, logits)

    def layers(self) -> tuple[str, ...]:
        """None: its inside is another maker's."""
        return ()

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Raises UserError for any name, since there are no layers to look into."""
        check_crop(crop, self.model)
        for name in names:
            raise UserError(f"{self.model.name} shows no inner layers, so no {name!r}; choose a Hourbit model.")
        return {}

    def _logits(self, maps: np.ndarray) -> np.ndarray:
        """(K, h, w) float32, finite, whatever the network gave."""
        shape = (1, self.model.landmarks, *self.model.reading.cells)
        if maps.shape != shape or maps.dtype != np.float32:
            raise ExternalModelError(f"{self.model.name} gives {maps.shape} and not {shape} as it says; use another.")
        if self.model.reading.logits:
            return np.nan_to_num(maps[0], nan=-100, posinf=100, neginf=-100)
        share = np.clip(np.nan_to_num(maps[0], nan=0), SURE, 1 - SURE)
        return np.log(share / (1 - share))

    def _square(self, logits: np.ndarray) -> np.ndarray:
        """The maps of the whole square crop; the lowest value where the network did not look."""
        high, wide = ((self.model.cells - cells) // 2 for cells in self.model.reading.cells)
        if not (high or wide):
            return logits
        return np.pad(logits, ((0, 0), (high, high), (wide, wide)), constant_values=logits.min())


def faults() -> tuple[Any, ...]:
    """The exceptions by which ONNX Runtime says what is wrong; raises OnnxError where it is not installed."""
    state = onnxruntime_package().capi.onnxruntime_pybind11_state
    return tuple(getattr(state, name) for name in FAULTS if hasattr(state, name))


def first_line(error: Exception) -> str:
    """The first line of what ONNX Runtime said, without its prefix."""
    return str(error).strip().split("\n")[0].split(" : ")[-1].strip(" .")[:200]
