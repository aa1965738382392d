"""The window's entry point: the one place that knows all rooms and wires them."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from pathlib import Path


def run(argv: list[str] | None = None) -> int:
    """Open the window and stay until it is closed; returns the exit code, 2 where there is no display."""
    if sys.platform.startswith("linux") and not _display():
        print("There is no display; use the commands instead, see: hourbit --help", file=sys.stderr)
        return 2
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication.instance() or QApplication([sys.argv[0], *(argv or [])])
    app.setApplicationName("Hourbit")
    app.setApplicationDisplayName("Hourbit")
    window = make_window()
    window.show()
    gc.freeze()  # what is there by now stays to the end: no collection need walk over it
    open_arguments(window, argv or [])
    code = app.exec()
    if threading.active_count() > 1:
        # A camera or a search that hangs in a driver: everything is on the disk, and Python would abort on it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def make_window():
    """The main window with everything behind it; the application exists already."""
    from PySide6.QtWidgets import QApplication

    from app import crash
    from app.files import data_folder, sweep
    from app.library import Library
    from app.plugins import load_plugins
    from app.services import garbage
    from app.services.live import Live
    from app.services.pictures import PictureCache
    from app.services.stills import Stills
    from app.services.training import Training
    from app.settings import Settings
    from app.views.context import Context
    from app.views.theme import theme
    from app.views.window import MainWindow
    from app.views.words import SYSTEM, speak

    garbage.keep_to_this_thread(QApplication.instance())
    home = data_folder()
    sweep(home)  # of what was cut off in the middle of writing
    told: list[MainWindow] = []
    with contextlib.suppress(OSError):  # a home that cannot be written is no reason not to start
        crash.install(home, lambda sentence: [window.broken.emit(sentence) for window in told])
    failed = load_plugins()
    settings, library = Settings(home / "settings.json"), Library(home)
    speak(QApplication.instance(), settings.get("language", SYSTEM))
    theme().apply(QApplication.instance(), settings.get("theme", "system"), settings.get("text size", 100))
    theme().follow_system(QApplication.instance())
    stills = Stills(lambda schema: context.runtime_for(schema.name), PictureCache())
    context = Context(settings, library, stills, Live(), Training(library))
    window = MainWindow(context)
    for sentence in failed.values():
        window.say(sentence)
    told.append(window)
    return window


def open_arguments(window, argv: list[str]) -> None:
    """Open the files and folders named on the command line."""
    paths = [Path(argument) for argument in argv if not argument.startswith("-")]
    if paths:
        window.opening.dropped(paths)


def _display() -> bool:
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or chosen in ("offscreen", "minimal"))


def main() -> int:
    """Entry point `hourbit-app`."""
    return run(sys.argv[1:])
