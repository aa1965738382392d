"""What is painted over a live frame: heatmap, brackets, landmarks, name plates and the read-out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QTransform

from app.project.values import Visibility
from app.services.heat import Heat, divided, heat, parts_layer
from app.views.label.plates import draw_candidates, draw_tails
from app.views.live.geometry import Fit
from app.views.live.plates import (
    PLATE_HEIGHT,
    draw_colour_bar,
    draw_legend,
    draw_plate,
    draw_recording,
    legend_height,
    plate_width,
)
from app.views.live.texts import paint_texts
from app.views.marks import RING_SELECTED, draw_landmarks, draw_mark, draw_ring
from app.views.qimage import to_qimage
from app.views.theme import theme
from app.views.words import named, tr
from engine.opencv import cv2
from engine.parts import parts_of
from engine.persons import in_sight
from engine.types import Box, Prediction

if TYPE_CHECKING:
    from app.views.live.sheet import Sheet
    from app.views.live.view import LiveView

    Shown = LiveView | Sheet

# Told apart by people with any colour vision (Okabe and Ito), the lighter ones first.
SUBJECTS = ("#F0E442", "#56B4E9", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#FFFFFF", "#0072B2")
BRACKET = 18.0
LIVE_SIZE, FROZEN_SIZE = (90, 2.5), (45, 3.0)  # a mark's radius: of the box's side, and at least; never over 5
MARGIN = 12.0
AWAY = 20.0  # from a selected mark to its name
HIDDEN = 12.0  # how far a mark reaches around its landmark


def heat_landmark(view: Shown, subject: int, prediction: Prediction) -> int:
    """Whose heatmap is shown when one is: the selected landmark's, else the most doubtful one's."""
    chosen = view.selection[1] if view.selection[0] in (subject, -1) else -1
    return chosen if chosen >= 0 else int(prediction.landmarks[:, 2].argmin())


def paint_heat(painter: QPainter, view: Shown, fit: Fit) -> float | None:
    """The heatmaps of all subjects, in the frame's place; the painter is mirrored already where it must be.

    Of a segmentation its parts, while no heatmap is asked for. Returns the highest value, None where no heatmap shows.
    """
    left, top, _, _ = fit.rect
    highest = None
    place = painter.transform()
    for number, subject in enumerate(view.result.subjects):
        mode = view.look.heatmap
        if mode == "off":
            found = _parts(view, subject.prediction)
        else:
            what = heat_landmark(view, number, subject.prediction) if mode == "one" else mode
            found = heat(subject.prediction, what, view.look.opacity)
        if found is None:
            continue
        if mode != "off":
            highest = max(found.maximum, highest or 0.0)
        (a, b, dx), (c, d, dy) = found.affine
        to_picture = QTransform(a, c, b, d, dx + 0.5, dy + 0.5)
        to_screen = QTransform.fromScale(fit.scale, fit.scale) * QTransform.fromTranslate(left, top)
        painter.setTransform(to_picture * to_screen * place)
        image = to_qimage(found.pixels, QImage.Format.Format_ARGB32_Premultiplied)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(image.rect()), image)
    painter.setTransform(place)
    return highest


def _parts(view: Shown, prediction: Prediction) -> Heat | None:
    if not divided(prediction):
        return None
    return parts_layer(prediction.heatmaps, parts_of(view.result.schema).colours, view.look.opacity)


def has_parts(view: Shown) -> bool:
    """Whether the result tells parts and no landmarks."""
    return view.result is not None and any(divided(subject.prediction) for subject in view.result.subjects)


def paint_subjects(painter: QPainter, view: Shown, fit: Fit, taken: Iterable[QRectF] = ()) -> None:
    """Brackets, lines, landmarks and name plates of all subjects; plates keep clear of `taken` places."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for number, points in enumerate(view.points()):
        prediction = view.result.subjects[number].prediction
        box = screen_box(fit, prediction.box)
        if view.look.box:
            paint_brackets(painter, box, subject_colour(view, number))
        if not divided(prediction):
            _paint_marks(painter, view, fit, number, points, box.width())
    if view.look.box:
        taken = list(taken)
        for number in range(len(view.result.subjects)):
            taken.append(_paint_plate(painter, view, fit, number, taken))
    _paint_name(painter, view, fit)


