"""One map at large: its name, doubt in words, map, profile and peaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.services.inspection import Inspection
from app.services.maps import Look, Shown, line_through, profile, shown, to_cells, to_picture
from app.views.heatmaps.foot import Foot
from app.views.heatmaps.map_view import LEAST, MapView
from app.views.heatmaps.marking import Marks
from app.views.heatmaps.profile import NAMED_WITHIN, Profile
from app.views.heatmaps.target import Target
from app.views.label.numbers import number
from app.views.widgets import ElidedLabel
from app.views.words import named
from engine.architecture import SEGMENTATION
from engine.parts import parts_of
from engine.types import Heatmaps
from engine.uncertainty import peaks

SECOND, WIDE, LOW = 0.3, 1.5, 0.5  # of the first peak; of the median width; score
CHROME = 316  # height of all but the map


class MapsPage(QWidget):
    """peak_wanted(x, y): the selected landmark is to go there, picture pixels."""

    peak_wanted = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.doubt = ElidedLabel(""), QLabel("")
        self.name.setProperty("heading", True)
        self.doubt.setProperty("tag", True)
        self.map, self.curve, self.foot = MapView(self), Profile(self), Foot(self)
        self.line_words, self.unit = ElidedLabel(), QLabel("")
        self.unit.setProperty("muted", True)
        self.unit.setProperty("small", True)
        self._inspection: Inspection | None = None
        self._shown: Shown | None = None
        self._peaks = self._cells = np.empty((0, 3))
        self._line: np.ndarray | None = None  # put by hand
        self._divided = False  # the model tells parts and no landmarks
        self._of_scores = False  # the profile's values are scores
        self._marks = Marks()
        self._for: tuple[object, int] = (None, -1)
        self._lay_out()
        self.map.line_changed.connect(self._line_changed)
        self.foot.taken.connect(self._take)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for left, right, gap in ((self.name, self.doubt, 0), (self.line_words, self.unit, 8)):
            row = QHBoxLayout()
            row.setContentsMargins(0, gap, 0, 0)
            row.addWidget(left, 1)
            row.addWidget(right)
            column.addLayout(row)
            column.addWidget(self.map if left is self.name else self.curve)
        self.line_words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column.addWidget(self.foot)
        column.addStretch(1)

    def fit(self, width: int, height: int) -> None:
        """The largest square map; height 0 where the page scrolls."""
        side = min(width, height - CHROME) if height else width
        self.map.setFixedHeight(max(side, LEAST))

    def show_maps(self, inspection: Inspection | None, target: Target | None, look: Look) -> Shown | None:
        """Show a landmark's map; what the colour bar is to tell comes back."""
        self._inspection = inspection
        self._divided = inspection is not None and inspection.maps.head == SEGMENTATION
        if self._divided and look.landmark < 0:
            look = replace(look, projection="max")  # all parts at once, until one is chosen
        one = look.projection == "one"
        if inspection is None or target is None or (one and look.landmark < 0):
            return self._show_nothing(inspection, target, look)
        if self._for != (inspection.ask.key, look.landmark):
            self._line, self._for = None, (inspection.ask.key, look.landmark)
        self._shown = made = shown(inspection, look)
        self._of_scores = one and look.kind == "map" and look.scale == "probability"
        if one and self._divided:
            self._peaks = _surest(inspection.maps, look.landmark)
        elif one:
            self._peaks = peaks(inspection.maps, look.landmark)
        if one:
            cells = to_cells(inspection.maps, self._peaks[:, :2])
            self._cells = np.concatenate([cells, self._peaks[:, 2:]], 1)
        else:
            self._peaks = np.empty((0, 3))
            row, column = np.unravel_index(int(made.values.argmax()), made.values.shape)
            self._cells = np.array([[column, row, made.values[row, column]]], float)
        self._show_words(target, look)
        place = target.label[look.landmark] if one else np.full(2, np.nan)
        label = to_cells(inspection.maps, place) if np.isfinite(place).all() else None
        together = self._divided and look.projection == "max" and look.kind == "map"
        self._marks = Marks(self._cells if one else np.empty((0, 3)), label, None if together else self._line_now())
        for widget in (self.curve, self.line_words, self.unit):
            widget.setVisible(not together)
        self.foot.setVisible(not self._divided)
        self.map.show_map(inspection, made, look, self._marks, parts_of(target.schema) if together else None)
        if not together:
            self._show_profile()
        return made

    def marks(self) -> Marks:
        """Peaks and the label's place, without the line."""
        return self._marks.with_line(None)

    def _show_nothing(self, inspection: Inspection | None, target: Target | None, look: Look) -> None:
        there = inspection is not None and target is not None
        self._shown, self._cells, self._for = None, np.empty((0, 3)), (None, -1)
        self._marks = Marks()
        empty = Shown(np.zeros(inspection.maps.logits.shape[1:], np.float32), 0.0, 1.0, False) if there else None
        self.map.show_map(inspection if there else None, empty, replace(look, kind="crop"), Marks())
        self.curve.show_curve(np.empty(0), np.empty(0), 0, 1, [])
        self.foot.clear()
        self.line_words.set_text("")
        self.unit.setText("")
        self.name.set_text(self.tr("Select a landmark to see its map") if there else "")
        self._say_doubt("", False)

    # ---- words
    def _show_words(self, target: Target, look: Look) -> None:
        inspection, k = self._inspection, look.landmark
        if look.projection != "one":
            total = len(target.schema)
            words = self.tr("Highest of all {0}") if look.projection == "max" else self.tr("Sum of all {0}")
            self.name.set_text(self.tr("All parts") if self._divided else words.format(total))
            self._say_doubt("", False)
            self.foot.clear()
            self.unit.setText(self.tr("cells"))
            return
        self.name.set_text(named(target.schema.landmarks[k]))
        if self._divided:
            self._say_doubt("", False)
            self.foot.clear()
            self.unit.setText(self.tr("cells"))
            return
        self._say_doubt(*doubt_words(self, self._peaks, inspection.widths, k))
        place = target.label[k]
        self.foot.show_peaks(self._peaks, place if np.isfinite(place).all() else None, True)
        here = inspection.landmarks[k, :2]
        flip = float(np.linalg.norm(inspection.flip_landmarks[k, :2] - here))
        other = float("nan")
        if look.kind == "other" and inspection.other_landmarks is not None:
            other = float(np.linalg.norm(inspection.other_landmarks[k, :2] - here))
        self.foot.show_moves(flip, other)
        words = self.tr("{0} cells wide, others {1}")
        self.unit.setText(words.format(number(inspection.widths[k], 1), number(float(np.median(inspection.widths)), 1)))

    def _say_doubt(self, words: str, doubtful: bool) -> None:
        self.doubt.setText(words)
        self.doubt.setVisible(bool(words))
        self.doubt.setProperty("doubt", doubtful)
        self.doubt.style().unpolish(self.doubt)
        self.doubt.style().polish(self.doubt)

    def _take(self, rank: int) -> None:
        if rank <= len(self._peaks):
            self.peak_wanted.emit(*self._peaks[rank - 1, :2].tolist())

    # ---- the profile
    def _line_now(self) -> np.ndarray:
        return self._line if self._line is not None else line_through(self._cells, self._shown.values.shape)

    def _line_changed(self, line: np.ndarray | None) -> None:
        if self._shown is not None and not self.curve.isHidden():
            self._line = line
            self.map.show_line(self._line_now())
            self._show_profile()

    def _show_profile(self) -> None:
        line, made = self._line_now(), self._shown
        x, y = profile(made.values, line, self._cells[0, :2])
        start = line[0]
        along = (line[1] - start) / max(float(np.linalg.norm(line[1] - start)), 1e-9)
        marked = []
        for n, (cx, cy, score) in enumerate(self._cells[:2]):
            offset = np.array([cx, cy]) - start
            at = float(offset @ along)
            beside = float(np.linalg.norm(offset - at * along))
            foot = at - float((self._cells[0, :2] - start) @ along)
            if beside <= NAMED_WITHIN and x[0] <= foot <= x[-1]:
                marked.append((str(n + 1), foot, float(np.interp(foot, x, y)), score if self._of_scores else None))
        self.curve.show_curve(x, y, made.low, made.high, marked)
        through = (
            self.tr("Profile through peaks 1 and 2") if len(self._cells) > 1 else self.tr("Profile through the peak")
        )
        self.line_words.set_text(through if self._line is None else self.tr("Profile along your line"))
        self.line_words.setToolTip(self.tr("Drag the line's ends; a double click puts it back"))
        self.line_words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def _surest(maps: Heatmaps, part: int) -> np.ndarray:
    """(1, 3): where a part is surest, x and y in picture pixels, and its probability there."""
    values = maps.probabilities[part]
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return np.array([[*to_picture(maps, np.array([column, row], float)), values[row, column]]])


def doubt_words(widget: QWidget, found: np.ndarray, widths: np.ndarray, landmark: int) -> tuple[str, bool]:
    """What makes a landmark doubtful, in words, and whether anything does. found (n, 3): its peaks."""
    ratio = float(found[1, 2] / max(found[0, 2], 1e-9)) if len(found) > 1 else 0.0
    usual = float(np.median(widths))
    if ratio >= SECOND:
        return widget.tr("Second peak {0} of the first").format(number(ratio, 2)), True
    if widths[landmark] > WIDE * usual:
        times = number(widths[landmark] / max(usual, 1e-9), 1)
        return widget.tr("Peak {0} times as wide as others").format(times), True
    if found[0, 2] < LOW:
        return widget.tr("Low peak, {0}").format(number(found[0, 2], 2)), True
    return widget.tr("One clear peak"), False
