"""Live's own figures against a look from outside: python -m benchmarks.live_outside [--seconds 60] [--busy 0.05].

A camera on the loopback network (MJPEG, 1280 x 720, 30 pictures a second) numbers its pictures in black and white
squares and notes when each one is sent. The real window runs in a process of its own on an X server and prints its fps
and latency as they stand on the screen. This process reads the squares off that screen every 2 ms: when a number first
stands there, its picture has arrived. `--busy` makes the network take so many seconds longer, as on a slow machine;
latency must then stay flat. Prints both sides' figures for each tenth of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from benchmarks.live_scene import BITS, SQUARE, number_in, scene

KEPT = 300  # pictures until the numbers begin again
FORGOTTEN = 5.0  # seconds after which a number on the screen cannot be of the round before


class Camera:
    """Sends the pictures to whoever asks; `sent` has the monotonic second of each, by number modulo KEPT."""

    def __init__(self, rate: float) -> None:
        self.pictures, self.period = scene(KEPT), 1 / rate
        self.sent = [0.0] * KEPT
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/camera"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                try:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n")
                    self._send(client)
                except OSError:
                    continue

    def _send(self, client: socket.socket) -> None:
        due, number = time.monotonic(), 0
        while True:
            data = self.pictures[number]
            head = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            self.sent[number] = time.monotonic()
            client.sendall(head + data + b"\r\n")
            number = (number + 1) % KEPT
            due += self.period
            time.sleep(max(0.0, due - time.monotonic()))


def window(url: str, model: str, busy: float, seconds: float) -> None:
    """The child: the real window on the stream; prints a line of JSON every half second."""
    from PySide6.QtCore import QPoint, QTimer
    from PySide6.QtWidgets import QApplication

    from app.main import make_window
    from app.sources import Stream
    from engine import load_model

    app = QApplication(["live"])
    shown = make_window()
    shown.setGeometry(0, 0, 1280, 800)
    shown.show()
    shown.show_page("live")
    workspace = shown.workspaces["live"]
    runtime = load_model(model)
    if busy:
        run = runtime.run
        runtime.run = lambda crop, logits=False: time.sleep(busy) or run(crop, logits)
    while workspace.live.runtime is None:  # the workspace's own choice, which the one to be measured replaces
        app.processEvents()
        time.sleep(0.01)
    app.processEvents()
    workspace.live.set_runtime(runtime)
    workspace.sources.start(lambda: Stream(url))

    def tell() -> None:
        fit = workspace.view.fit
        if fit is None:
            return
        x, y, wide, high = fit.rect
        corner = workspace.view.mapToGlobal(QPoint(0, 0))
        strip = [corner.x() + x, corner.y() + y + high - SQUARE * fit.scale / 2, BITS * SQUARE * fit.scale]
        told = {"strip": strip, "fps": workspace.view.rate, "ms": workspace.view.latency * 1000,
                "dropped": workspace.live.dropped}  # fmt: skip
        print(json.dumps(told), flush=True)

    timer = QTimer()
    timer.timeout.connect(tell)
    timer.start(500)
    QTimer.singleShot(round(seconds * 1000), shown.close)
    app.exec()


def watch(camera: Camera, child: subprocess.Popen, seconds: float) -> list[dict[str, float]]:
    """Read the squares off the screen; what was seen and told in each tenth of the time."""
    from PySide6.QtGui import QGuiApplication

    app = QGuiApplication(["watch"])
    told: list[tuple[float, dict]] = []
    threading.Thread(target=lambda: told.extend(_lines(child)), daemon=True).start()
    stop = time.monotonic() + 60
    while not told and time.monotonic() < stop:
        time.sleep(0.05)
    seen: list[tuple[float, float]] = []
    last, end = -1, time.monotonic() + seconds
    screen = app.primaryScreen()
    while time.monotonic() < end:
        x, y, wide = told[-1][1]["strip"]
        image = screen.grabWindow(0, round(x), round(y), round(wide), 1).toImage().convertToFormat(
            image_format())  # fmt: skip
        now = time.monotonic()
        row = np.frombuffer(image.constBits(), np.uint8, image.bytesPerLine())[: image.width() * 3].reshape(-1, 3)
        number = number_in(row)
        if number != last and number < KEPT and 0 < now - camera.sent[number] < FORGOTTEN:
            seen.append((now, now - camera.sent[number]))
        last = number
        time.sleep(0.002)
    return _summary(seen, told, seconds)


def image_format():
    """Three bytes a pixel."""
    from PySide6.QtGui import QImage

    return QImage.Format.Format_RGB888


def _lines(child: subprocess.Popen):
    for line in child.stdout:
        yield time.monotonic(), json.loads(line)


def _summary(seen: list[tuple[float, float]], told: list[tuple[float, dict]], seconds: float) -> list[dict[str, float]]:
    rows, step = [], max(5.0, seconds / 10)
    begin = seen[0][0]
    for first in np.arange(begin, begin + seconds - step / 2, step):
        here = [latency for moment, latency in seen if first <= moment < first + step]
        said = [line for moment, line in told if first + 1 <= moment < first + step]
        if len(here) > 1 and said:
            rows.append({
                "at s": first - begin, "fps told": float(np.mean([line["fps"] for line in said])),
                "fps seen": len(here) / step, "ms told": float(np.mean([line["ms"] for line in said])),
                "ms seen": float(np.mean(here)) * 1000, "ms seen p95": float(np.percentile(here, 95)) * 1000,
            })  # fmt: skip
    return rows


def measure(seconds: float, model: str = "face68", busy: float = 0.0, rate: float = 30.0) -> list[dict[str, float]]:
    """Needs a display; rows of figures."""
    camera = Camera(rate)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOURBIT_HOME": home, "no_proxy": "*"}
        command = [sys.executable, "-m", "benchmarks.live_outside", "--child", camera.url, "--model", model,
                   "--busy", str(busy), "--seconds", str(seconds + 6)]  # fmt: skip
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            rows = watch(camera, child, seconds)
            assert child.wait(30) == 0, "the window did not end as it should"
        finally:
            child.kill()
            child.wait()
    return rows


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--busy", type=float, default=0.0)
    parser.add_argument("--model", default="face68")
    parser.add_argument("--rate", type=float, default=30)
    parser.add_argument("--child", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        window(given.child, given.model, given.busy, given.seconds)
        return
    rows = measure(given.seconds, given.model, given.busy, given.rate)
    print("  ".join(f"{name:>11}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value:11.1f}" for value in row.values()))


if __name__ == "__main__":
    main()
