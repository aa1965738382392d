"""The window in another language: how words are looked up, and that none goes past the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QMessageBox

from app.views import words
from app.views.banner import Banner
from app.views.pages import SettingsPage
from app.views.words import Catalogue, language, languages, speak, spoken, told, tr
from tests import sentences, source_tree, translations
from tests.app.views.desk import close_window, no_camera, open_window


@pytest.fixture
def german(qapp) -> Iterator[None]:
    assert speak(qapp, "de") == "de"
    yield
    assert speak(qapp, "en") == "en"



def test_widgets_functions_and_qts_own_dialogues_speak_the_language(german):
    assert QLabel().tr("Undo") == tr("Undo") == QCoreApplication.translate("any", "Undo") == "R\u00fcckg\u00e4ngig"
    box = QMessageBox()
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    assert [button.text() for button in box.buttons()] == ["Abbrechen"]
    assert spoken() == "de"


def test_what_a_catalogue_lacks_is_said_in_english(german):
    assert tr("Nobody has translated this") == "Nobody has translated this"
    assert told("Nobody has translated this") == "Nobody has translated this"


def test_a_sentence_with_values_is_said_anew_with_the_same_values(qapp):
    held = Catalogue("xx", {
        "The file {0} is missing.": "Es fehlt: {0}.", "The file {0} is missing in {1}.": "In {1} fehlt {0}.",
        "{0} and again {0}: {1}": "{1} ({0})", "{0} {1}": "never",
    }, qapp)  # fmt: skip
    assert held.sentence("The file a (1).png is missing.") == "Es fehlt: a (1).png."
    assert held.sentence("The file a.png is missing in b.") == "In b fehlt a.png."
    assert held.sentence("x and again x: y") == "y (x)" and held.sentence("x and again z: y") == "x and again z: y"
    assert held.sentence("any words") == "any words"
    held.setParent(None)


def test_the_language_is_the_systems_unless_one_is_chosen(monkeypatch):
    class System:
        @staticmethod
        def uiLanguages() -> list[str]:
            return ["pt-BR", "de-Latn-AT", "en"]

    assert languages()["de"] == "Deutsch" and languages()["en"] == "English"
    monkeypatch.setattr(words.QLocale, "system", System)
    assert language("system") == language("kli") == "de" and language("en") == "en"
    monkeypatch.setattr(System, "uiLanguages", staticmethod(lambda: ["pt-BR", "C"]))
    assert language("system") == "en"


def test_the_setting_is_kept_and_says_when_it_takes_effect(qtbot, monkeypatch):
    no_camera(monkeypatch)
    window = open_window()
    page = SettingsPage(window.context, window)
    assert page.language.currentData() == "system" and not page.form.isRowVisible(page.later)
    for code, later in (("de", True), ("en", False)):
        page.language.setCurrentIndex(page.language.findData(code))
        page.language.activated.emit(page.language.currentIndex())
        assert window.context.settings.get("language", "") == code
        assert page.form.isRowVisible(page.later) == later
    close_window(window)


@pytest.mark.parametrize("path", source_tree.python_files("app/views"), ids=lambda path: path.stem)
def test_every_word_that_people_see_goes_through_translation(path: Path):
    found = [*translations.past_translation(path), *translations.made_of_values(path)]
    assert not found, "say tr(...) or mark(...) (app/views/words.py) around:\n" + "\n".join(map(str, found))


def test_the_walk_finds_words_that_go_past_translation(tmp_path, monkeypatch):
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    path = tmp_path / "wrong.py"
    path.write_text(
        '"""A text of the file."""\n'
        'TOOLS = (("box", "Draw the box"),)\n'
        'label = QLabel("hidden" if x else self.tr("shown"))\n'
        'label.setText(f"{n} images")\n'
        'self.said.emit("All done")\n'
        'button.setToolTip(tr("Fine") + " Ctrl+Z")\n'
        'other.setText(tr(f"{n} of them"))\n'
    )
    assert [found.text for found in translations.past_translation(path)] == [
        "Draw the box", "hidden", "{0} images", "All done",
    ]  # fmt: skip
    assert [found.text for found in translations.made_of_values(path)] == ["{0} of them"]
    assert {found.text for found in translations.translated(path)} == {"shown", "Fine", "{0} of them"}


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_language_is_complete_and_keeps_the_values(code):
    """`python -m tests.translations` adds what is missing; then translate it."""
    held = {entry.msgid: entry.msgstr for entry in translations.catalogue(code)}
    wanted = {found.text for found in translations.said() if found.text}
    assert not wanted - set(held), f"not in {code}.po"
    assert not set(held) - wanted, f"nobody says these of {code}.po any more"
    assert not [english for english, other in held.items() if not other.strip()]
    holes = [(english, other) for english, other in held.items()
             if set(words.HOLE.findall(english)) != set(words.HOLE.findall(other))]  # fmt: skip
    assert not holes
    assert not [english for english, other in held.items() if english.endswith("\u2026") != other.endswith("\u2026")]


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_sentence_from_below_is_known_again_with_its_values(qapp, code):
    held = Catalogue(code, words.texts(code), qapp)
    for path in sentences.below():
        for text, line in sentences.told(path):
            values = partial(words.HOLE.sub, lambda hole: f"v{hole[1]}.x")
            assert held.sentence(values(text)) == values(held.texts[text]), f"{path.name}:{line}"
    held.setParent(None)


def test_the_walk_finds_sentences_below_the_window_whatever_they_are_made_of(tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "ROOT", tmp_path)
    path = tmp_path / "wrong.py"
    path.write_text(
        'raise FormatError(f"{path.name} is {\'empty\' if x else \'cut short\'}; get it {y}.")\n'
        'raise ValueError("a programmer erred")\n'
        'self.problems.add(f"line {n}", "it was left out")\n'
        'names.add("around", "not a problem of labels")\n'
        'refuse(path, "", "it is large" if big else "it is odd", "split it")\n'
        'raise UserError("Unknown; use --form.")\n'
    )
    assert [text for text, _ in sentences.told(path)] == [
        "{0} is empty; get it {1}.", "{0} is cut short; get it {1}.", "it was left out", "it is large", "it is odd",
        "split it",
    ]  # fmt: skip


def test_what_rooms_below_join_is_told_part_by_part(german):
    assert told("a.json, line 3, column 5: it is no JSON (Expecting value); split it.") == (
        "a.json, Zeile 3, Spalte 5: es ist kein JSON (Expecting value); es aufteilen."
    )
    assert told("b c.json cannot be read (Permission denied); check its place.") == (
        "b c.json ist nicht lesbar (Zugriff verweigert); den Ort pr\u00fcfen."
    )


def test_an_error_from_below_is_told_in_the_language(german, qtbot):
    parent = QLabel()
    qtbot.addWidget(parent)
    banner = Banner(parent)
    banner.show_message("error", "people.hourbit-project is open elsewhere (process 7); close it there first.")
    assert banner.text.text().startswith("people.hourbit-project ist anderswo offen (process 7)")
