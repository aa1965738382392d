"""What is shown when no project is open: ways to begin, recent projects, and the sample with real landmarks."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from app.services.projects import Recent
from app.sources.camera import list_cameras
from app.views.context import Context
from app.views.label.numbers import number
from app.views.sample import predict_sample
from app.views.schema.kinds import Kinds
from app.views.theme import icon_picture, theme
from app.views.tiles import PICTURE, RecentRow, SamplePicture, Tile, thumbnail
from app.views.widgets import ElidedLabel, Line
from app.views.words import told

LEFT, GAP = 560, 64
HIDE_UNDER, SHRINK_UNDER, SMALL = 1160, 1300, 440
ROWS = 4


class FirstStart(QWidget):
    """Tiles, recent projects and the sample. wanted(name): an action of the window; opened(path): a recent project."""

    wanted = Signal(str)
    opened = Signal(object)
    truth = Signal(str)  # what computes here, once that is known
    _computed = Signal(dict)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._thread: threading.Thread | None = None
        self._stale, self._closed = True, False
        self._recent: list[Recent] = []
        self._rows: list[tuple[RecentRow, Line]] = []
        self._camera = False
        self.tiles = {
            "start_camera": Tile("webcam", self.tr("Start camera"), self.tr("Look at yourself, live")),
            "open_folder": Tile("folder-open-outline", self.tr("Open folder"), self.tr("Pictures, and folders within")),
            "open_video": Tile("movie-open-outline", self.tr("Open video"), self.tr("MP4, MKV, AVI, WebM")),
            "sample": Tile("image-outline", self.tr("Try the sample"), self.tr("24 faces, predicted at once")),
        }
        self.kinds = Kinds(context)
        self.recent = QWidget()
        self.picture = SamplePicture()
        self.under, self.source = ElidedLabel(), QLabel(self.tr("Eileen Collins, NASA, public domain"))
        self.drop_sign = QLabel()
        self._lay_out()
        for name, tile in self.tiles.items():
            tile.clicked.connect(lambda _=False, n=name: self.wanted.emit(n))
        self._computed.connect(self._show_result)
        context.model_changed.connect(self._forget)
        theme().changed.connect(self._dress)
        self.set_recent([])
        self._dress()

    def compute(self) -> None:
        """In the background: a camera, the recent projects' pictures, the sample's landmarks where they are stale."""
        if self._thread is None and not self._closed:
            pictures = [row.project.picture for row in self.recent.findChildren(RecentRow)]
            self._thread = threading.Thread(target=self._work, args=(self._stale, pictures), name="sample", daemon=True)
            self._stale = False
            self._thread.start()

    def close_services(self) -> bool:
        """Begin no more background work and wait for what runs; True when it has ended in time."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(2.0)
        return self._thread is None or not self._thread.is_alive()

    def set_camera(self, name: str) -> None:
        """The name of the camera that is there, or ""."""
        self._camera = bool(name)
        self.tiles["start_camera"].set_line(name or self.tr("Look at yourself, live"))
        self._choose()

    def set_recent(self, projects: list[Recent]) -> None:
        """List what was open before; nothing where there is nothing."""
        self.kinds.refresh()
        self._recent, self._rows = projects, []
        before, self.recent = self.recent, QWidget()
        column = QVBoxLayout(self.recent)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if projects:
            column.addLayout(self._recent_head())
        for project in projects[:ROWS]:
            row = RecentRow(project)
            row.clicked.connect(lambda _=False, p=project.path: self.opened.emit(p))
            self._rows.append((row, Line()))
            for widget in self._rows[-1]:
                column.addWidget(widget)
        self._left.replaceWidget(before, self.recent)
        self.recent.show()
        before.hide()
        before.deleteLater()
        self._choose()
        self._show_rows()

    def _height(self, rows: int) -> int:
        """The least height of the page with so many recent projects."""
        edges = self.layout().contentsMargins()
        self.recent.layout().activate()  # rows that were shown or hidden just now count at once
        self._left.activate()
        shown = sum(not row.isHidden() for row, _ in self._rows)
        other = self._left.totalMinimumSize().height() - shown * self._row_height()
        return other + rows * self._row_height() + edges.top() + edges.bottom()

    def _row_height(self) -> int:
        return self._rows[0][0].sizeHint().height() + 1 if self._rows else 0

    def _show_rows(self) -> None:
        """As many recent projects as there is room for."""
        room = [self.height() >= self._height(n + 1) for n in range(len(self._rows))]
        for (row, line), there in zip(self._rows, room, strict=True):
            row.setVisible(there)
            line.setVisible(there)

    def _choose(self) -> None:
        """Fill the tile that fits: the camera's where there is one, else the folder's, or the sample's."""
        primary = "start_camera" if self._camera else "open_folder" if self._recent else "sample"
        for key, tile in self.tiles.items():
            tile.set_primary(key == primary)

    def _forget(self) -> None:
        """Another model is in use: its landmarks are computed when the page shows next."""
        self._stale = True

    def _recent_head(self) -> QHBoxLayout:
        row, heading, other = QHBoxLayout(), QLabel(self.tr("Recent projects")), QPushButton(self.tr("Open project"))
        heading.setProperty("heading", True)
        other.setProperty("link", True)
        other.clicked.connect(lambda: self.wanted.emit("open_project"))
        row.addWidget(heading)
        row.addStretch(1)
        row.addWidget(other)
        return row

    def _lay_out(self) -> None:
        title, line = QLabel(self.tr("Open something to look at")), QLabel(
            self.tr("Landmarks appear at once. Nothing leaves this computer.")
        )
        title.setProperty("figure", True)
        line.setProperty("muted", True)
        grid = QGridLayout()
        grid.setSpacing(16)
        for place, tile in enumerate(self.tiles.values()):
            grid.addWidget(tile, place // 2, place % 2)
        left = self._left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(title)
        left.addSpacing(4)
        left.addWidget(line)
        left.addSpacing(24)
        left.addLayout(grid)
        left.addSpacing(16)
        left.addWidget(self.kinds)
        left.addSpacing(16)
        left.addWidget(self._hint())
        left.addSpacing(24)
        left.addWidget(self.recent)
        left.addStretch(1)
        self.left = holder = QWidget()
        holder.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        self.right = QWidget()
        right = QVBoxLayout(self.right)
        right.setContentsMargins(0, 0, 0, 0)
        captions = QHBoxLayout()
        for label in (self.under, self.source):
            label.setProperty("muted", True)
            label.setProperty("small", True)
        captions.setSpacing(16)
        captions.addWidget(self.under, 1)
        captions.addWidget(self.source)
        right.addWidget(self.picture)
        right.addLayout(captions)
        right.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addStretch(1)
        row.addWidget(holder)
        row.addWidget(self.right)
        row.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        outer.setContentsMargins(24, 16, 24, 16)
        outer.addStretch(1)
        outer.addLayout(row, 8)
        outer.addStretch(1)

    def _hint(self) -> QFrame:
        """The dashed line that tells of dropping."""
        drop = QFrame()
        drop.setProperty("drop", True)
        drop.setFixedHeight(48)
        inside = QHBoxLayout(drop)
        inside.setSpacing(12)
        hint = QLabel(self.tr("Drop a folder, video, picture, project or model anywhere"))
        hint.setProperty("muted", True)
        inside.addStretch(1)
        inside.addWidget(self.drop_sign)
        inside.addWidget(hint)
        inside.addStretch(1)
        return drop

    def _work(self, stale: bool, pictures: list[str]) -> None:
        cameras = list_cameras()
        found: dict[str, Any] = {"camera": cameras[0].name if cameras else ""}
        found["thumbnails"] = {path: thumbnail(path) for path in pictures if path}
        if stale:
            found["sample"] = predict_sample(self.context)
        if not self._closed:  # closing waits for whoever is past this line, so the signal's owner is still there
            self._computed.emit(found)

    def _show_result(self, found: dict[str, Any]) -> None:
        self._thread.join()
        self._thread = None
        self.set_camera(found["camera"])
        rows, thumbnails = self.recent.findChildren(RecentRow), found["thumbnails"]
        for row in rows:
            row.show_picture(thumbnails.get(row.project.picture))
        if any(row.project.picture and row.project.picture not in thumbnails for row in rows):
            self.compute()  # the list has changed meanwhile
        if "sample" in found:
            self._show_sample(found["sample"])

    def _show_sample(self, found: dict[str, Any]) -> None:
        self.truth.emit(found.get("truth", ""))
        self.picture.show_prediction(found.get("prediction"), found.get("schema"))
        if "prediction" in found:
            words = self.tr("{0}, {1} ms on one core")
            self.under.set_text(words.format(found["name"], number(1000 * found['seconds'], 0)))
        else:
            self.under.set_text(told(found.get("problem", "")) or self.tr("No face was found in the sample"))

    def _dress(self) -> None:
        self.drop_sign.setPixmap(icon_picture("tray-arrow-down", 18))
        self.left.setFixedWidth(theme().size(LEFT))
        self._fit_picture()

    def minimumSizeHint(self) -> QSize:
        """The left column with one project: the rest goes before the window would have to grow."""
        edges = self.layout().contentsMargins()
        return QSize(theme().size(LEFT) + edges.left() + edges.right(), self._height(min(len(self._rows), 1)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The picture shrinks, then goes; recent projects that have no room are left out."""
        super().resizeEvent(event)
        self._show_rows()
        self._fit_picture()

    def _fit_picture(self) -> None:
        width = self.width() - theme().size(LEFT) + LEFT  # larger text takes its room from the picture
        self.right.setVisible(width >= HIDE_UNDER)
        side = PICTURE if width >= SHRINK_UNDER else SMALL
        self.picture.setFixedSize(side, side)
        self.right.setFixedWidth(side)
