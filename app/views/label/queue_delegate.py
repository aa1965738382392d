"""How a row of the queue is painted: thumbnail, name, state, doubt; or the narrow form without words."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.project.values import Image, State
from app.views import theme
from app.views.label.numbers import number
from app.views.label.painted import painted
from app.views.label.queue_model import DOUBT_ROLE, GROUP_ROLE, IMAGE_ROLE, THUMBNAIL_ROLE
from app.views.weights import HEAVY, weighted
from app.views.words import mark, tr

ROW = 60
BAR = 40.0  # pixels of the doubt bar, where the state's word leaves so much room
NARROW = 150  # rows under this width show the thumbnail and marks alone
THUMBNAIL = 48
STATES = {  # icon, colour, word
    State.NEW: ("circle-outline", "outline", mark("New")),
    State.PREDICTED: ("circle-outline", "muted", mark("Predicted")),
    State.IN_WORK: ("circle-half-full", "accent", mark("In work")),
    State.DONE: ("check-circle", "success", mark("Done")),
    State.DONE_EMPTY: ("check-circle-outline", "success", mark("Done, empty")),
    State.REVIEWED: ("check-decagram", "success", mark("Reviewed")),
    State.REJECTED: ("close-circle-outline", "error", mark("Rejected")),
    State.BROKEN: ("image-off-outline", "error", mark("Cannot be read")),
}


def row_height() -> int:
    """Pixels of every row, higher where words are larger."""
    return max(ROW, theme.theme().size(ROW - 12))


class QueueDelegate(QStyledItemDelegate):
    """Paints rows of 60 px."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All rows have one height."""
        return QSize(84, row_height())

    @painted
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """One row."""
        image: Image | None = index.data(IMAGE_ROLE)
        if image is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._background(painter, option)
        rect = QRectF(option.rect)
        narrow = rect.width() < NARROW
        side = THUMBNAIL
        left = rect.left() + ((rect.width() - side) / 2 if narrow else 12)
        place = QRectF(left, rect.top() + (4 if narrow else 6), side, side)
        self._thumbnail(painter, place, image, index.data(THUMBNAIL_ROLE))
        if narrow:
            self._narrow(painter, place, image, index.data(DOUBT_ROLE))
        else:
            text = rect.adjusted(12 + side + 10, 0, -12, 0)
            self._words(painter, text, image, index, option)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.theme().color("focus"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1.0, 1.0, -1.0, -1.0))

    def _background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        selected = option.state & QStyle.StateFlag.State_Selected
        hover = option.state & QStyle.StateFlag.State_MouseOver
        if selected or hover:
            painter.fillRect(option.rect, theme.theme().color("sel" if selected else "hover"))
        if selected:
            bar = option.rect.adjusted(0, 0, 0, 0)
            bar.setWidth(3)
            painter.fillRect(bar, theme.theme().color("accent"))

    def _thumbnail(self, painter: QPainter, place: QRectF, image: Image, held: object) -> None:
        path = QPainterPath()
        path.addRoundedRect(place, 3, 3)
        if isinstance(held, QPixmap):
            painter.save()
            painter.setClipPath(path)
            painter.setOpacity(0.45 if image.state is State.REJECTED else 1.0)
            painter.drawPixmap(place, held, QRectF(held.rect()))
            painter.restore()
            return
        painter.fillPath(path, theme.theme().color("raised"))
        if isinstance(held, str) or image.state is State.BROKEN:
            middle = place.center()
            self._icon(painter, middle.x() - 9, middle.y() - 9, "image-off-outline", "error", 18)

    def _icon(self, painter: QPainter, x: float, y: float, name: str, role: str, size: int = 14) -> None:
        """In its middle where one of `size` at this corner would be."""
        side = theme.theme().tall(size)
        at = (side - size) / 2
        theme.icon(name, size, role).paint(painter, round(x - at), round(y - at), side, side)

    def _narrow(self, painter: QPainter, place: QRectF, image: Image, told: tuple[float, bool] | None) -> None:
        name, role, _ = STATES[image.state]
        side = theme.theme().tall(14) + 2.0
        corner = QRectF(place.right() + 2 - side, place.bottom() + 2 - side, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.theme().color("panel"))
        painter.drawEllipse(corner)
        self._icon(painter, corner.center().x() - 7, corner.center().y() - 7, name, role)
        if told is not None:
            self._bar(painter, QRectF(place.left(), place.bottom() + 3, place.width(), 4), *told)

    def _bar(self, painter: QPainter, rect: QRectF, doubt: float, above: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.theme().color("border"))
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        filled = QRectF(rect)
        filled.setWidth(rect.width() * min(max(doubt, 0.0), 1.0))
        painter.setBrush(theme.theme().color("amber" if above else "muted"))
        painter.drawRoundedRect(filled, rect.height() / 2, rect.height() / 2)

    def _words(
        self, painter: QPainter, rect: QRectF, image: Image, index: object, option: QStyleOptionViewItem
    ) -> None:
        font = QFont(option.font)
        font.setPixelSize(theme.theme().size(13))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setFont(weighted(font, HEAVY) if chosen else font)
        painter.setPen(theme.theme().color("text"))
        size = theme.theme().size
        above = (rect.height() - size(18) - 2 - size(16)) / 2 - 1
        top = QRectF(rect.left(), rect.top() + above, rect.width(), size(18))
        name = QFontMetricsF(painter.font()).elidedText(index.data(), Qt.TextElideMode.ElideMiddle, top.width())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        below = QRectF(rect.left(), top.bottom() + 2, rect.width(), size(16))
        icon, role, word = STATES[image.state]
        side = theme.theme().tall(14)
        self._icon(painter, below.left() + (side - 14) / 2, below.center().y() - 7, icon, role)
        font.setPixelSize(theme.theme().size(12))
        painter.setFont(font)
        painter.setPen(theme.theme().color("muted"))
        space = below.adjusted(side + 5, 0, 0, 0)
        if image.state is State.BROKEN and image.reason:
            why = image.reason.removeprefix(index.data()).strip()  # the line above says the name
            word = QFontMetricsF(font).elidedText(why, Qt.TextElideMode.ElideRight, space.width())
        group, told = index.data(GROUP_ROLE), index.data(DOUBT_ROLE)
        taken = size(32) if group < 0 and told is not None and image.state is not State.BROKEN else 0
        word = QFontMetricsF(font).elidedText(self.tr(word), Qt.TextElideMode.ElideRight, space.width() - taken)
        painter.drawText(space, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, word)
        if group >= 0:
            words = tr("Group {0}").format(group + 1)
            painter.drawText(below, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        elif told is not None and image.state is not State.BROKEN:
            space = QRectF(below.right() - size(28), below.top(), size(28), size(16))
            painter.setPen(theme.theme().color("text"))
            value = number(told[0], 2)
            painter.drawText(space, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
            free = space.left() - 4 - (below.left() + side + 5 + QFontMetricsF(font).horizontalAdvance(word) + 8)
            bar = min(BAR, free)
            if bar > 8:
                self._bar(painter, QRectF(space.left() - 4 - bar, below.center().y() - 2, bar, 4), *told)
