"""The queue's rows: the project's images, filtered and ordered, as a list model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from app.project.document import Change, Document
from app.project.queue import ALIKE, BY_DOUBT, NUMBERS, STATES, Columns, Wish
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
DOUBT_ROLE = Qt.ItemDataRole.UserRole + 3  # by the criterion chosen, and whether it is above the limit
GROUP_ROLE = Qt.ItemDataRole.UserRole + 4  # number of the group of pictures that look alike, or -1
THUMBNAILS_KEPT = 600
RESORT_MS = 1000
CHECKED = np.isin(np.arange(len(STATES)), [NUMBERS[state] for state in TO_CHECK])  # by number of a state


class QueueModel(QAbstractListModel):
    """Images of a document that pass the filter. `counted` tells that counts may have changed.

    opened: another document's images are listed. group_wanted: it is to be found out which pictures look alike, for
    `take_groups`.

    `wish` says which states, in what order; `filter` is the name of the states in FILTERS or of one state; `limit`
    the doubt from which bars are marked, above which alone images are listed while `limited`.
    """

    counted = Signal()
    opened = Signal()
    group_wanted = Signal()

    def __init__(self, pictures: Pictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._document: Document | None = None
        self._images: dict[int, Image] = {}
        self.columns = Columns([])
        self._rows = np.zeros(0, np.int64)  # ranks, as listed
        self._places = np.zeros(0, np.int64)  # rank -> row, -1 where it is not listed
        self._counts = self.columns.counts()
        self._thumbnails: OrderedDict[int, QPixmap | str] = OrderedDict()  # a pixmap, or why there is none
        self.filter, self.wish, self.limit = "to check", Wish(TO_CHECK), 0.5
        self.grouping = False  # whether it is being found out which pictures look alike
        self.kept: int | None = None  # the picture on screen keeps its row though the filter would drop it
        self._resort = QTimer(self, singleShot=True, interval=RESORT_MS)
        self._resort.timeout.connect(self._sort)
        pictures.thumbnailed.connect(self._thumbnailed)
        pictures.no_thumbnail.connect(self._failed)

    # ---- content
    def open(self, document: Document | None) -> None:
        """Show another document's images."""
        self._document = document
        self.columns = Columns([])
        self._thumbnails.clear()
        self._pictures.forget_thumbnails()
        self.kept = None
        self.reload()
        self.opened.emit()

    def reload(self) -> None:
        """Read all images again."""
        self.beginResetModel()
        images = self._document.images() if self._document else []
        self._images = {image.id: image for image in images}
        self.columns = Columns(images, self.columns)
        self.kept = self.kept if self.kept in self._images else None
        self._counts, self.grouping = self.columns.counts(), False
        self._list(self.columns.listed(self.wish, self.kept))
        self.endResetModel()
        self.counted.emit()
        self._want_groups()

    def choose(
        self, filter: str | None = None, order: str | None = None, criterion: int | None = None,
        above: float | None = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        """Another filter or order; what is None stays."""
        self.filter = filter or self.filter
        given = {"order": order, "criterion": criterion, "above": above, "seed": seed}
        states = FILTERS[self.filter] if self.filter in FILTERS else frozenset({State(self.filter)})
        self.wish = replace(self.wish, states=states, **{name: v for name, v in given.items() if v is not None})
        self._list_again(always=True)
        self._want_groups()

    def take_groups(self, columns: Columns, groups: np.ndarray) -> None:
        """Follow what was found out about which pictures look alike; in vain where other images are listed by now."""
        if columns is self.columns:
            columns.groups, self.grouping = groups, False
            if self.order == ALIKE:
                self._list_again()
                self.counted.emit()

    def _list_again(self, always: bool = False) -> None:
        """List what passes; where that are the same rows as before they may stay, and are painted anew."""
        rows = self.columns.listed(self.wish, self.kept)
        if always or not np.array_equal(rows, self._rows):
            self.beginResetModel()
            self._list(rows)
            self.endResetModel()
        elif len(rows):
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))

    def _want_groups(self) -> None:
        if self.order == ALIKE and self.columns.ungrouped:
            self.columns.ungrouped, self.grouping = False, True
            self.group_wanted.emit()

    @property
    def order(self) -> str:
        """The name of the order."""
        return self.wish.order

    def heard(self, change: Change) -> None:
        """Take over what an edit changed; only its rows are touched."""
        if self._document is None:
            return
        if any(i not in self._images for i in change.images):
            self.reload()
            return
        moved = False
        for i in change.images:
            image = find(self._document, i)
            if image is None or image.path != self._images[i].path:
                self.reload()
                return
            old, self._images[i] = self._images[i], image
            self._counts[NUMBERS[old.state]] -= 1
            self._counts[NUMBERS[image.state]] += 1
            moved |= self.columns.update(image)
        if len(change.images) > 1:
            self._list_again()
        else:
            for i in change.images:
                self._update_row(i)
        if moved and self.order == BY_DOUBT and not self._resort.isActive():
            self._resort.start()
        self._want_groups()
        self.counted.emit()

    def keep(self, image: int | None) -> None:
        """The picture on screen stays in the list until it is left."""
        left, self.kept = self.kept, image
        for i in {left, image} - {None}:
            if i in self._images:
                self._update_row(i)

    def count(self, filter: str) -> int:
        """Number of images that a filter, or a state by its value, lets through."""
        states = FILTERS[filter] if filter in FILTERS else (State(filter),)
        return int(sum(self._counts[NUMBERS[state]] for state in states))

    def _passes(self, image: int) -> bool:
        rank = self.columns.ranks[image]
        if STATES[self.columns.states[rank]] not in self.wish.states:
            return False
        if self.order == ALIKE:
            return bool(self.columns.groups[rank] >= 0)
        doubtful = self.order != BY_DOUBT or self.wish.above <= 0
        return doubtful or bool(self.columns.doubts[rank, self.wish.criterion] >= self.wish.above)

    def _list(self, ranks: np.ndarray) -> None:
        self._rows = ranks
        self._places = np.full(len(self.columns), -1, np.int64)
        self._places[ranks] = np.arange(len(ranks))

    def _sort(self) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [int(self.columns.ids[self._rows[index.row()]]) for index in before]
        self._list(self.columns.ordered(np.sort(self._rows), self.wish))
        self.changePersistentIndexList(before, [self.index(self.row_of(i)) for i in ids])
        self.layoutChanged.emit()

    def _update_row(self, image: int) -> None:
        row, passes = self.row_of(image), image == self.kept or self._passes(image)
        if row >= 0 and passes:
            self.dataChanged.emit(self.index(row), self.index(row))
        elif row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            self._list(np.delete(self._rows, row))
            self.endRemoveRows()
        elif passes:
            rows = self.columns.ordered(np.sort(np.append(self._rows, self.columns.ranks[image])), self.wish)
            row = int(np.flatnonzero(rows == self.columns.ranks[image])[0])
            kept = np.delete(rows, row)
            if not np.array_equal(kept, self._rows):  # a doubt has come meanwhile: its row moves when the timer says
                rows = np.insert(self._rows, row, self.columns.ranks[image])
            self.beginInsertRows(QModelIndex(), row, row)
            self._list(rows)
            self.endInsertRows()

    # ---- places
    def row_of(self, image: int | None) -> int:
        """The row of an image, -1 where it is not listed."""
        rank = self.columns.ranks.get(image, -1) if image is not None else -1
        return int(self._places[rank]) if rank >= 0 else -1

    def image_at(self, row: int) -> Image | None:
        """The image of a row."""
        return self._images[int(self.columns.ids[self._rows[row]])] if 0 <= row < len(self._rows) else None

    def neighbour(self, image: int | None, step: int, to_check: bool = False) -> int | None:
        """The next or previous image's id; with `to_check` the next that needs a look, round the end."""
        row, count = self.row_of(image), len(self._rows)
        if not count:
            return None
        if not to_check:
            place = row + step if row >= 0 else 0
            return int(self.columns.ids[self._rows[place]]) if 0 <= place < count else None
        start = row if row >= 0 else (-1 if step > 0 else 0)
        ranks = np.roll(self._rows, -(start + 1)) if step > 0 else np.roll(self._rows, -start)[::-1]
        wanted = CHECKED[self.columns.states[ranks]] & (self.columns.ids[ranks] != (image or 0))
        return int(self.columns.ids[ranks[wanted.argmax()]]) if wanted.any() else None

    def ids_in(self, states: Collection[State]) -> list[int]:
        """Ids of all images in these states, in the list's order."""
        ranks = self.columns.listed(replace(self.wish, states=frozenset(states), above=0.0))
        if self.order == ALIKE:
            ranks = self.columns.listed(Wish(frozenset(states)))
        return self.columns.ids[ranks].tolist()

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
        if role == DOUBT_ROLE:
            value = float(self.columns.doubts[self._rows[index.row()], self.wish.criterion])
            return None if np.isnan(value) else (value, value >= self.limit)
        if role == GROUP_ROLE:
            return int(self.columns.groups[self._rows[index.row()]]) if self.order == ALIKE else -1
        return None

    def _thumbnail(self, image: Image) -> QPixmap | str | None:
        held = self._thumbnails.get(image.id)
        if held is None:
            self._pictures.want_thumbnail(image.id, partial(self._document.picture_path, image))
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
            self.dataChanged.emit(self.index(row), self.index(row))
