"""What the parts of a live frame cost at best: python -m benchmarks.live_parts [--models face68 pose16].

Each part of the work on a 1280 x 720 frame is done hundreds of times in one thread, and the lowest tenth of its
processor times is printed: what it takes where nobody else uses the core's other half, its cache and its memory. A
frame's cost is decoding, following, painting, and the detector's look by how often it looked. HOURBIT_ISA chooses the
instruction set. `benchmarks.live_speed` measures the whole window, as the machine happens to be.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks.live_scene import scene

ROUNDS = 4


def best(times: list[float]) -> float:
    """The lowest tenth of seconds, in milliseconds; 0 for none."""
    return float(np.percentile(times, 10)) * 1000 if times else 0.0


def timed(work: Callable[[], object], times: list[float]) -> object:
    """Do it, and note its processor time."""
    begin = time.thread_time()
    done = work()
    times.append(time.thread_time() - begin)
    return done


def measure(model: str, every: int) -> dict[str, float | str]:
    """Figures by name."""
    from PySide6.QtWidgets import QApplication

    from app.services.live_values import Result, Timing
    from app.services.tracker import Tracker
    from app.sources.base import as_rgb
    from app.views.live.view import LiveView
    from engine import load_model
    from engine.detect import default_detector, make_detector
    from engine.opencv import cv2
    from engine.predictor import Predictor
    from engine.types import Frame

    app = QApplication.instance() or QApplication(["parts", "-platform", "offscreen"])
    runtime = load_model(model)
    schema = runtime.model.schema
    detector = make_detector(default_detector(schema), runtime)
    tracker = Tracker(Predictor(runtime, detector), detector, schema, every=every)
    view = LiveView()
    view.resize(980, 620)
    view.show()
    app.processEvents()
    pictures = scene()
    decoding, following, looking, painting = [], [], [], []
    for number in range(ROUNDS * len(pictures)):
        data = np.frombuffer(pictures[number % len(pictures)], np.uint8)
        pixels = timed(lambda data=data: as_rgb(cv2.imdecode(data, cv2.IMREAD_COLOR)), decoding)
        step: list[float] = []
        subjects, spent = timed(lambda pixels=pixels, number=number: tracker.step(pixels, number / 30), step)
        (looking if spent.detected else following).extend(step)
        result = Result(Frame(pixels, 0.0, "", number), subjects, Timing(), 0.0, model, schema)
        timed(lambda result=result: (view.show_result(result), view.repaint()), painting)
    share = len(looking) / (len(looking) + len(following))
    whole = best(decoding) + best(painting) + (1 - share) * best(following) + share * best(looking)
    return {
        "model": model, "isa": runtime.isa, "decode ms": best(decoding), "follow ms": best(following),
        "look and follow ms": best(looking), "frames with a look %": 100 * share, "paint ms": best(painting),
        "a frame ms": whole, "frames one core can": 1000 / whole,
    }  # fmt: skip


def main() -> None:
    """Print a block for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["face68", "pose16"])
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()
    for model in given.models:
        for name, value in measure(model, given.every).items():
            print(f"{name:22} {value if isinstance(value, str) else format(value, '10.2f')}", flush=True)


if __name__ == "__main__":
    main()
