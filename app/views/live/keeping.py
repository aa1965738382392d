"""What leaves the live view: frames added to the project, and snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter

from app.files import atomic_write, data_folder, free_name
from app.services.keep import keep_again, keep_frame, new_project
from app.views.context import Context
from app.views.live import overlay
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit
from app.views.live.sheet import painted, pixels_of
from app.views.live.view import LiveView
from app.views.qimage import to_qimage
from app.views.words import mark
from engine.errors import UserError
from engine.images import encode_png

TITLES = (mark("Add a frame"), mark("Correct a frame"))


class Keeping(QObject):
    """failed(sentence); said(sentence): what was saved, and where."""

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
                keep_again(document, frozen.image, frozen.instances, TITLES[1])
            else:
                pixels = frozen.result.frame.pixels
                frozen.image = keep_frame(document, pixels, frozen.instances, TITLES[0])
                frozen.kept = frozen.image, Path(document.image(frozen.image).path).name
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return False
        frozen.added = True
        return True

    def find(self, frozen: Frozen) -> None:
        """Find out which image of the open project a frame was added as, if any, and whether as it stands now."""
        document, (image, name) = self.context.document, frozen.kept
        frozen.image, frozen.added = 0, False
        if document is None or not image:
            return
        try:
            same = Path(document.image(image).path).name == name  # it tells the second; ids are in every project
        except UserError:  # it was removed
            return
        if same:
            frozen.image = image
            self.compare(frozen)

    def compare(self, frozen: Frozen) -> None:
        """Find out whether a frame that was added is in the project still, and as it stands now."""
        try:
            stored = self.context.document.instances(frozen.image)
        except UserError:
            stored = ()
        frozen.image = frozen.image if stored else 0
        frozen.added = bool(stored) and len(stored) == len(frozen.instances) and all(
            np.array_equal(kept.points, now.points) and np.array_equal(kept.visibility, now.visibility)
            for kept, now in zip(stored, frozen.instances, strict=True)
        )  # fmt: skip

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
        """(H, W, 3) uint8 RGB: the frame with what is drawn over it, at its own size, never mirrored.

        Two models' pictures stand beside each other, as (H, 2 W, 3).
        """
        view, result = self.view, self.view.result
        if view.frozen is None:
            return painted(result, view.look, view.font(), view.locale())
        image = to_qimage(result.frame.pixels, QImage.Format.Format_RGB888).copy()
        fit = Fit(image.width(), image.height(), image.width(), image.height())
        painter = QPainter(image)
        try:
            painter.setFont(view.font())
            if view.look.heatmap != "off" or overlay.has_parts(view):
                overlay.paint_heat(painter, view, fit)
            overlay.paint_subjects(painter, view, fit)
        finally:
            painter.end()
        halves = [pixels_of(image)]
        if result.other is not None:
            halves.append(painted(replace(result.swapped, other=None), view.look, view.font(), view.locale()))
        return np.concatenate(halves, 1)
