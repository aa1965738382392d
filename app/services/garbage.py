"""Python's collection of garbage, kept to the window's thread.

Python collects in whichever thread happens to allocate. Qt's objects must end in the thread that they live in: a
widget in a cycle, collected by a thread that reads a model, ends there while the window's thread works on its parent,
and both wait for each other for ever.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000


def collect() -> None:
    """Collect what Python would have collected by now: the oldest generation that is due, and those under it."""
    counts, limits = gc.get_count(), gc.get_threshold()
    for generation in (2, 1, 0):
        if counts[generation] > limits[generation]:
            gc.collect(generation)
            return


def keep_to_this_thread(parent: QObject) -> QTimer:
    """Collect in the calling thread only, once a second, for as long as `parent` lives.

    Returns the timer, which belongs to `parent`.
    """
    gc.disable()
    timer = QTimer(parent)
    timer.timeout.connect(collect)
    timer.start(EVERY_MS)
    return timer
