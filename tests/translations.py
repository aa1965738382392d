"""Which words of the window go through translation, read from the source, and which German lacks.

`python -m tests.translations` lists words of the window that go past `tr`, adds what is new to the catalogues with no
translation yet, takes out what the window no longer says, and lists what waits for a translator.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib

from app.views.actions import BY_NAME
from tests import sentences
from tests.sentences import literals
from tests.source_tree import ROOT, python_files, tree

CATALOGUES = ROOT / "resources" / "translations"
WINDOW = "app/views"
MARKS = {"tr": 0, "mark": 0, "translate": 1}  # function -> which argument is the English text
# Calls that show their words to people: of a widget, an action, a menu, a notice, a dialogue or a screen reader.
SHOWN = {
    "QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QGroupBox", "QAction", "QDockWidget",
    "QListWidgetItem", "QTableWidgetItem", "QTreeWidgetItem", "Section", "Heading", "EmptyState", "ElidedLabel",
    "KeyButton", "UserError", "Dock", "setText", "set_text", "setToolTip", "setWindowTitle", "setPlaceholderText",
    "setAccessibleName", "setAccessibleDescription", "setStatusTip", "setWhatsThis", "setTitle", "set_title",
    "set_note", "set_face", "addAction", "addItem", "addItems", "addMenu", "addRow", "addTab", "addButton", "addText",
    "setHorizontalHeaderLabels", "setVerticalHeaderLabels", "setHeaderLabels", "setInformativeText", "setLabelText",
    "setSuffix", "setPrefix", "setTabText", "setItemText", "setLabel", "show_message", "say", "set_work", "question",
    "information", "warning", "critical", "getOpenFileName", "getOpenFileNames", "getSaveFileName",
    "getExistingDirectory", "getText", "getItem", "getInt", "drawText", "drawStaticText",
}  # fmt: skip
SIGNALS = {"said", "failed", "facts_changed", "refused"}  # whose emit() carries a sentence
NUMBER = re.compile(r" \d+$")  # of a landmark; app.views.words.named puts it back
WORD = re.compile(r"[^\W\d_]{3,}|[A-Z][a-z]")
# What SHOWN calls take besides words: kinds of banners, names of work, keys of lists, an address as an example.
NAMES = {
    "error", "warning", "success", "reading", "training", "name", "doubt", "play", "pause", "tray-arrow-down",
    "left", "bottom",
    "http://camera.local:8080/video",
}  # fmt: skip
# What reads like words and is none: a key, a style of Qt, a model's name in a project, what a programmer reads.
NOT_SAID = {
    "Delete", "Backspace", "Left", "Right", "Up", "Down", "Fusion", "mean shape", "to check", "d MMM yyyy",
    "English", "another file", "by landmark", "by landmark of", "parent sha256", "snap to peaks",
    "the array is shorter than its picture",
}  # fmt: skip
SENTENCE = re.compile(r"[A-Z][a-z]+(?:[ ,:\u2026].*)?|[a-z]+ .*[a-z]{2}.*")
NO_WORDS = re.compile(r"[\s\W\d_]*|[A-Z]|(?:Ctrl|Shift|Alt|Enter|Return|Space|Esc|Tab|Hourbit|Inter|px|fps|ms)+")


@dataclass(frozen=True)
class Found:
    """Words in the source: the text, with {0}, {1} ... for values, and where they stand."""

    text: str
    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line}: {self.text!r}"


def called(node: ast.Call) -> str:
    """The last part of what is called: `self.tr` -> tr."""
    func = node.func
    if isinstance(func, ast.Attribute):
        emits = func.attr == "emit" and isinstance(func.value, ast.Attribute) and func.value.attr in SIGNALS
        return "say" if emits else func.attr
    return func.id if isinstance(func, ast.Name) else ""


def template(node: ast.AST) -> str | None:
    """A literal, or an f-string with {0}, {1} ... for its values; None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts, holes = [], 0
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        else:
            parts.append(f"{{{holes}}}")
            holes += 1
    return "".join(parts)


