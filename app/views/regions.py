"""Going round the regions of a workspace with F6."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def usable_regions(regions: Sequence[QWidget]) -> list[QWidget]:
    """Those of the regions that can have the focus now."""
    return [region for region in regions if entrance(region) is not None]


def entrance(region: QWidget) -> QWidget | None:
    """The widget of a region that takes the focus: itself, or the first inside that can; None where none can."""
    for widget in (region, *region.findChildren(QWidget)):
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            return widget
    return None


def step_region(regions: Sequence[QWidget], focus: QWidget | None, step: int) -> None:
    """Move the focus from the region that has it to the next one, or the previous one where step is -1."""
    usable = usable_regions(regions)
    if not usable:
        return
    held = [n for n, region in enumerate(usable) if region is focus or region.isAncestorOf(focus)]
    start = held[0] if held else (-1 if step > 0 else 0)
    entrance(usable[(start + step) % len(usable)]).setFocus(Qt.FocusReason.TabFocusReason)
