"""Opens the real window on Live and closes it in a given state: STATE [ADDRESS]. Prints when it began to close."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QTimer

import app.main as entry
from app.services.live_values import State
from app.sources import Stream, open_place
from app.sources.synthetic import Step, Synthetic

WANTED = {
    "blocked": State.STALLED, "lost": State.LOST, "opening": State.LOST, "stalled": State.LOST, "deaf": State.OPENING,
    "ended": State.ENDED, "idle": State.IDLE,
}  # fmt: skip


def source(state: str, address: str):
    """What runs when the window closes."""
    if state in ("stream", "stalled", "deaf"):
        return Stream(address)
    if state in ("playing", "paused", "ended"):
        return open_place(address, loop=state == "playing", hold=state != "ended")
    if state == "blocked":
        return Synthetic([Step()] * 5 + [Step("block")], 0.02)
    if state == "lost":
        return Synthetic([Step()] * 5 + [Step("nothing")] * 10_000, 0.02)
    if state == "opening":
        return Synthetic([], 0.02, refuse=10_000)
    return Synthetic.endless(0.02)


def main(state: str, address: str) -> None:
    """Start, reach the state, close; the entry point's own code is the exit code."""
    made = entry.make_window

    def make_window():
        window = made()
        QTimer.singleShot(0, lambda: start(window))
        return window

    def start(window) -> None:
        window.show_page("live")
        workspace = window.workspaces["live"]
        if state != "idle":
            workspace.sources.start(lambda: source(state, address))
        deadline = time.monotonic() + 20
        timer = QTimer(window)

        def look() -> None:
            live = workspace.live
            wanted = WANTED.get(state, State.RUNNING)
            if live.state is not wanted and time.monotonic() < deadline:
                return
            timer.stop()
            if state == "frozen":
                workspace.trigger("freeze")
            if state == "recording":
                workspace.trigger("record")
            if state == "paused":  # with everything open that has a thread, and a second model on its way
                for name in ("heatmaps", "statistics", "play", "second_model"):
                    workspace.trigger(name)
            if state == "loading":
                workspace.models.choose_runtime("reference")
            if state == "elsewhere":
                window.show_page("models")
            QTimer.singleShot(300 if state == "recording" else 0, close)

        def close() -> None:
            print("closing", time.time(), flush=True)
            window.close()

        timer.timeout.connect(look)
        timer.start(20)

    entry.make_window = make_window
    raise SystemExit(entry.run([]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
