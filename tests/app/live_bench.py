"""What tests of the live pipeline share: a detector that needs no face, a slow engine, a witness."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.services.pipeline import LivePipeline, Options, Result, State
from engine.types import Box


class Middle:
    """Finds one subject in the middle, or as many as `boxes` says."""

    name = "middle"

    def __init__(self, boxes: list[Box] | None = None) -> None:
        self.boxes = boxes
        self.looks = 0

    def detect(self, picture: np.ndarray) -> list[Box]:
        self.looks += 1
        height, width = picture.shape[:2]
        return [Box(width / 2, height / 2, max(height / 2, 1), 0.9, "face")] if self.boxes is None else self.boxes


class Slow:
    """A runtime that takes `delay` seconds longer."""

    def __init__(self, runtime, delay: float) -> None:
        self._runtime, self._delay = runtime, delay

    def __getattr__(self, name: str):
        return getattr(self._runtime, name)

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        time.sleep(self._delay)
        return self._runtime.run(crop, logits)


class Watcher:
    """Collects what a pipeline says."""

    def __init__(self, **options) -> None:
        self.results: list[Result] = []
        self.states: list[tuple[float, State, str]] = []
        self.pipeline = LivePipeline(self.results.append, self._state, Options(detector="middle", **options))

    def _state(self, state: State, sentence: str) -> None:
        self.states.append((time.monotonic(), state, sentence))

    @property
    def kinds(self) -> list[State]:
        return [state for _, state, _ in self.states]

    def sentence(self, state: State) -> str:
        return next(text for _, kind, text in self.states if kind == state)


def until(condition: Callable[[], bool], timeout: float = 8.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
