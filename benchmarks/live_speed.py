"""Speed of the whole window on one core: python -m benchmarks.live_speed [--models face68 pose16] [--isas avx512 avx2].

A webcam of 1280 x 720 pixels and 30 pictures a second (JPEG, decoded here) goes through detector, network, overlay and
the real window at 1280 x 800, all threads of it pinned to one core. Each frame comes when the one before is on the
screen, and the processor time of a frame is printed, in all and by thread, with the frames a second that one core can
do by it: other programs hardly change these figures. With `--real` the camera does not wait, and frames a second, drops
and latency are printed as they are, which says something on an idle machine only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.services.live import Live
    from benchmarks.live_scene import Webcam

WARM = 2.0  # seconds before measuring begins


def spent() -> dict[str, float]:
    """Processor seconds of this process's threads by name; what Python does not know is `other`. Linux only."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: dict[str, float] = {}
    for path in Path("/proc/self/task").iterdir():
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        name = names.get(int(path.name), "other")
        found[name] = found.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def measure(model: str, seconds: float, period: float, every: int, real: bool) -> dict[str, float | str]:
    """Run the window; figures by name."""
    from PySide6.QtWidgets import QApplication

    from app.main import make_window
    from benchmarks.live_scene import Webcam, scene
    from engine import load_model
    from engine.detect import default_detector

    pictures = scene()
    app = QApplication(["live"])  # kept, as all widgets need it
    window = make_window()
    window.resize(1280, 800)
    window.show()
    window.show_page("live")
    workspace = window.workspaces["live"]
    live = workspace.live
    runtime = load_model(model)
    schema = runtime.model.schema
    # The workspace opens a model of its own first, and the detector that was chosen for it.
    while live.runtime is None:
        app.processEvents()
        time.sleep(0.01)
    app.processEvents()
    live.set_runtime(runtime)
    live.change(every=every, detector=default_detector(schema))
    painted: list[tuple[float, int]] = []
    workspace.view.painted.connect(lambda result: painted.append((time.monotonic(), len(result.subjects))))
    drawn = None if real else threading.Event()
    if drawn is not None:
        workspace.view.painted.connect(lambda result: drawn.set())
    camera = Webcam(pictures, period, drawn)
    workspace.sources.start(lambda: camera)
    figures = _watched(app, live, camera, painted, seconds, real)
    window.close()
    app.processEvents()
    return figures


def _watched(app: QApplication, live: Live, camera: Webcam, painted: list, seconds: float, real: bool) -> dict:
    """Let it run for some seconds; figures by name."""
    from PySide6.QtCore import QEventLoop, QTimer

    def run(duration: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(round(duration * 1000), loop.quit)
        loop.exec()

    run(WARM)
    painted.clear()
    begin, before, first = time.monotonic(), spent(), len(camera.left)
    run(seconds)
    took = time.monotonic() - begin
    after, frames, sent = spent(), len(painted), len(camera.left) - first
    timings = [timing for _, timing in live.history]
    figures: dict[str, float | str] = {
        "model": live.runtime.model.name, "isa": live.runtime.isa, "frames sent": sent, "frames drawn": frames,
        "with a subject, %": 100 * float(np.mean([count > 0 for _, count in painted])) if painted else 0.0,
    }  # fmt: skip
    if real:
        totals = [timing.total * 1000 for timing in timings]
        figures |= {"fps": frames / took, "latency p50 ms": float(np.percentile(totals, 50)),
                    "latency p95 ms": float(np.percentile(totals, 95))}  # fmt: skip
    # A frame that was dropped has cost its decoding alone.
    parts = {name: (after[name] - before.get(name, 0.0)) / max(sent if name == "grab" else frames, 1) for name in after}
    figures["CPU ms a frame"] = sum(parts.values()) * 1000
    figures["frames one core can"] = 1 / max(sum(parts.values()), 1e-9)
    figures |= {f"  {name} ms": part * 1000 for name, part in sorted(parts.items())}
    return figures


def main() -> None:
    """Print a table for each model and instruction set, each measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["face68", "pose16"])
    parser.add_argument("--isas", nargs="+", default=["avx512", "avx2"])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=30)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        for name, value in measure(given.models[0], given.seconds, 1 / given.rate, given.every, given.real).items():
            print(f"{name:20} {value if isinstance(value, str) else format(value, '10.2f')}")
        return
    for model in given.models:
        for isa in given.isas:
            print(f"\n{model} {isa}", flush=True)
            with tempfile.TemporaryDirectory() as home:
                environment = {**os.environ, "HOURBIT_ISA": isa, "HOURBIT_HOME": home, "OMP_NUM_THREADS": "1"}
                environment.setdefault("QT_QPA_PLATFORM", "offscreen")
                command = [sys.executable, "-m", "benchmarks.live_speed", "--child", "--models", model, "--seconds",
                           str(given.seconds), "--rate", str(given.rate), "--every", str(given.every),
                           *(["--real"] if given.real else [])]  # fmt: skip
                subprocess.run(command, env=environment, check=True,
                               preexec_fn=lambda: os.sched_setaffinity(0, {given.core}))  # fmt: skip


if __name__ == "__main__":
    main()
