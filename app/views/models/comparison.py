"""Before and after, at the right of Models: one number, the verdict in words, and the choice."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.views.models.listing import percent
from app.views.theme import icon, theme
from app.views.widgets import Section

WIDTH = 256


class Comparison(QWidget):
    """used: take the new model; kept: leave the old one; rolled_back: return to the one before."""

    used = Signal()
    kept = Signal()
    rolled_back = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedWidth(WIDTH)
        self.number, self.was = QLabel("\u2013"), QLabel()
        self.sign, self.verdict = QLabel(), QLabel()
        self.number.setProperty("figure", True)
        self.was.setProperty("muted", True)
        self.verdict.setWordWrap(True)
        self.facts = QFormLayout()
        self.use, self.keep = QPushButton(self.tr("Use this model")), QPushButton(self.tr("Keep the old"))
        self.back = QPushButton(self.tr("Roll back"))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        top, below = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.number)
        top.addWidget(self.was, 1)
        below.addWidget(self.sign)
        below.addWidget(self.verdict, 1)
        column.addLayout(top)
        column.addLayout(below)
        column.addLayout(self.facts)
        for button in (self.use, self.keep, self.back):
            column.addWidget(button)
        section = Section(self.tr("Before and after"), self)
        section.set_content(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(section)
        outer.addStretch(1)
        self._tone = ("", "muted")
        self.use.clicked.connect(self.used)
        self.keep.clicked.connect(self.kept)
        self.back.clicked.connect(self.rolled_back)
        theme().changed.connect(self._dress)
        self.clear("")

    def clear(self, why: str) -> None:
        """Nothing to compare; `why` says what is awaited."""
        self.number.setText("\u2013")
        self.was.setText("")
        self._say("", "muted", why or self.tr("Fine-tune a model to compare it with the one in use."))
        self._facts({})
        self._primary(None)
        self.use.setEnabled(False)
        self.keep.setEnabled(False)

    def show_result(self, metrics: dict[str, Any], notice: str) -> None:
        """The new model's figure beside the old one's."""
        before, after, name = metrics.get("before"), metrics.get("after"), metrics.get("metric", "nme")
        improved = None
        if after is None:
            self.number.setText("\u2013")
            self.was.setText("")
            self._say("alert-outline", "warning", self.tr("Nothing was held out, so nothing can be said."))
        else:
            self.number.setText(percent(after))
            self.was.setText(self.tr("%, was {0}").replace("{0}", percent(before) if before is not None else "\u2013"))
            improved = before is None or (after < before if name == "nme" else after > before)
            self._verdict(before, after, name, improved)
        better = sum(a < b for a, b in zip(metrics.get("after_images") or [], metrics.get("before_images") or [],
                                           strict=False))  # fmt: skip
        total = len(metrics.get("after_images") or [])
        self._facts({
            self.tr("Images better"): f"{better} of {total}", self.tr("Labels"): metrics.get("labels"),
            self.tr("Held out"): metrics.get("held_out"), self.tr("Steps"): metrics.get("step"),
            self.tr("Runtime check"): notice or self.tr("passed"),
        })  # fmt: skip
        self.use.setEnabled(True)
        self.keep.setEnabled(True)
        self._primary(self.use if improved in (True, None) else self.keep)

    def _verdict(self, before: float | None, after: float, name: str, improved: bool) -> None:
        if before in (None, 0):
            self._say("information-outline", "muted", self.tr("There is no figure to compare with."))
            return
        share = f"{abs(after - before) / before * 100:.0f} %"
        words = {
            ("nme", True): self.tr("{0} lower error"), ("nme", False): self.tr("{0} higher error"),
            ("pck", True): self.tr("{0} more landmarks right"), ("pck", False): self.tr("{0} fewer landmarks right"),
        }[name, improved]  # fmt: skip
        sign = "arrow-down" if after < before else "arrow-up"
        self._say(sign, "success" if improved else "error", words.replace("{0}", share))

    def _say(self, sign: str, role: str, words: str) -> None:
        self._tone = (sign, role)
        self.verdict.setText(words)
        self._dress()

    def _dress(self) -> None:
        sign, role = self._tone
        self.sign.setVisible(bool(sign))
        if sign:
            self.sign.setPixmap(icon(sign, 14, role).pixmap(14, 14))

    def _primary(self, chosen: QPushButton | None) -> None:
        for button in (self.use, self.keep):
            button.setProperty("primary", button is chosen)
            button.style().unpolish(button)
            button.style().polish(button)

    def _facts(self, facts: dict[str, Any]) -> None:
        while self.facts.rowCount():
            self.facts.removeRow(0)
        for name, value in facts.items():
            key = QLabel(name)
            key.setProperty("muted", True)
            words = QLabel(str(value))
            words.setWordWrap(True)
            self.facts.addRow(key, words)
