"""Which key does what: the table's keys, changed by what a person wants otherwise, kept in a small file."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton

from app.settings import Settings
from app.views.actions import ACTIONS, ANYWHERE, BY_NAME, Spec, title
from app.views.words import tr
from engine.errors import UserError

KEYS = "keys"  # of the file: action -> its keys; an action that is missing has the table's
MOST = 2  # keys of one action
LONGEST = 20  # letters of what a sentence quotes from the file
# Keys with one meaning everywhere: they go through fields, regions and places, and let go.
FIXED = {
    QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    for key in ("Esc", "Tab", "Shift+Tab", "F6", "Shift+F6", "Ctrl+Tab", "Left", "Right", "Up", "Down", "Shift+Left",
                "Shift+Right", "Shift+Up", "Shift+Down", "Ctrl+Left", "Ctrl+Right", "Ctrl+Up", "Ctrl+Down")
}  # fmt: skip
STRONG = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class KeyRefused(UserError):
    """The key has another meaning."""


def spelled(key: str) -> str:
    """A key in Qt's portable spelling, "" for what is no single key; Enter is Return."""
    sequence = QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1 or sequence[0].key() == Qt.Key.Key_unknown:
        return ""
    combined = sequence[0]
    if combined.key() == Qt.Key.Key_Enter:
        sequence = QKeySequence(QKeyCombination(combined.keyboardModifiers(), Qt.Key.Key_Return))
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def shown(key: str) -> str:
    """A key as its cap says it, in the user's language."""
    return QKeySequence(key.replace("Return", "Enter")).toString(QKeySequence.SequenceFormat.NativeText)


def is_typed(key: str) -> bool:
    """Whether a text field would want this key: it has no Ctrl, Alt or Meta and is no function key."""
    combined = QKeySequence(key)[0]
    function = Qt.Key.Key_F1 <= combined.key() <= Qt.Key.Key_F35
    return not function and not combined.keyboardModifiers() & STRONG


def meet(a: Spec, b: Spec) -> bool:
    """Whether two actions work in the same place, where one key cannot mean both."""
    places = ({a.scope, *a.also}, {b.scope, *b.also})
    return any(ANYWHERE in held for held in places) or bool(places[0] & places[1])


