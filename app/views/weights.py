"""Medium and semi-bold text from Inter's variable font.

Qt resolves `font-weight` by the styles that a family lists, and the variable file lists the regular one
alone; the weight axis has to be set besides. This style does that for every widget as it is polished.
"""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QProxyStyle, QWidget

MEDIUM, HEAVY = 500, 600
HEAVY_PROPERTIES = ("heading", "title", "figure", "tile", "value", "primary")
AXIS = QFont.Tag("wght")


def weighted(font: QFont, weight: int) -> QFont:
    """The font in a weight, in the family's own drawing of it."""
    font = QFont(font)
    font.setWeight(QFont.Weight(weight))
    font.setVariableAxis(AXIS, float(weight))
    return font


def weight_of(widget: QWidget) -> int:
    """What weight a widget's text has by its kind and its properties (design.md 5)."""
    if any(widget.property(name) is True for name in HEAVY_PROPERTIES):
        return HEAVY
    light = widget.property("command") or widget.property("rail") or widget.property("link")
    return MEDIUM if isinstance(widget, (QAbstractButton, QComboBox)) and not light else 400


class WeightStyle(QProxyStyle):
    """Fusion with the weight axis."""

    def polish(self, target):
        """Widgets only; palettes and the application go on to Fusion."""
        if isinstance(target, QWidget):
            super().polish(target)
            if isinstance(target, QAbstractSpinBox):  # a style sheet's padding does not reach its text
                target.lineEdit().setTextMargins(8, 0, 0, 0)
            weight = weight_of(target)
            if weight != 400:
                target.setFont(weighted(target.font(), weight))
            return None
        return super().polish(target)
