"""The queue's rows: the project's images, filtered and ordered, as a list model."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Collection, Iterable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from app.project.document import Change, Document
from app.project.values import Image, State
from app.services.pictures import Pictures
from app.views.label.shapes import find
from app.views.qimage import to_qimage

Index = QModelIndex | QPersistentModelIndex
TO_CHECK = frozenset({State.NEW, State.PREDICTED, State.IN_WORK})
DONE = frozenset({State.DONE, State.DONE_EMPTY, State.REVIEWED})
FILTERS = {"to check": TO_CHECK, "done": DONE, "all": frozenset(State)}
IMAGE_ROLE = Qt.ItemDataRole.UserRole + 1
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 2
THUMBNAILS_KEPT = 600
RESORT_MS = 1000


class QueueModel(QAbstractListModel):
    """Images of a document that pass the filter. `counted` tells that counts may have changed."""

    counted = Signal()

    def __init__(self, pictures: Pictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._document: Document | None = None
        self._images: dict[int, Image] = {}
        self._rank: dict[int, int] = {}  # image id -> place in natural order
        self._rows: list[int] = []
        self._places: dict[int, int] | None = None
        self._counts: dict[str, int] = dict.fromkeys(FILTERS, 0)
        self._thumbnails: OrderedDict[int, QPixmap | str] = OrderedDict()  # a pixmap, or why there is none
        self.filter, self.order = "to check", "name"
        self.kept: int | None = None  # the picture on screen keeps its row though the filter would drop it
        self._resort = QTimer(self, singleShot=True, interval=RESORT_MS)
        self._resort.timeout.connect(self._sort)
        pictures.thumbnailed.connect(self._thumbnailed)
        pictures.no_thumbnail.connect(self._failed)

    # ---- content
    def open(self, document: Document | None) -> None:
        """Show another document's images."""
        self._document = document
        self._thumbnails.clear()
        self._pictures.forget_thumbnails()
        self.kept = None
        self.reload()

    def reload(self) -> None:
        """Read all images again."""
        self.beginResetModel()
        images = self._document.images() if self._document else []
        self._images = {image.id: image for image in images}
        self.kept = self.kept if self.kept in self._images else None
        self._rank = {image.id: n for n, image in enumerate(images)}
        self._count()
        self._rows = self._ordered(i for i in self._images if self._passes(i))
        self._places = None
        self.endResetModel()
        self.counted.emit()

    def choose(self, filter: str | None = None, order: str | None = None) -> None:
        """Another filter or order."""
        self.filter, self.order = filter or self.filter, order or self.order
        self.beginResetModel()
        self._rows = self._ordered(i for i in self._images if self._passes(i))
        self._places = None
        self.endResetModel()

    def heard(self, change: Change) -> None:
        """Take over what an edit changed; only its rows are touched."""
        if self._document is None:
            return
        if any(i not in self._images for i in change.images):
            self.reload()
            return
        for i in change.images:
            image = find(self._document, i)
            if image is None:
                self.reload()
                return
            old, self._images[i] = self._images[i], image
            for name, states in FILTERS.items():
                self._counts[name] += (image.state in states) - (old.state in states)
            self._update_row(i)
            if self.order == "doubt" and old.doubt != image.doubt and not self._resort.isActive():
                self._resort.start()
        self.counted.emit()

    def keep(self, image: int | None) -> None:
        """The picture on screen stays in the list until it is left."""
        left, self.kept = self.kept, image
        for i in {left, image} - {None}:
            if i in self._images:
                self._update_row(i)

    def count(self, filter: str) -> int:
        """Number of images that a filter lets through."""
        return self._counts[filter]

    def _count(self) -> None:
        states = [image.state for image in self._images.values()]
        self._counts = {name: sum(s in wanted for s in states) for name, wanted in FILTERS.items()}

    def _passes(self, image: int) -> bool:
        return image == self.kept or self._images[image].state in FILTERS[self.filter]

    def _key(self, image: int) -> tuple[float, int]:
        doubt = self._images[image].doubt if self.order == "doubt" else None
        return (-1.0 if doubt is None else doubt) * -1.0, self._rank[image]

    def _ordered(self, images: Iterable[int]) -> list[int]:
        return sorted(images, key=self._key)

    def _sort(self) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [self._rows[index.row()] for index in before]
        self._rows = self._ordered(self._rows)
        self._places = None
        self.changePersistentIndexList(before, [self.index(self.row_of(i)) for i in ids])
        self.layoutChanged.emit()

    def _update_row(self, image: int) -> None:
        row, passes = self.row_of(image), self._passes(image)
        if row >= 0 and passes:
            self.dataChanged.emit(self.index(row), self.index(row))
        elif row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._rows[row]
            self._places = None
            self.endRemoveRows()
        elif passes:
            row = bisect.bisect(self._rows, self._key(image), key=self._key)
            self.beginInsertRows(QModelIndex(), row, row)
            self._rows.insert(row, image)
            self._places = None
            self.endInsertRows()

    # ---- places
    def row_of(self, image: int | None) -> int:
        """The row of an image, -1 where it is not listed."""
        if self._places is None:
            self._places = {i: n for n, i in enumerate(self._rows)}
        return self._places.get(image, -1)

    def image_at(self, row: int) -> Image | None:
        """The image of a row, None outside."""
        return self._images[self._rows[row]] if 0 <= row < len(self._rows) else None

    def neighbour(self, image: int | None, step: int, to_check: bool = False) -> int | None:
        """The next or previous image's id; with `to_check` the next that needs a look, round the end."""
        row, count = self.row_of(image), len(self._rows)
        if not count:
            return None
        if not to_check:
            place = row + step if row >= 0 else 0
            return self._rows[place] if 0 <= place < count else None
        start = row if row >= 0 else (-1 if step > 0 else 0)
        for n in range(1, count + 1):
            found = self._rows[(start + n * step) % count]
            if found != image and self._images[found].state in TO_CHECK:
                return found
        return None

    def images_in(self, states: Collection[State]) -> list[Image]:
        """All images in these states, in the list's order."""
        return [self._images[i] for i in self._ordered(i for i in self._images if self._images[i].state in states)]

    # ---- the list model
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name, tooltip, the Image, and its thumbnail: a QPixmap, a reason, or None while it is made."""
        image = self.image_at(index.row())
        if image is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return image.path.replace("\\", "/").rsplit("/", 1)[-1]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{image.path}\n{image.reason}" if image.reason else image.path
        if role == IMAGE_ROLE:
            return image
        if role == THUMBNAIL_ROLE:
            return self._thumbnail(image)
        return None

    def _thumbnail(self, image: Image) -> QPixmap | str | None:
        held = self._thumbnails.get(image.id)
        if held is None:
            self._pictures.want_thumbnail(image.id, self._document.picture_path(image))
        else:
            self._thumbnails.move_to_end(image.id)
        return held

    def _thumbnailed(self, image: int, pixels: object) -> None:
        pixmap = QPixmap.fromImage(to_qimage(pixels, QImage.Format.Format_RGB32))
        pixmap.setDevicePixelRatio(2.0)
        self._hold(image, pixmap)

    def _failed(self, image: int, reason: str) -> None:
        self._hold(image, reason)

    def _hold(self, image: int, value: QPixmap | str) -> None:
        if image not in self._images:
            return
        self._thumbnails[image] = value
        while len(self._thumbnails) > THUMBNAILS_KEPT:
            self._thumbnails.popitem(last=False)
        row = self.row_of(image)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row), [THUMBNAIL_ROLE])
