"""Names and values under each other, as a model's card and a comparison list them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.views.words import mark, tr

NAMES = {
    "hold-out, nme": mark("NME on hold-out, %"), "hold-out, nme of the parent": mark("NME of the parent, %"),
    "hold-out, pck": mark("PCK on hold-out, %"), "hold-out, pck of the parent": mark("PCK of the parent, %"),
    "failures": "fails",  # as cards called it once
}  # fmt: skip
# Entries that cards of our models have; others are shown as the card has them.
ENTRIES = (
    mark("Batch"), mark("Command"), mark("Data"), mark("Date"), mark("Images seen"), mark("Purpose"), mark("Recipe"),
    mark("Steps"), mark("Teacher"), mark("Terms"), mark("Epochs"), mark("Parent"), mark("Labels"), mark("Rate"),
    mark("Fails"),
)  # fmt: skip
LONG_NAME = 24  # characters from which a name may take two lines
LONG = 100  # characters from which a value has lines of its own below its name
MOST = 4000  # characters of a value: no card of ours comes near, a stranger's could fill the page


class Facts(QWidget):
    """Muted names at the left, values at the right edge, digits under digits; long values whole, below their names."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(16)
        self.grid.setVerticalSpacing(8)
        self.grid.setColumnStretch(0, 2)
        self.grid.setColumnStretch(1, 3)
        self.shown: dict[str, str] = {}

    def show_facts(self, facts: Mapping[str, object]) -> None:
        """List these; empty values are left out."""
        shown = {name: text(value) for name, value in facts.items() if value not in (None, "")}
        if shown == self.shown:
            return
        self.shown = shown
        while self.grid.count():
            widget = self.grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        row = 0
        for name, value in shown.items():
            key = QLabel(tr(name))
            words = QLabel(value if len(value) <= MOST else value[: MOST - 1] + "\u2026")
            key.setProperty("muted", True)
            key.setWordWrap(len(name) > LONG_NAME)
            words.setWordWrap(True)
            below = len(value) > LONG
            side = Qt.AlignmentFlag.AlignLeft if below else Qt.AlignmentFlag.AlignRight
            words.setAlignment(side | Qt.AlignmentFlag.AlignTop)
            self.grid.addWidget(key, row, 0, 1, 2 if below else 1, Qt.AlignmentFlag.AlignTop)
            self.grid.addWidget(words, row + below, 0 if below else 1, 1, 2 if below else 1)
            row += 2 if below else 1


def text(value: object) -> str:
    """A value as people read it: whole numbers grouped, others with two decimals, small ones with six."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return QLocale().toString(value)
    if isinstance(value, float):
        if value.is_integer():
            return QLocale().toString(int(value))
        return f"{value:.2f}" if abs(value) >= 0.01 else f"{value:.6f}".rstrip("0")
    if isinstance(value, (list, tuple)):
        words = [str(one) for one in value]
        return ("; " if any("," in one for one in words) else ", ").join(words)
    return str(value)


def flat(card: Mapping[str, object], leave_out: tuple[str, ...] = ()) -> dict[str, object]:
    """A card's entries as lines, figures of accuracy first; what is nested carries the names above it."""
    lines: dict[str, object] = {}
    for name in sorted((n for n in card if n not in leave_out), key=lambda n: (n != "hold-out", n)):
        value = card[name]
        if isinstance(value, Mapping):
            lines |= {f"{name}, {inner}": found for inner, found in flat(value).items()}
        else:
            lines[str(name)] = value
    named = {NAMES.get(name, name): value for name, value in lines.items()}
    return {name[:1].upper() + name[1:] if leave_out else name: value for name, value in named.items()}