def translated(path: Path) -> list[Found]:
    """What a file hands to tr, translate or mark."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and called(node) in MARKS and len(node.args) > MARKS[called(node)]:
            for text in literals(node.args[MARKS[called(node)]]):
                found.append(Found(template(text), path, text.lineno))
    return found


def made_of_values(path: Path) -> list[Found]:
    """f-strings handed to tr: no catalogue can hold them."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and called(node) in MARKS and len(node.args) > MARKS[called(node)]:
            joined = [text for text in literals(node.args[MARKS[called(node)]]) if isinstance(text, ast.JoinedStr)]
            found += [Found(template(text), path, text.lineno) for text in joined]
    return found


def past_translation(path: Path) -> list[Found]:
    """Words that a file shows to people in English whatever their language."""
    inside = _inside_marks(path)
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and called(node) in SHOWN:
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                for text in literals(argument):
                    if id(text) not in inside and has_words(template(text)):
                        found[id(text)] = Found(template(text), path, text.lineno)
    for node in _plain_texts(path):
        if id(node) not in inside and SENTENCE.fullmatch(node.value) and has_words(node.value):
            found[id(node)] = Found(node.value, path, node.lineno)
    return sorted(found.values(), key=lambda words: words.line)


def has_words(text: str) -> bool:
    """Whether there is something to translate."""
    if text in NAMES or text in NOT_SAID or text in BY_NAME:
        return False
    bare = re.sub(r"\{\d+\}|<[^>]*>|&\w+;", " ", text)
    return bool(WORD.search(bare)) and not all(NO_WORDS.fullmatch(part) for part in re.split(r"[\s+/|]+", bare))


def _inside_marks(path: Path) -> set[int]:
    inside: set[int] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and called(node) in MARKS:
            inside |= {id(below) for argument in node.args for below in ast.walk(argument)}
    return inside


def _plain_texts(path: Path) -> Iterator[ast.Constant]:
    """Texts that are no docstrings and no part of an f-string, a subscript, a comparison or a key."""
    left_out: set[int] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                left_out.add(id(first.value))
        elif isinstance(node, ast.JoinedStr):
            left_out |= {id(value) for value in node.values}
        elif isinstance(node, (ast.Subscript, ast.Compare)):
            left_out |= {id(below) for below in ast.walk(node)}
        elif isinstance(node, ast.Dict):
            left_out |= {id(key) for key in node.keys if key is not None}
        elif isinstance(node, ast.Call) and called(node) in QUIET:
            left_out |= {id(below) for below in ast.walk(node)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node


QUIET = {
    "setProperty", "setObjectName", "property", "QFont", "getattr", "setattr", "hasattr", "setStyleSheet", "get",
    "set", "Slot", "Signal", "pack", "Tag",
}


def said() -> list[Found]:
    """All English words of the window that a catalogue translates, sentences from below and schemas' titles too."""
    found = [found for path in python_files(WINDOW) for found in translated(path)]
    found += [Found(text, path, line) for path in sentences.below() for text, line in sentences.told(path)]
    for path in sorted((ROOT / "resources" / "schemas").glob("*.json")):
        schema = json.loads(path.read_text("utf-8"))
        found.append(Found(schema["title"], path, 1))
        found += [Found(NUMBER.sub("", name), path, 1) for name in (*schema["landmarks"], *schema.get("groups", {}))]
    return found


def catalogue(code: str) -> polib.POFile:
    return polib.pofile(str(CATALOGUES / f"{code}.po"), wrapwidth=110)


def refresh(code: str) -> list[str]:
    """Bring a catalogue up to date with the source; the English words that wait for a translator."""
    path = CATALOGUES / f"{code}.po"
    old = {entry.msgid: entry.msgstr for entry in catalogue(code)} if path.is_file() else {}
    made = polib.POFile(wrapwidth=110)
    made.metadata = {
        "Project-Id-Version": "Hourbit", "Language": code, "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit",
    }  # fmt: skip
    for text in sorted({found.text for found in said() if found.text}):
        made.append(polib.POEntry(msgid=text, msgstr=old.get(text, "")))
    path.write_text(f"{str(made).rstrip()}\n", "utf-8")
    return [entry.msgid for entry in made if not entry.msgstr]


def main() -> None:
    for path in python_files(WINDOW):
        for found in (*past_translation(path), *made_of_values(path)):
            print(f"not translatable  {found}")
    for path in sorted(CATALOGUES.glob("*.po")):
        for text in refresh(path.stem):
            print(f"{path.stem} lacks  {text!r}")


if __name__ == "__main__":
    main()
