"""Live's own painting at 150 % of the text size: nothing is cut off, nothing lies over something else."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetrics

from app.views.live.confidence import BAR, PLACE, SCORE, ConfidenceList
from app.views.live.statistics import CAPTION_HEIGHT, LatencyPlot
from app.views.theme import theme


@pytest.mark.parametrize("scale", [90, 100, 150])
def test_numbers_and_captions_have_room(scale: int, qtbot, qapp) -> None:
    plot, rows = LatencyPlot(), ConfidenceList()
    qtbot.addWidget(plot)
    qtbot.addWidget(rows)
    before = plot.height()
    try:
        theme().apply(qapp, "dark", scale)
        font = QFont(plot.font())
        font.setPixelSize(theme().size(11))
        assert QFontMetrics(font).height() <= theme().size(CAPTION_HEIGHT)
        assert (plot.height() > before) == (scale > 100) and plot.sizeHint().height() == plot.height()
        font.setPixelSize(theme().size(12))
        across = QFontMetrics(font).horizontalAdvance
        assert across("1.00") + 8 <= theme().size(SCORE) and across("1280.0") <= theme().size(PLACE)
        assert rows.sizeHint().width() > BAR + theme().size(SCORE)
    finally:
        theme().apply(qapp, "dark")
    assert plot.height() == before
