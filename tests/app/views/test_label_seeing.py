"""What is seen of a picture: brightness, contrast, gamma and equalising change the screen, never the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.files import data_folder
from app.services.look import Look, change
from app.services.pictures import make_picture
from app.views.keymap import KeyMap
from app.views.label import seeing
from app.views.label.last_picture import LastPicture
from app.views.label.seeing import Seeing
from app.views.label.tool_bar import ToolBar
from app.views.label.transfer import Transfer
from tests.app.views.bench import Bench


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.show(made.images[0])
    made.tools = ToolBar(KeyMap(data_folder() / "keys.json"))
    made.seeing = Seeing(
        made.canvas, made.tools, LastPicture(made.canvas, Transfer(made.editing), made.stills.cache, lambda i: None)
    )
    made.canvas.show_labels(False)
    yield made
    assert made.seeing.close()
    made.tools.deleteLater()
    made.close()


def seen(bench: Bench) -> np.ndarray:
    """(h, w) green of what the canvas shows in the picture's middle."""
    QApplication.processEvents()
    image = bench.canvas.viewport().grab().toImage()
    return np.array([[image.pixelColor(x, y).green() for x in range(300, 340, 4)] for y in range(200, 240, 4)])


def test_a_look_is_a_table_and_no_look_is_none():
    assert Look().table() is None
    values = np.arange(256)
    assert np.abs(Look(brightness=10).table() - np.minimum(values + 25.5, 255)).max() <= 0.5 + 1e-6
    assert (np.unique(Look(contrast=100).table()) == [0, 255]).all()
    assert (np.unique(Look(contrast=-100).table()) == [128]).all()
    brighter = Look(gamma=2.0).table().astype(int)
    assert (brighter[1:200] > values[1:200]).all() and brighter[0] == 0 and brighter[255] == 255
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    change(pixels, np.arange(255, -1, -1, dtype=np.uint8))
    assert (pixels == 255 - np.arange(12).reshape(3, 4)).all()


def test_sliders_change_what_is_seen_and_nothing_else(bench):
    bench.canvas.actual_size()
    plain, revision = seen(bench), bench.document.revision
    picture = bench.stills.cache.load(Path(bench.guesses.path()))
    pixels = picture.pixels.copy()
    bench.seeing.adjust.sliders["brightness"].setValue(30)
    brighter = seen(bench)
    assert np.abs(brighter - np.minimum(plain + 0.3 * 255, 255)).max() <= 1.5
    bench.seeing.adjust.sliders["contrast"].setValue(-100)
    assert np.ptp(seen(bench)) == 0
    bench.seeing.adjust.clear()
    assert (seen(bench) == plain).all()
    assert (picture.pixels == pixels).all() and bench.document.revision == revision


def test_a_large_picture_is_equalised_a_moment_later(bench, qtbot, monkeypatch):
    picture = make_picture(np.random.default_rng(0).integers(100, 110, (120, 160, 3), np.uint8))
    bench.seeing.show_picture(picture)
    bench.canvas.actual_size()
    plain = np.ptp(seen(bench))
    monkeypatch.setattr(seeing, "AT_ONCE", 0)
    bench.seeing.flip("equalise")
    qtbot.waitUntil(lambda: np.ptp(seen(bench)) > plain + 10, timeout=10000)
    bench.seeing.flip("equalise")
    assert np.ptp(seen(bench)) == plain


def test_switches_and_buttons_agree(bench):
    for name, switch in bench.tools.switches.items():
        before = switch.isChecked() if name != "labels" else False
        bench.seeing.flip(name)
        assert switch.isChecked() != before, name
        bench.seeing.flip(name)
        assert switch.isChecked() == before, name
