"""Before and after, at the right of Models: one number, the verdict in words, and the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.views.label.numbers import number
from app.views.models.facts import Facts
from app.views.models.listing import percent
from app.views.theme import icon_picture, theme
from app.views.widgets import Section
from app.views.words import told

WIDTH = 256
DASH = "\u2013"

FEW = 5  # held-out images under which a better figure says little


class Comparison(QWidget):
    """used: take the new model; kept: leave the old one."""

    used = Signal()
    kept = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedWidth(WIDTH)
        self.number, self.was = QLabel(DASH), QLabel()
        self.sign, self.verdict, self.note = QLabel(), QLabel(), QLabel()
        self.number.setProperty("figure", True)
        self.was.setProperty("muted", True)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        self.note.setWordWrap(True)
        self.verdict.setWordWrap(True)
        self.facts, self.settings = Facts(), Facts()
        self.use, self.keep = QPushButton(self.tr("Use this model")), QPushButton(self.tr("Keep the old"))
        first, run = Section(self.tr("Before and after"), self), Section(self.tr("Run"), self)
        first.set_content(self._content())
        run.set_content(self.settings)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(first)
        outer.addWidget(run)
        outer.addStretch(1)
        self._tone, self._parent = ("", "muted"), ""
        self.use.clicked.connect(self.used)
        self.keep.clicked.connect(self.kept)
        theme().changed.connect(self._dress)
        self.begin("", {})

    def _content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top, below = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.number)
        top.addWidget(self.was, 1)
        below.setSpacing(4)
        below.addWidget(self.sign)
        below.addWidget(self.verdict, 1)
        column.addLayout(top)
        column.addLayout(below)
        column.addSpacing(12)
        column.addWidget(self.facts)
        column.addSpacing(16)
        column.addWidget(self.use)
        column.addSpacing(8)
        column.addWidget(self.keep)
        column.addSpacing(8)
        column.addWidget(self.note)
        return content

    def begin(self, parent: str, settings: Mapping[str, Any]) -> None:
        """A run has begun from the model `parent`: there is nothing to compare yet."""
        self._parent = parent
        self.number.setText(DASH)
        self.was.setText("")
        self._say("", "muted", self.tr("Known when the run ends"))
        self.facts.show_facts({})
        self.settings.show_facts(settings)
        short = 0 < len(parent) < 20
        self.keep.setText(self.tr("Keep {0}").format(parent) if short else self.tr("Keep the old"))
        self.note.setText(self.tr("Available when the run ends. Stop keeps the best weights."))
        self.note.show()
        self._primary(None)
        for button in (self.use, self.keep):
            button.setEnabled(False)
            button.setToolTip(self.tr("Available when the run ends"))

    def show_result(self, metrics: Mapping[str, Any], notice: str) -> None:
        """The new model's figure beside the old one's."""
        before, after, name = metrics.get("before"), metrics.get("after"), metrics.get("metric", "nme")
        improved = None
        if after is None:
            self.number.setText(DASH)
            self.was.setText("")
            self._say("alert-outline", "warning", self.tr("Nothing was held out, so nothing can be said."))
        else:
            self.number.setText(percent(after))
            self.was.setText(self.tr("%, was {0}").format(percent(before) if before is not None else DASH))
            improved = before is None or (after < before if name == "nme" else after > before)
            self._verdict(before, after, name, improved, len(metrics.get("after_images") or []))
        self.facts.show_facts(self._compared(metrics) | {
            self.tr("Runtime check"): self.tr("slow runtime") if notice else self.tr("passed"),
        })
        self.settings.show_facts(self.settings.shown | {
            self.tr("Labels"): metrics.get("labels"), self.tr("Held out"): metrics.get("held_out"),
            self.tr("Steps"): metrics.get("step"), self.tr("Best step"): metrics.get("best_step"),
        })  # fmt: skip
        self.note.setText(told(notice))
        self.note.setVisible(bool(notice))
        for button in (self.use, self.keep):
            button.setEnabled(True)
            button.setToolTip("")
        self._primary(self.use if improved in (True, None) else self.keep)

    def _compared(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The figures that both models have."""
        facts: dict[str, Any] = {}
        for key, words, form in (("auc", self.tr("AUC, 8 %"), ".3f"), ("failures", self.tr("Failures, 8 %"), ".1f")):
            new, old = metrics.get(f"after_{key}"), metrics.get(f"before_{key}")
            if new is not None:
                was = self.tr(" was {0}").format(format(old, form)) if old is not None else ""
                facts[words] = f"{new:{form}}{was}"
        after, before = metrics.get("after_images") or [], metrics.get("before_images") or []
        if after and before:
            sign = -1 if metrics.get("metric") == "pck" else 1
            pairs = [(sign * a, sign * b) for a, b in zip(after, before, strict=False)]
            of = self.tr("{0} of {1}")
            facts[self.tr("Images better")] = of.format(sum(a < b for a, b in pairs), len(pairs))
            facts[self.tr("Images worse")] = of.format(sum(a > b for a, b in pairs), len(pairs))
        return facts

    def _verdict(self, before: float | None, after: float, name: str, improved: bool, held: int) -> None:
        """`held` images stand behind the figures."""
        if before in (None, 0):
            self._say("information-outline", "muted", self.tr("There is no figure to compare with"))
            return
        if percent(after) == percent(before):
            self._say("equal", "muted", self.tr("No difference on the hold-out"))
            return
        change = abs(after - before) / before * 100
        share = f"{number(change, 0)} %" if change >= 1 else f"{number(change, 1)} %"
        words = {
            ("nme", True): self.tr("{0} lower error"), ("nme", False): self.tr("{0} higher error"),
            ("pck", True): self.tr("{0} more landmarks right"), ("pck", False): self.tr("{0} fewer landmarks right"),
        }[name, improved]  # fmt: skip
        sign = "arrow-down" if after < before else "arrow-up"
        said, role = words.format(share), "success" if improved else "error"
        if held < FEW:
            one = self.tr("{0}, by chance perhaps: on one image")
            some = self.tr("{0}, by chance perhaps: on {1} images")
            said, role = (one if held == 1 else some).format(said, held), "muted"
        self._say(sign, role, said)

    def _say(self, sign: str, role: str, words: str) -> None:
        self._tone = (sign, role)
        self._words = words
        self._dress()

    def _dress(self) -> None:
        sign, role = self._tone
        self.verdict.setText(f'<span style="color:{theme().color(role).name()}">{self._words}</span>')
        self.sign.setVisible(bool(sign))
        if sign:
            self.sign.setPixmap(icon_picture(sign, 14, role))

    def _primary(self, chosen: QPushButton | None) -> None:
        for button in (self.use, self.keep):
            button.setProperty("primary", button is chosen)
            button.style().unpolish(button)
            button.style().polish(button)
