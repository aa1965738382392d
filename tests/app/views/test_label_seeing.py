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
from app.settings import Settings
from app.views.keymap import KeyMap
from app.views.label import seeing
from app.views.label.kept_look import KEY, MOST, KeptLook
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
    made.last = LastPicture(made.canvas, Transfer(made.editing), made.stills.cache, lambda i: None)
    made.seeing = Seeing(made.canvas, made.tools, made.last, Settings(data_folder() / "settings.json"))
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


def another(bench: Bench) -> Seeing:
    """The switches as the next start of the program makes them."""
    assert bench.seeing.close()
    bench.seeing = Seeing(bench.canvas, bench.tools, bench.last, Settings(data_folder() / "settings.json"))
    return bench.seeing


def test_what_one_project_is_looked_at_with_is_there_at_the_next_start_and_not_in_another(bench, tmp_path):
    mine, other = tmp_path / "mine.hourbit-project", tmp_path / "other.hourbit-project"
    bench.seeing.open(mine)
    bench.seeing.adjust.sliders["brightness"].setValue(30)
    bench.seeing.adjust.sliders["gamma"].setValue(-7)
    bench.seeing.flip("snap")
    bench.seeing.flip("equalise")
    bench.canvas.shaping.toggle_outside()
    look = bench.seeing.adjust.look
    bench.seeing.open(other)
    assert bench.seeing.adjust.look == Look() and not bench.seeing.equalised and not bench.editing.may_leave
    assert bench.canvas.snapping  # the user's, wherever

    bench.canvas.snapping = False
    seeing = another(bench)
    assert bench.canvas.snapping and bench.tools.switches["snap"].isChecked()
    seeing.open(mine)
    assert seeing.adjust.look == look and seeing.equalised and bench.editing.may_leave
    assert bench.tools.switches["equalise"].isChecked() and not bench.last.shown
    seeing.adjust.clear()
    seeing.open(None)
    seeing.open(mine)
    assert seeing.adjust.look == Look() and seeing.equalised


def test_damaged_entries_of_the_settings_are_passed_over(bench, tmp_path):
    project = tmp_path / "mine.hourbit-project"
    odd = [[str(project), {"brightness": "x", "contrast": 999}], 3, [1, 2]]
    Settings(data_folder() / "settings.json").set(KEY, odd)
    seeing = another(bench)
    seeing.open(project)
    assert seeing.adjust.sliders["brightness"].value() == 0
    assert seeing.adjust.sliders["contrast"].value() == 100
    seeing.adjust.sliders["brightness"].setValue(5)
    seeing.open(None)
    assert KeptLook(Settings(data_folder() / "settings.json")).of(project) == {"brightness": 5, "contrast": 100}


def test_only_the_projects_of_late_are_remembered(tmp_path):
    kept = KeptLook(Settings(data_folder() / "settings.json"))
    for n in range(MOST + 5):
        kept.keep(tmp_path / str(n), {"brightness": n + 1})
    assert kept.of(tmp_path / "4") == {} and kept.of(tmp_path / "5") == {"brightness": 6}
    assert kept.of(tmp_path / str(MOST + 4)) == {"brightness": MOST + 5}
