"""Opens the real window on the display that is set, and keeps what the X server shows: SCHEME FOLDER."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.main import make_window
from app.views.theme import theme


def main(scheme: str, folder: Path) -> int:
    """First page, then Label on the sample, then Models."""
    app = QApplication([])
    window = make_window()
    theme().apply(app, scheme)
    window.resize(1280, 800)
    window.move(0, 0)
    window.show()

    def wait(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            app.processEvents()
            time.sleep(0.01)

    def keep(name: str) -> None:
        wait(0.5)
        window.screen().grabWindow(0).save(str(folder / f"{name}.png"))

    wait(1.0)
    keep("first")
    window.trigger("sample")
    end = time.monotonic() + 60
    while time.monotonic() < end and not (
        window.context.document is not None and window.context.document.counts()["predicted"] >= 1
    ):
        wait(0.1)
    wait(1.0)
    keep("label")
    window.trigger("models")
    keep("models")
    window.close()
    wait(0.1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
