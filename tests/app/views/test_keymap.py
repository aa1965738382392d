"""One's own keys: changed on the page of settings, refused where they mean something else, kept, shown everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.files import data_folder
from app.views.actions import ACTIONS, BY_NAME, title
from app.views.keymap import KeyMap, KeyRefused, defaults, is_typed, meet, shown, spelled
from app.views.keys import Keys
from app.views.keys_page import KeysEditor
from app.views.palette import KEY as CAP
from app.views.window import MainWindow
from app.views.words import speak
from tests.app.views.desk import add_model, close_window, no_camera, open_window, opened, picture_folder


@pytest.fixture
def keys(tmp_path: Path) -> KeyMap:
    return KeyMap(tmp_path / "keys.json")


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path_factory):
    add_model(tmp_path_factory.mktemp("model"))
    no_camera(monkeypatch)
    made = open_window()
    yield made
    close_window(made)


def press(widget: QWidget, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    QTest.keyClick(widget, key, held)


def test_without_a_file_the_keys_are_the_tables(keys):
    for spec in ACTIONS:
        assert keys.keys(spec.name) == defaults(spec.name) and len(defaults(spec.name)) == len(spec.keys)
        assert not keys.is_own(spec.name)


def test_an_own_key_is_kept_and_can_be_taken_back(keys, tmp_path, qtbot):
    with qtbot.waitSignal(keys.changed):
        keys.set("next_image", ("J", "PgDown"))
    again = KeyMap(tmp_path / "keys.json")
    assert again.keys("next_image") == ("J", "PgDown") and again.is_own("next_image")
    assert json.loads((tmp_path / "keys.json").read_text()) == {"keys": {"next_image": ["J", "PgDown"]}}
    again.reset("next_image")
    assert again.keys("next_image") == ("D",) and not KeyMap(tmp_path / "keys.json").is_own("next_image")


def test_a_key_of_another_action_is_refused_by_its_name(keys):
    with pytest.raises(KeyRefused, match="A is the key of .Previous image."):
        keys.set("next_image", ("A",))
    assert keys.keys("next_image") == ("D",)
    keys.set("previous_image", ())
    keys.set("next_image", ("A",))
    with pytest.raises(KeyRefused):
        keys.reset("previous_image")
    assert keys.keys("previous_image") == () and keys.cap("previous_image") == ""
    keys.reset()
    assert keys.keys("next_image") == ("D",) and keys.keys("previous_image") == ("A",)


def test_one_key_may_mean_two_things_in_two_workspaces(keys):
    assert not meet(BY_NAME["accept"], BY_NAME["add_to_project"])
    assert keys.keys("accept") == keys.keys("add_to_project") == ("Return",)
    with pytest.raises(KeyRefused):  # it steps through landmarks in Live too
        keys.set("freeze", ("S",))


@pytest.mark.parametrize("key", ["Esc", "Tab", "Left", "Ctrl+Right", "F6"])
def test_keys_that_mean_the_same_everywhere_stay_so(keys, key):
    with pytest.raises(KeyRefused, match="meaning of its own"):
        keys.set("fit", (key,))


def test_what_one_types_is_no_key_of_the_whole_window(keys):
    with pytest.raises(KeyRefused, match="Ctrl or Alt"):
        keys.set("open_folder", ("O",))
    keys.set("open_folder", ("F9",))
    assert keys.shortcuts("open_folder") == ("F9",)
    assert is_typed("Shift+A") and is_typed("Return") and not is_typed("Alt+A")


def test_a_damaged_file_or_one_with_nonsense_gives_the_tables_keys(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text('{"keys": {"fit": ["A", "Tab", "no such key", "I"], "gone": ["Z"], "undo": 7, "accept": [3]}}')
    held = KeyMap(path)
    assert held.keys("fit") == ("I",) and held.keys("undo") == ("Ctrl+Z",) and held.keys("accept") == ("Return",)
    assert held.problem == (
        "5 of your own keys cannot be used, such as A for \u201cFit\u201d; the first keys serve there."
    )
    path.write_text("{")
    damaged = KeyMap(path)
    assert damaged.keys("fit") == ("F", "Ctrl+F") and damaged.problem.endswith("the keys are the first ones again.")
    assert "keys.json.damaged-" in damaged.problem and KeyMap(path).problem == ""


def written(tmp_path: Path, **keys: list[str]) -> KeyMap:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": keys}))
    return KeyMap(tmp_path / "keys.json")


def test_an_action_whose_keys_all_clash_has_the_tables_keys(tmp_path):
    held = written(tmp_path, fit=["A"], next_image=["J"], accept=["J"])
    assert held.keys("fit") == ("F", "Ctrl+F") and held.keys("previous_image") == ("A",)
    assert held.keys("next_image") == ("J",) and held.keys("accept") == ("Return",) and not held.is_own("accept")
    assert held.problem.startswith("2 of your own keys cannot be used, such as A for \u201cFit\u201d")


def test_the_tables_key_is_not_taken_from_who_has_it_now(tmp_path):
    held = written(tmp_path, fit=["D"], next_image=["F"], flag=["Tab"], box=["G"])
    assert held.keys("fit") == ("D",) and held.keys("next_image") == ("F",)  # exchanged: each is free for the other
    assert held.keys("box") == ("G",) and held.keys("flag") == () and held.problem.startswith("1 of")
    fine = written(tmp_path, flag=[])
    assert fine.keys("flag") == () and fine.problem == ""


def test_what_is_wrong_with_the_keys_is_told_at_the_start_and_leads_to_them(qtbot, monkeypatch):
    no_camera(monkeypatch)
    (data_folder() / "keys.json").write_text('{"keys": {"fit": ["Tab"]}}')
    window, asked = open_window(), []
    monkeypatch.setattr("app.views.pages.SettingsPage.exec", lambda page: asked.append(page.tabs.currentWidget()))
    assert window.banner.isVisible() and window.banner.text.text() == window.context.keys.problem
    window.banner.button.click()
    assert [type(page) for page in asked] == [KeysEditor]
    close_window(window)


def test_every_action_is_in_the_palette_by_the_words_of_both_languages(qtbot, qapp, window: MainWindow, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    palette, found = window.palette_popup, set()
    speak(qapp, "de")
    try:
        for place in ("label", "live", "models"):
            window.show_page(place)
            window.trigger("palette")
            for spec in ACTIONS:
                if spec.name != "palette" and window.menus.usable(spec.name):
                    for words in (spec.text, title(spec)):
                        palette.field.setText(words)
                        items = map(palette.list.item, range(palette.list.count()))
                        assert spec.name in [item.data(Qt.ItemDataRole.UserRole) for item in items], words
                    found.add(spec.name)
            palette.hide()
    finally:
        speak(qapp, "en")
    assert found == set(BY_NAME) - {"palette"}
    palette.field.setText("no such command")
    assert palette.list.isHidden() and not palette.none.isHidden()


def test_spelling_and_caps():
    assert spelled("Enter") == spelled("Return") == "Return" and spelled("Ctrl+K, Ctrl+L") == "" == spelled("Hyper+Q")
    assert shown("Return") == "Enter" and shown("Ctrl+Shift+P") == "Ctrl+Shift+P"


def test_a_symbol_typed_with_shift_is_that_symbol(keys, qapp):
    done, owner = [], QWidget()
    heard = Keys(keys, "label", done.append, owner)
    question = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier, "?")
    assert heard.act(question) and done == ["keys"]
    assert not heard.press(Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    keys.set("next_image", ("Shift+D",))
    assert heard.press(Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier) and done[-1] == "next_image"
    assert not heard.press(Qt.Key.Key_D)


def test_the_page_changes_refuses_and_resets(qtbot, keys):
    page = KeysEditor(keys)
    qtbot.addWidget(page)
    page.show()
    assert set(page.rows) == set(BY_NAME)
    row = page.rows["occluded"]
    assert row.fields[0].keySequence() == QKeySequence("Q") and row.back.isHidden()
    QTest.keyClick(row.fields[0], Qt.Key.Key_O)
    assert keys.keys("occluded") == ("O",) and not row.back.isHidden()
    QTest.keyClick(row.fields[0], Qt.Key.Key_D)
    assert "Next image" in page.said.text() and keys.keys("occluded") == ("O",)
    qtbot.waitUntil(lambda: row.fields[0].keySequence() == QKeySequence("O"))
    QTest.keyClick(row.fields[1], Qt.Key.Key_Y, Qt.KeyboardModifier.AltModifier)
    assert keys.keys("occluded") == ("O", "Alt+Y") and page.said.text() == ""
    row.back.click()
    assert keys.keys("occluded") == ("Q",) and row.fields[1].keySequence().isEmpty()
    keys.set("box", ("F8",))
    page.all.click()
    assert keys.keys("box") == ("B",) and page.rows["box"].fields[0].keySequence() == QKeySequence("B")


def test_the_page_finds_actions_by_word_and_key(qtbot, keys):
    page = KeysEditor(keys)
    qtbot.addWidget(page)
    page.search.setText("landmark")
    shown_rows = {name for name, row in page.rows.items() if not row.words.isHidden()}
    assert shown_rows == {spec.name for spec in ACTIONS if "landmark" in title(spec).casefold()}
    page.search.setText("ctrl+shift+p")
    assert [name for name, row in page.rows.items() if not row.words.isHidden()] == ["palette"]
    assert page.headings["File"].isHidden() and not page.headings["Help"].isHidden()


def test_menus_buttons_palette_and_the_workspace_follow(qtbot, window: MainWindow, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    label, keys = window.workspaces["label"], window.context.keys
    keys.set("next_image", ("J",))
    keys.set("undo", ("Ctrl+U",))
    keys.set("next_to_check", ())
    keys.set("accept", ("Space",))
    assert window.menus.actions["next_image"].text().endswith("\tJ")
    assert window.menus.actions["undo"].shortcuts() == [QKeySequence("Ctrl+U")]
    assert label.bar.next.toolTip() == "Next image (J)" and "(Ctrl+U)" in label.tools.undo.toolTip()
    window.trigger("palette")
    listed = window.palette_popup.list
    caps = {listed.item(n).text(): listed.item(n).data(CAP) for n in range(listed.count())}
    window.palette_popup.hide()
    assert caps["Next image"] == "J" and caps["Accept, next"] == "Space"
    first = label.browsing.current
    press(label.canvas, Qt.Key.Key_D)
    assert label.browsing.current == first
    press(label.canvas, Qt.Key.Key_J)
    QApplication.processEvents()
    assert label.browsing.current != first
    assert window.menu_line.cap.text() == "Ctrl+Shift+P"
    keys.set("palette", ("Ctrl+K",))
    assert window.menu_line.cap.text() == "Ctrl+K"
