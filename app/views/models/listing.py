"""The list of models: name, tag, the number of its card, what it was made from."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QDate, QLocale, QModelIndex, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.library import Entry
from app.views.label.numbers import number
from app.views.theme import theme
from app.views.tokens import CAPTION, SMALL
from app.views.words import mark, tr

ROW = 56
TAGS = {"shipped": mark("Shipped"), "fine-tuned": mark("Fine-tuned"), "imported": mark("Imported")}


def card_figure(entry: Entry) -> tuple[str, float] | None:
    """The figure that a model's card leads with: its metric's name and percent; None where it has none."""
    held = (entry.card or {}).get("hold-out")
    if isinstance(held, dict):
        for name in ("nme", "pck"):
            if isinstance(held.get(name), (int, float)):
                return name, float(held[name])
    return None


class Entries(QAbstractListModel):
    """The library's entries of one schema, or of all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self.used: set[str] = set()

    def show(self, entries: list[Entry], used: set[str]) -> None:
        """Take new contents; `used` holds the paths of models in use."""
        self.beginResetModel()
        self.entries, self.used = entries, used
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One row a model."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole):
        """Title for screen readers, the entry itself for the delegate."""
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.problem or f"{lineage(entry)}\n{entry.path}"
        return entry if role == Qt.ItemDataRole.UserRole else None

    def unit(self) -> str:
        """What the numbers at the right are; "" where there is none."""
        names = {figure[0] for entry in self.entries if (figure := card_figure(entry)) is not None}
        return f"{' / '.join(sorted(names)).upper()} %, hold-out" if names else ""

    def in_use(self, entry: Entry) -> bool:
        """Whether this is the model that predicts."""
        return str(entry.path) in self.used


class EntryDelegate(QStyledItemDelegate):
    """Paints a row of 56 px."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Uniform rows."""
        return QSize(240, theme().size(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Name and tag, number at the right, lineage below."""
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        area, colour = QRectF(option.rect), theme().color
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            painter.fillRect(area, colour("sel" if selected else "hover"))
        if selected:
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), colour("accent"))
        inner = area.adjusted(16, 8, -16, -8)
        figure = card_figure(entry)
        told = percent(figure[1]) if figure else ""
        font = QFont(option.font)
        font.setWeight(QFont.Weight.Medium)
        painter.setFont(font)
        painter.setPen(colour("error" if entry.problem else "text"))
        taken = painter.fontMetrics().horizontalAdvance(told) + 8
        tag = tr("In use") if index.model().in_use(entry) else tr(TAGS.get(entry.origin, ""))
        small = QFont(option.font)
        small.setPixelSize(theme().size(CAPTION))
        tag_width = painter.fontMetrics().horizontalAdvance(tag) + 4
        room = inner.width() - taken - tag_width - 8
        name = painter.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideMiddle, int(room))
        high = theme().size(20)
        painter.drawText(QRectF(inner.left(), inner.top(), room, high), Qt.AlignmentFlag.AlignVCenter, name)
        at = inner.left() + painter.fontMetrics().horizontalAdvance(name) + 8
        painter.drawText(QRectF(inner.right() - taken, inner.top(), taken, high),
                         Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, told)  # fmt: skip
        painter.setFont(small)
        box = QRectF(at, inner.top() + 2, painter.fontMetrics().horizontalAdvance(tag) + 10, high - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("raised"))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(colour("text" if index.model().in_use(entry) else "muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tag)
        small.setPixelSize(theme().size(SMALL))
        painter.setFont(small)
        painter.setPen(colour("muted"))
        below = QRectF(inner.left(), inner.top() + high + 2, inner.width(), theme().size(18))
        line = painter.fontMetrics().elidedText(lineage(entry), Qt.TextElideMode.ElideRight, int(inner.width()))
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, line)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(colour("focus"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.restore()


def lineage(entry: Entry) -> str:
    """One line: what a model was made from."""
    if entry.problem:
        return entry.problem
    labels = (entry.card or {}).get("labels")
    parts = [f"From {entry.parent}"] if entry.parent else []
    parts += [f"{labels} labels"] if isinstance(labels, int) else []
    date = QDate.fromString(entry.created, Qt.DateFormat.ISODate)
    parts += [QLocale().toString(date, "d MMM yyyy")] if date.isValid() else []
    return ", ".join(parts if entry.parent else [*parts, f"{number(entry.size / 1e6, 2)} MB"])


def percent(value: float) -> str:
    """Percent with two decimals."""
    return number(value, 2)
