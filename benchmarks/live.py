"""Memory, threads, handles and speed of the live view over many frames: python -m benchmarks.live [--frames 30000].

A synthetic camera runs as fast as it can through model, overlay and a window that is never shown. Resident memory is
read every 100 frames; the first 30 % are left out, and a line is fitted through the rest. What it grows in an hour of
30 frames a second is printed, with frames a second, the latency's parts, threads and open files before and after.
"""

from __future__ import annotations

import argparse
import gc
import os
import threading
import time
from dataclasses import fields
from pathlib import Path

import numpy as np

EVERY, LEFT_OUT, AN_HOUR = 100, 0.3, 108_000
WARM = 50  # frames until threads and files are counted first


def resident() -> float:
    """Megabytes of this process that are in memory, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def handles() -> int:
    """Open files of this process."""
    return len(os.listdir("/proc/self/fd"))


def slope(samples: list[float]) -> float:
    """Megabytes gained in an hour of 30 frames a second, from samples of every 100 frames."""
    kept = np.array(samples[int(len(samples) * LEFT_OUT) :])
    if len(kept) < 3:
        return float("nan")
    return float(np.polyfit(np.arange(len(kept)) * EVERY, kept, 1)[0]) * AN_HOUR


def measure(frames: int, size: tuple[int, int], model: str, subjects: int) -> dict[str, float]:
    """Run the live service and its view; figures by name."""
    from PySide6.QtWidgets import QApplication

    from app.services.live import Live
    from app.services.live_values import Options, Timing
    from app.sources.synthetic import Step, Synthetic
    from app.views.live.view import LiveView
    from engine import load_model
    from engine.types import Box

    class Places:
        """A detector that always finds the same squares, so that every frame costs the same."""

        name = "places"

        def detect(self, picture: np.ndarray) -> list[Box]:
            high, wide = picture.shape[:2]
            return [Box(wide * (n + 1) / (subjects + 1), high / 2, high / 3) for n in range(subjects)]

    app = QApplication.instance() or QApplication(["live", "-platform", "offscreen"])
    from engine import detect

    detect.DETECTORS["places"] = lambda runtime=None: Places()
    live, view = Live(options=Options(detector="places", limit=subjects)), LiveView()
    live.set_runtime(load_model(model))
    view.resize(*size)
    view.painted.connect(live.drawn)
    drawn, samples, timings, start = 0, [], [], {}
    live.start(lambda: Synthetic.endless(step=Step(size=size)))
    begin = time.monotonic()
    while drawn < frames:
        app.processEvents()
        result = live.take()
        if result is None:
            time.sleep(0.0005)
            continue
        view.show_result(result)
        view.grab()
        drawn += 1
        if drawn == WARM:
            gc.collect()
            start = {"threads": threading.active_count(), "files": handles()}
        if drawn % EVERY == 0:
            samples.append(resident())
            timings += [timing for _, timing in list(live.history)[-5:]]
    took = time.monotonic() - begin
    figures = {
        "frames": drawn, "fps": drawn / took, "megabytes": samples[-1] if samples else resident(),
        "megabytes an hour": slope(samples), "threads gained": threading.active_count() - start.get("threads", 0),
        "files gained": handles() - start.get("files", 0),
    }  # fmt: skip
    for part in fields(Timing):
        figures[f"{part.name} ms"] = float(np.median([getattr(t, part.name) for t in timings])) * 1000 if timings else 0
    figures["closed in s"] = -time.monotonic()
    live.close()
    figures["closed in s"] += time.monotonic()
    return figures


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=30_000)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--model", default="face68")
    parser.add_argument("--subjects", type=int, default=1)
    given = parser.parse_args()
    wide, high = (int(part) for part in given.size.split("x"))
    for name, value in measure(given.frames, (wide, high), given.model, given.subjects).items():
        print(f"{name:20} {value:10.2f}")


if __name__ == "__main__":
    main()
