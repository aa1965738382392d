"""The queue with many images: python benchmarks/queue.py [--images 100000] [--keep FOLDER]

Makes a project of pictures with 68 landmarks each, opens it in the real window in a process of its own, and prints
what opening, scrolling, filtering, ordering and going on took, in CPU milliseconds of the process, beside the budgets.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PICTURES, AT_ONCE, STEPS = 64, 2000, 200
PATIENCE = 10.0  # seconds for a picture to be read


def make_project(folder: Path, count: int) -> Path:
    """A project of `count` images in states and with doubts as after some days of work, its steps forgotten."""
    from app.project.queue import packed
    from app.project.records import RowChange, image_bytes, instance_bytes
    from app.project.store import Store
    from app.project.values import Image, State
    from engine.schema import load_schema

    path = folder / "large.hourbit-project"
    if path.exists():
        return path
    names = _write_pictures(folder / "pictures", count)
    rng, schema = np.random.default_rng(0), load_schema("ibug68")
    meta = {"name": "Large", "schema": json.dumps(schema.to_json()), "revision": "1", "next_id": str(2 * count + 1)}
    store = Store.create(path, meta)
    for start in range(0, count, AT_ONCE):
        rows = []
        for n in range(start, min(start + AT_ONCE, count)):
            state = State.PREDICTED if rng.random() < 0.8 else rng.choice(list(State))
            doubts = np.clip(rng.beta(2, 6, 7), 0, 1)
            known = {} if state is State.NEW else {"doubt": float(doubts[0]), "doubts": packed(doubts)}
            image = Image(n + 1, str(names[n]), 160, 120, State(state), digest=names[n].name, **known)
            rows.append(RowChange("images", n + 1, n + 1, None, image_bytes(image)))
            if known:
                instance = _instance(rng, count + n + 1, n + 1, schema)
                rows.append(RowChange("instances", instance.id, n + 1, None, instance_bytes(instance)))
        store.commit(rows, {}, None)
    store.close()
    return path


def _write_pictures(folder: Path, count: int) -> list[Path]:
    from engine.opencv import cv2
    from engine.samples import sample_people

    folder.mkdir(parents=True)
    people, names = sample_people(), []
    for n in range(min(PICTURES, count)):
        small = cv2.resize(people[n % len(people)].pixels, (160, 120))
        (folder / f"office_{n:06d}.jpg").write_bytes(cv2.imencode(".jpg", small[..., ::-1])[1].tobytes())
    for n in range(count):
        names.append(folder / f"office_{n:06d}.jpg")
        if n >= PICTURES:
            os.link(folder / f"office_{n % PICTURES:06d}.jpg", names[-1])
    return names


def _instance(rng: np.random.Generator, id: int, image: int, schema: object) -> object:
    from app.project.values import Box, Instance, Origin, Visibility

    k = len(schema)
    points = np.array(schema.mean) * 80 + (40, 20) + rng.normal(0, 1, (k, 2))
    kinds = np.full(k, Visibility.VISIBLE, np.uint8), np.full(k, Origin.MODEL, np.uint8)
    return Instance(id, image, Box(80.0, 60.0, 80.0, 1.0, "face"), points, *kinds,
                    np.full(k, 0.8, np.float32), points.copy(), "face68", "")  # fmt: skip


class Clock:
    """CPU and wall milliseconds of what is done to a window until nothing is left to do."""

    def __init__(self, app: object) -> None:
        self.app = app

    def of(self, act: Callable[[], object]) -> tuple[float, float]:
        """CPU and wall time of `act` with its repaints."""
        wall, cpu = time.perf_counter(), time.thread_time()
        act()
        self.app.processEvents()
        return 1000 * (time.thread_time() - cpu), 1000 * (time.perf_counter() - wall)


def tell(name: str, taken: list[tuple[float, float]], budget: str = "") -> None:
    """One line: median, 99th percentile and worst."""
    cpu, wall = np.array(taken).T
    if len(taken) == 1:
        print(f"{name:34} {cpu[0]:8.1f} ms CPU {wall[0]:8.1f} ms wall   {budget}", flush=True)
        return
    figures = f"{np.median(cpu):7.1f} {np.percentile(cpu, 99):7.1f} {cpu.max():7.1f}"
    wait = np.percentile(wall, 99)
    print(f"{name:34} {figures} ms CPU: median, p99, worst; wall p99 {wait:.1f}   {budget}", flush=True)


def measure(project: Path, shots: Path | None) -> None:
    """Open the window on the project and print the figures."""
    from PySide6.QtWidgets import QApplication

    app = QApplication(sys.argv[:1])
    from app.main import make_window
    from app.services.projects import open_or_read

    window, clock = make_window(), Clock(app)
    window.resize(1440, 900)
    window.show()
    _settle(app)
    memory = _memory()
    held: list[object] = []
    opening = clock.of(lambda: held.append(open_or_read(project)))
    tell("open: read the project", [opening])
    shown = clock.of(lambda: (window.context.set_document(held[0]), window.trigger("label")))
    tell("open: show the queue", [shown])
    tell("open, both", [(opening[0] + shown[0], opening[1] + shown[1])], "budget 1000")
    print(f"{'memory':34} {_memory() - memory:8.1f} MB more   budget 150")
    label = window.workspace("label")
    queue, model = label.queue, label.browsing.model
    label.context.stills.cancel()
    _queue_steps(clock, queue, model)
    _going_on(clock, label)
    if shots is not None:
        window.grab().save(str(shots / "queue.png"))
    window.close()


def _queue_steps(clock: Clock, queue: object, model: object) -> None:
    queue.choose_filter("all")
    bar, rng = queue.list.verticalScrollBar(), np.random.default_rng(1)
    places = rng.integers(0, max(bar.maximum(), 1), STEPS)
    tell("scroll: jumps", [clock.of(lambda p=p: bar.setValue(int(p))) for p in places], "budget p99 50")
    tell("scroll: steps", [clock.of(lambda: bar.setValue(bar.value() + 240)) for _ in range(STEPS)], "budget p99 50")
    names = ("done", "to check", "all") * 3
    tell("filter", [clock.of(lambda f=f: queue.choose_filter(f)) for f in names], "budget 100")
    orders = ("doubt", "sample", "newest", "name") * 3
    tell("order", [clock.of(lambda o=o: model.choose(order=o)) for o in orders], "budget 100")


def _going_on(clock: Clock, label: object) -> None:
    label.queue.choose_filter("to check")
    tell("next image", [clock.of(lambda: label.trigger("next_image")) for _ in range(30)], "budget 50")
    tell("accept, next", [_accept(clock, label) for _ in range(30)], "budget 100")
    tell("undo", [clock.of(lambda: label.wanted.emit("undo")) for _ in range(30)], "budget 100")
    label.queue.head.choose_order("doubt")
    tell("accept, next, by doubt", [_accept(clock, label) for _ in range(30)], "budget 100")


def _accept(clock: Clock, label: object) -> tuple[float, float]:
    """Accept once the picture is on screen: what is still being read is not accepted."""
    end = time.monotonic() + PATIENCE
    while label.browsing.picture is None and time.monotonic() < end:
        clock.app.processEvents()
    return clock.of(lambda: label.trigger("accept"))


def _settle(app: object) -> None:
    """Let the threads that draw the first page end."""
    app.processEvents()
    while len(threading.enumerate()) > 1:
        time.sleep(0.05)
        app.processEvents()


def _memory() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return 0.0


def main() -> None:
    """Make the project, measure, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="Where the project stays, for the next run.")
    parser.add_argument("--shots", type=Path, help="A folder for a picture of the window.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HOURBIT_HOME", str(Path(folder) / "home"))
        Path(os.environ["HOURBIT_HOME"]).mkdir(parents=True, exist_ok=True)
        place = asked.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        measure(make_project(place, asked.images), asked.shots)


if __name__ == "__main__":
    main()
