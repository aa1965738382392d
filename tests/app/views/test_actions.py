"""The one table of actions: names and keys are unique, and every workspace does what the table says it does."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence

from app.views import actions, theme
from app.views.actions import ACTIONS, BY_NAME, MENUS
from app.views.keymap import KeyMap

VIEWS = Path(actions.__file__).parent
SCOPES = ("label", "live", "models")


def keys_of(*scopes: str) -> Counter[str]:
    """How often each key is used by the actions of these scopes, in one spelling."""
    keys = [key for spec in ACTIONS if spec.scope in scopes for key in spec.keys]
    return Counter(QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) for key in keys)


def test_names_are_unique():
    assert len(BY_NAME) == len(ACTIONS)


@pytest.mark.parametrize("scope", SCOPES)
def test_no_key_does_two_things_at_once(scope):
    twice = {key: n for key, n in keys_of(actions.ANYWHERE, scope).items() if n > 1}
    assert not twice


def test_every_key_is_one_that_qt_knows():
    assert "" not in keys_of(actions.ANYWHERE, *SCOPES)


def test_no_plain_letter_is_a_shortcut_of_the_window(tmp_path):
    # A shortcut is heard before a text field is; a plain key would be lost to whoever types.
    keys = KeyMap(tmp_path / "keys.json")
    for spec in ACTIONS:
        for key in keys.shortcuts(spec.name):
            assert key.startswith("Ctrl+") or re.fullmatch(r"(Shift\+)?F\d+", key), (spec.name, key)


def test_menus_and_scopes_are_known():
    assert {spec.menu for spec in ACTIONS} == set(MENUS)
    assert {spec.scope for spec in ACTIONS} <= {actions.ANYWHERE, *SCOPES}


def test_texts_are_labels():
    for spec in ACTIONS:
        assert spec.text[0].isupper() or spec.text[0].isdigit(), spec.name
        assert not spec.text.endswith((".", "!")), spec.name


def test_a_tooltip_has_name_and_key(tmp_path):
    keys = KeyMap(tmp_path / "keys.json")
    assert keys.tip("undo") == "Undo (Ctrl+Z)" and keys.tip("about") == "About Hourbit"


def test_every_icon_exists(qapp):
    for spec in ACTIONS:
        if spec.icon:
            assert not theme.icon(spec.icon).pixmap(18, 18).isNull(), spec.name


def _strings(folder: Path) -> set[str]:
    """All string constants in the Python files of a folder."""
    found: set[str] = set()
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found


@pytest.mark.parametrize("scope", SCOPES)
def test_every_action_of_a_workspace_is_named_in_that_workspace(scope):
    known = _strings(VIEWS / scope)
    missing = [spec.name for spec in ACTIONS if spec.scope == scope and spec.name not in known]
    # Peaks are named by number there: peak_1, peak_2, peak_3.
    assert not [name for name in missing if not (name.startswith("peak_") and any("peak_" in s for s in known))]
