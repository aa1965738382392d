"""What leaves the live view: frames added to the project, and snapshots."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter

from app.files import atomic_write, data_folder
from app.services.keep import free_name, keep_again, keep_frame, new_project
from app.views.context import Context
from app.views.live import overlay
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit
from app.views.live.view import LiveView
from engine.errors import UserError
from engine.images import encode_png


class Keeping(QObject):
    """failed(sentence); said(sentence): what was kept, and where."""

    failed = Signal(str)
    said = Signal(str)

    def __init__(self, context: Context, view: LiveView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.view = view

    @property
    def annotator(self) -> str:
        """Who corrects, as the open project knows it."""
        return self.context.document.annotator if self.context.document is not None else ""

    def add(self, frozen: Frozen) -> bool:
        """Put a frozen frame and its instances into the project, a new one where none is open; True when it is in."""
        schema = frozen.result.schema
        if schema is None or not frozen.instances or frozen.added:
            return False
        if overlay.has_parts(self.view):
            self.failed.emit(self.tr("This model finds parts and no landmarks; choose another to add frames."))
            return False
        try:
            document = self.context.document
            if document is None:
                document = new_project(schema)
                self.context.set_document(document)
            if document.schema.landmarks != schema.landmarks:
                self.failed.emit(
                    self.tr("{0} holds other landmarks than this model finds; open a project for them.").format(
                        document.name
                    )
                )
                return False
            if frozen.image:
                keep_again(document, frozen.image, frozen.instances, self.tr("Correct a frame"))
            else:
                pixels = frozen.result.frame.pixels
                frozen.image = keep_frame(document, pixels, frozen.instances, self.tr("Add a frame"))
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return False
        frozen.added = True
        self.said.emit(self.tr("Added to {0}").format(document.name))
        return True

    def snapshot(self) -> None:
        """Save the frame at its own size, with what is drawn over it, in the data folder."""
        if self.view.result is None:
            return
        folder = data_folder() / "snapshots"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = free_name(folder, f"snapshot {datetime.now():%Y-%m-%d %H.%M.%S}", ".png")
            atomic_write(path, encode_png(self.picture()))
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return
        self.said.emit(self.tr("Saved {0}").format(path))

    def picture(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the frame as the view shows it, at the frame's own size."""
        height, width = self.view.result.frame.pixels.shape[:2]
        image = QImage(width, height, QImage.Format.Format_RGB888)
        fit = Fit(width, height, width, height, self.view.look.mirror)
        painter = QPainter(image)
        try:
            painter.setFont(self.view.font())
            self.view.paint_frame(painter, fit)
            overlay.paint_subjects(painter, self.view, fit)
        finally:
            painter.end()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
        return rows[:, : width * 3].reshape(height, width, 3).copy()
