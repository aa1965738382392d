"""The bit-packed engine: ctypes over the C library of engine/native, which releases the GIL."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from ctypes import c_void_p

import numpy as np

from engine.heatmaps import probabilities
from engine.modelfile import Model
from engine.runtime.compiled import choose_isa, create, library
from engine.runtime.fuse import fused_plan
from engine.runtime.inputs import check_crop, check_crops, known_layers, layer_names
from engine.runtime.plan import make_plan
from engine.runtime.steps import Tap

MAX_THREADS = 16  # as in engine/native/team.h


class PackedRuntime:
    """A model in the C engine, whose calls let other Python threads run.

    Threads may share one; it then serves one crop at a time. To run side by side each thread opens its own.
    """

    name = "packed"

    def __init__(self, model: Model, isa: str | None = None, threads: int = 1) -> None:
        self.model = model
        self.threads = min(threads, MAX_THREADS)
        self.isa = choose_isa(isa)
        self.notice = ""
        self.checked = False
        self._library = library()
        self._lock = threading.Lock()
        self._inner: tuple[c_void_p, tuple[Tap, ...]] | None = None
        plan = fused_plan(model)
        self.steps = plan.steps
        self._handle = c_void_p(create(self._library, plan, self.isa, self.threads))

    @property
    def memory(self) -> int:
        """Bytes that the engine holds for weights and maps."""
        return self._library.hb_memory(self._handle)

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        return self.run_batch(crop[None], logits)[0]

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, S/4, S/4) float32, as `run` gives them.

        The crops go through one after the other in the memory of the first; the result is all that is new.
        """
        check_crops(crops, self.model)
        network = self.model.architecture
        out = np.empty((len(crops), network.landmarks, network.heatmap, network.heatmap), np.float32)
        for crop, target in zip(crops, out, strict=True):
            crop = np.ascontiguousarray(crop)
            with self._lock:
                failed = self._library.hb_run(
                    self._handle, crop.ctypes.data, crop.size, target.ctypes.data, target.size
                )
                self._check(failed)
        return out if logits else probabilities(out, self.model.head)

    def profile(self, crop: np.ndarray, rounds: int = 1) -> np.ndarray:
        """Time of each of `steps` for one crop on one thread: (steps,) float64 milliseconds, medians of `rounds` runs.

        CPU time where the system tells a thread's, else wall time.
        """
        check_crop(crop, self.model)
        crop = np.ascontiguousarray(crop)
        architecture = self.model.architecture
        out = np.empty((architecture.landmarks, architecture.heatmap, architecture.heatmap), np.float32)
        times = np.zeros((rounds, len(self.steps)), np.int64)
        with self._lock:
            for row in times:
                self._check(
                    self._library.hb_profile(
                        self._handle, crop.ctypes.data, crop.size, out.ctypes.data, out.size, row.ctypes.data, len(row)
                    )
                )
        return np.median(times, axis=0) / 1e6

    def layers(self) -> tuple[str, ...]:
        """Names of the graph's nodes in evaluation order: what `tap` takes."""
        return layer_names(self.model)

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What inner layers give for a crop, by name: (H, W, C), a sign's bits as bool, else float32.

        Sign bits and sums are the engine's own. What it never writes down, since it is fused with its neighbours,
        follows from these by the reference's operations. Raises UserError for an unknown name.
        """
        from engine.runtime.taps import complete

        names = known_layers(self.model, names)
        return complete(
            self.model, crop, names, [tap.name for tap in self._inner_net()[1]], lambda wanted: self.maps(crop, wanted)
        )

    def maps(self, crop: np.ndarray, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """What the engine writes down on its way, by graph node: (H, W, C), bool for signs, else float32.

        All of it, or only `names`; the network is run no further than the last of them.
        """
        check_crop(crop, self.model)
        crop = np.ascontiguousarray(crop)
        wanted = None if names is None else set(names)
        found: dict[str, np.ndarray] = {}
        first = 0
        with self._lock:
            handle, taps = self._inner_net()
            for tap in taps:
                if wanted is None or tap.name in wanted:
                    self._check(self._library.hb_run_part(handle, crop.ctypes.data, crop.size, first, tap.steps))
                    first = tap.steps
                    found[tap.name] = self._read(handle, tap)
        return found

    def _inner_net(self) -> tuple[c_void_p, tuple[Tap, ...]]:
        """A second net, made when it is first asked for: its steps are not fused, so that it keeps its inner maps."""
        if self._inner is None:
            plan = make_plan(self.model)
            self._inner = c_void_p(create(self._library, plan, self.isa)), plan.taps
        return self._inner

    def _read(self, handle: c_void_p, tap: Tap) -> np.ndarray:
        shape = (tap.side, tap.side)
        if not tap.bits:
            values = np.empty((*shape, tap.channels), np.float32)
            self._check(self._library.hb_read(handle, tap.buffer, values.ctypes.data, values.size))
            return values
        words = np.empty((*shape, -(-tap.channels // 32)), "<u4")
        self._check(self._library.hb_read_bits(handle, tap.buffer, words.ctypes.data, words.size))
        bits = np.unpackbits(words.view(np.uint8), axis=2, bitorder="little")
        return bits[:, :, : tap.channels].astype(bool)

    def _check(self, failed: int) -> None:
        if failed:
            raise RuntimeError(self._library.hb_last_error().decode())

    def __del__(self) -> None:
        inner = getattr(self, "_inner", None)
        for handle in (getattr(self, "_handle", None), inner[0] if inner else None):
            if handle:
                self._library.hb_destroy(handle)