class KeyMap(QObject):
    """Keys by action; `changed` tells menus, buttons and lists of keys to say them anew.

    problem: one sentence where keys of the file cannot be used, else empty.
    """

    changed = Signal()

    def __init__(self, path: str | Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file, self.problem = Settings(path), ""
        self._own = self._read()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of an action, in Qt's portable spelling."""
        return self._own.get(name, defaults(name))

    def shortcuts(self, name: str) -> tuple[str, ...]:
        """Those of its keys that are heard everywhere; the others are heard by workspaces, never while one types."""
        return tuple(key for key in self.keys(name) if not is_typed(key))

    def cap(self, name: str) -> str:
        """The first key as people read it; "" where the action has none."""
        return next((shown(key) for key in self.keys(name)), "")

    def tip(self, name: str, words: str = "") -> str:
        """Words and key, for buttons that show an icon alone."""
        words, cap = words or title(BY_NAME[name]), self.cap(name)
        return f"{words} ({cap})" if cap else words

    def table(self, scope: str) -> dict[int, str]:
        """Key with modifiers -> action, of what a workspace hears itself."""
        found = {}
        for spec in ACTIONS:
            if scope in (spec.scope, *spec.also) or spec.scope == ANYWHERE:
                found |= {QKeySequence(key)[0].toCombined(): spec.name for key in self.keys(spec.name) if is_typed(key)}
        return found

    def is_own(self, name: str) -> bool:
        """Whether a person has changed the keys of an action."""
        return name in self._own

    def holder(self, name: str, key: str) -> Spec | None:
        """Another action that has this key where `name` works."""
        for spec in ACTIONS:
            if spec.name != name and meet(spec, BY_NAME[name]) and spelled(key) in self.keys(spec.name):
                return spec
        return None

    def set(self, name: str, keys: tuple[str, ...]) -> None:
        """Give an action other keys, or none; raises KeyRefused with the reason and changes nothing then."""
        wanted = tuple(dict.fromkeys(filter(None, map(spelled, keys))))[:MOST]
        for key in wanted:
            self._check(name, key)
        self._own.pop(name, None)
        if wanted != defaults(name):
            self._own[name] = wanted
        self._keep()

    def reset(self, name: str = "") -> None:
        """The table's keys again, of one action or of all; raises KeyRefused where another has taken one of them."""
        if name:
            self.set(name, defaults(name))
        else:
            self._own.clear()
            self._keep()

    def _check(self, name: str, key: str) -> None:
        spec = BY_NAME[name]
        if key in FIXED:
            raise KeyRefused(tr("{0} has a meaning of its own everywhere; choose another key.").format(shown(key)))
        if is_typed(key) and spec.scope in (ANYWHERE, "models"):
            raise KeyRefused(tr("{0} alone is what one types; hold Ctrl or Alt with it.").format(shown(key)))
        taken = self.holder(name, key)
        if taken is not None:
            words = tr("{0} is the key of \u201c{1}\u201d; take it away there first.")
            raise KeyRefused(words.format(shown(key), title(taken)))

    def _keep(self) -> None:
        self._file.set(KEYS, {name: list(keys) for name, keys in self._own.items()})
        self.changed.emit()

    def _read(self) -> dict[str, tuple[str, ...]]:
        """What the file holds and the table allows; where none of an action's keys can be, the table's serve."""
        wanted = {name: keys for name, keys in self._file.get(KEYS, {}).items() if name in BY_NAME}
        found: dict[str, tuple[str, ...]] = {}
        refused: list[tuple[str, str]] = []
        for name, keys in wanted.items():
            listed = keys if isinstance(keys, list) else [keys]
            fine = [key for key in map(_usable, listed) if key and not _is_taken(name, key, found, wanted)]
            refused += [(name, str(key)) for key in listed if _usable(key) not in fine]
            if fine or not listed:  # an empty list: a person wants no key
                found[name] = tuple(dict.fromkeys(fine))[:MOST]
        for name in wanted:
            if name not in found:
                free = tuple(key for key in defaults(name) if not _is_taken(name, key, found, {}))
                found |= {} if free == defaults(name) else {name: free}
        if self._file.damaged is not None:
            words = tr("The file of your own keys was damaged and is kept as {0}; the keys are the first ones again.")
            self.problem = words.format(self._file.damaged.name)
        elif refused:
            (name, key), words = refused[0], tr(
                "{0} of your own keys cannot be used, such as {1} for \u201c{2}\u201d; the first keys serve there."
            )  # fmt: skip
            self.problem = words.format(len(refused), key[:LONGEST], title(BY_NAME[name]))
        return found


def _usable(key: object) -> str:
    """A key from the file as Qt spells it, "" where it is none or has a meaning of its own."""
    made = spelled(key) if isinstance(key, str) else ""
    return "" if made in FIXED else made


def _is_taken(name: str, key: str, found: Mapping[str, tuple[str, ...]], waiting: Container[str]) -> bool:
    """Whether an action that meets this one has the key: its own, or the table's unless it waits for its own."""
    for spec in ACTIONS:
        if spec.name != name and meet(spec, BY_NAME[name]):
            held = found.get(spec.name, () if spec.name in waiting else defaults(spec.name))
            if key in held:
                return True
    return False


def defaults(name: str) -> tuple[str, ...]:
    """The table's keys of an action, in Qt's spelling."""
    return tuple(spelled(key) for key in BY_NAME[name].keys)


class KeyTip(QObject):
    """Keeps a button's tooltip true to the key map, for as long as the button lives."""

    def __init__(self, button: QAbstractButton, keys: KeyMap, name: str, words: str = "") -> None:
        super().__init__(button)
        self._button, self._keys, self._name, self._words = button, keys, name, words
        keys.changed.connect(self._say)
        self._say()

    def set_words(self, words: str) -> None:
        """Other words before the key."""
        self._words = words
        self._say()

    def _say(self) -> None:
        self._button.setToolTip(self._keys.tip(self._name, self._words))