def _paint_marks(
    painter: QPainter, view: Shown, fit: Fit, number: int, points: np.ndarray, side: float
) -> None:
    placed = fit.to_screen(points)
    look, frozen, schema = view.look, view.frozen, view.result.schema
    instance = frozen.instances[number] if frozen is not None else None
    scores = view.result.subjects[number].prediction.landmarks[:, 2]
    if frozen is None:
        prediction = view.result.subjects[number].prediction
        seen = in_sight(prediction.landmarks, schema, view.result.frame.pixels)
        placed = np.where(seen[:, None], placed, np.nan)
    selected = view.selection[1] if view.selection[0] == number else -1
    share, least = LIVE_SIZE if frozen is None else FROZEN_SIZE
    radius = min(max(side / share, least), 5.0)
    if instance is not None:
        draw_tails(painter, placed, fit.to_screen(instance.guess), instance.origin, instance.visibility, (selected,))
    draw_landmarks(
        painter, placed, schema,
        visibility=instance.visibility if instance is not None else None,
        origin=instance.origin if instance is not None else None,
        scores=scores, selected=selected, hovered=view.hover[1] if view.hover[0] == number else -1,
        radius=radius, sure_is_solid=frozen is None, lines=look.lines, marks=look.landmarks,
        colours=score_colours(scores) if look.by_score else None,
    )  # fmt: skip
    if instance is not None and look.landmarks:
        _paint_absent(painter, view, fit, number, selected, radius)
    if look.names or look.scores:
        paint_texts(painter, view, placed, scores)


def _paint_absent(
    painter: QPainter, view: LiveView, fit: Fit, number: int, selected: int, radius: float
) -> None:
    """Crosses along the box's lower edge for what has no place in the picture."""
    for landmark, place in view.correcting.absent(number, fit).items():
        draw_mark(painter, place, "model", QColor("#A1A8B2"), radius, Visibility.ABSENT)
        if landmark == selected:
            draw_ring(painter, place, radius + RING_SELECTED, QColor("white"), 2.0)


def score_colours(scores: np.ndarray) -> list[QColor]:
    """A colour of viridis for each score from 0 to 1."""
    table = _viridis()
    return [table[place] for place in (np.clip(scores, 0, 1) * 255).astype(int)]


@lru_cache(1)
def _viridis() -> list[QColor]:
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]
    return [QColor(*(int(v) for v in colour)) for colour in table]


def screen_box(fit: Fit, box: Box) -> QRectF:
    """A box of the picture on the screen."""
    x0, y0, x1, y1 = box.corners
    corners = fit.to_screen(np.array([[x0, y0], [x1, y1]]))
    return QRectF(QPointF(*corners[0]), QPointF(*corners[1])).normalized()


def subject_colour(view: Shown, number: int) -> QColor:
    """White for the only subject; each of several has its own for as long as it is followed."""
    subjects = view.result.subjects
    return QColor(SUBJECTS[(subjects[number].number - 1) % len(SUBJECTS)] if len(subjects) > 1 else "#FFFFFF")


def subject_name(view: Shown, number: int) -> str:
    """What a subject is, and its number."""
    names = {"face": tr("Face"), "person": tr("Person")}
    name = names.get(view.result.schema.subject, tr("Subject"))
    return f"{name} {view.result.subjects[number].number}"


def paint_brackets(painter: QPainter, box: QRectF, colour: QColor) -> None:
    """The four corners of a box, over black."""
    colour.setAlpha(230)
    reach = min(BRACKET, box.width() / 3)
    lines = []
    for corner, dx, dy in ((box.topLeft(), 1, 1), (box.topRight(), -1, 1),
                           (box.bottomLeft(), 1, -1), (box.bottomRight(), -1, -1)):  # fmt: skip
        lines += [(corner, corner + QPointF(dx * reach, 0)), (corner, corner + QPointF(0, dy * reach))]
    for shade, width in ((QColor(0, 0, 0, 89), 4.0), (colour, 2.0)):
        painter.setPen(QPen(shade, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
        for begin, end in lines:
            painter.drawLine(begin, end)


def _paint_name(painter: QPainter, view: Shown, fit: Fit) -> None:
    """The selected landmark's peaks, and its name and score where the plate hides the fewest landmarks."""
    subject, landmark = view.selection
    if view.frozen is None or landmark < 0:
        return
    marks = [view.correcting.marks(number, fit) for number in range(len(view.frozen.instances))]
    x, y = marks[subject][landmark]
    peaks = fit.to_screen(view.correcting.peaks()[:, :2])
    painter.save()
    draw_candidates(painter, [QPointF(*peak) for peak in peaks], QPointF(x, y))
    painter.restore()
    score = float(view.frozen.instances[subject].score[landmark])
    parts = [(named(view.result.schema.landmarks[landmark]), ""), ("", view.locale().toString(score, "f", 2))]
    width = plate_width(painter, parts)
    half = PLATE_HEIGHT / 2
    places = ((x + AWAY, y - half), (x - AWAY - width, y - half), (x - width / 2, y - AWAY - PLATE_HEIGHT),
              (x - width / 2, y + AWAY))  # fmt: skip
    every = np.concatenate([*marks, peaks])

    def cost(place: tuple[float, float]) -> float:
        area = QRectF(place[0], place[1], width, PLATE_HEIGHT)
        hidden = sum(area.adjusted(-4, -4, 4, 4).contains(QPointF(*point)) for point in every)
        return hidden + (0 if QRectF(0, 0, fit.across, fit.down).contains(area) else 1000)

    draw_plate(painter, *min(places, key=cost), parts)


def paint_read_out(painter: QPainter, view: LiveView, parts: list[tuple[str, str]]) -> list[QRectF]:
    """Plates at the edges: at the left what one sees, at the right that one records, below what colours mean.

    The places of those at the top.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    top, right, below = view.covered + MARGIN, view.width() - MARGIN, view.height() - MARGIN
    places = [draw_plate(painter, MARGIN, top, parts)]
    if view.recording is not None:
        places.append(draw_recording(painter, right, top, f"{view.recording // 60}:{view.recording % 60:02d}"))
    paint_parts(painter, view, QPointF(view.area.right(), view.area.bottom()))
    if view.heat_maximum is not None:
        draw_colour_bar(painter, right, below - PLATE_HEIGHT, view.locale().toString(view.heat_maximum, "f", 2))
    return places


def paint_parts(painter: QPainter, view: Shown, corner: QPointF) -> None:
    """The names of a division's parts with their colours, at a half's lower right corner."""
    if has_parts(view) and view.look.heatmap == "off":
        parts = [(part.name, part.colour) for part in parts_of(view.result.schema).parts[1:]]
        draw_legend(painter, corner.x() - MARGIN, corner.y() - MARGIN - legend_height(len(parts)), parts)


def _paint_plate(painter: QPainter, view: Shown, fit: Fit, number: int, taken: list[QRectF]) -> QRectF:
    """The subject's name and its detector's score above its box, else below it or beside it; the plate's place."""
    subject = view.result.subjects[number]
    box = screen_box(fit, subject.prediction.box)
    left, top, wide, high = fit.rect
    score = view.locale().toString(subject.prediction.box.score, "f", 2)
    parts = [(subject_name(view, number), ""), ("", score)]
    across = plate_width(painter, parts)
    x = max(min(box.left(), left + wide - across - 4), left + 4)
    highest = fit.to_screen(view.points()[number])[:, 1].min() - HIDDEN if view.look.landmarks else box.top()
    above = min(box.top(), float(highest)) - PLATE_HEIGHT - 6
    below = min(box.bottom() + 6, top + high - PLATE_HEIGHT - 4)
    beside = max(left + 4, box.left() - across - 8), min(box.right() + 8, left + wide - across - 4)
    level = max(box.top(), top + 4)
    inside = [(x, above)] if above >= max(top, 0) + 4 else []
    places = [*inside, (x, below), *((at, level) for at in beside)]
    clear = (place for place in places if not _meets(QRectF(*place, across, PLATE_HEIGHT), taken))
    return draw_plate(painter, *next(clear, places[0]), parts)


def _meets(place: QRectF, taken: list[QRectF]) -> bool:
    """Whether a plate would touch another."""
    return any(place.adjusted(-8, -4, 8, 4).intersects(other) for other in taken)


def paint_name_of_model(
    painter: QPainter, view: LiveView, half: QRectF, name: tuple[str, str], seconds: float, note: str
) -> QRectF:
    """A plate at the half's top: which model is at work in it and what it took, and a note; its place."""
    parts = [name, (view.locale().toString(seconds * 1000, "f", 1), "ms"), *([("", note)] if note else [])]
    below = view.covered + PLATE_HEIGHT + 8 if not half.top() else 0  # the read-out is there
    return draw_plate(painter, half.left() + MARGIN, half.top() + MARGIN + below, parts)


def paint_focus(painter: QPainter, view: Shown) -> None:
    """The focus ring, two pixels inside the edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme().color("focus"), 2))
    painter.drawRect(view.rect().adjusted(1, 1, -1, -1))
