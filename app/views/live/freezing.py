"""Freeze, correct, add to the project: what a person does with one frame, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.project.document import Change
from app.project.values import Visibility
from app.views.live.frozen import Frozen
from app.views.live.keeping import TITLES, Keeping
from app.views.live.overlay import has_parts
from app.views.words import tr
from engine.errors import UserError

if TYPE_CHECKING:
    from app.views.live.workspace import LiveWorkspace


class Freezing(QObject):
    """offered(sentence, undo): something was let go that can be had back."""

    offered = Signal(str, object)
    _edited = Signal(object)  # edits may come from any thread

    def __init__(self, workspace: LiveWorkspace, keeping: Keeping) -> None:
        super().__init__(workspace)
        self.workspace, self.live, self.view = workspace, workspace.live, workspace.view
        self.keeping, self.context = keeping, workspace.context
        self._gone: Frozen | None = None  # corrected, and let go without being added
        self._leave: Callable[[], object] = lambda: None
        self._edited.connect(self._look_again)
        self.context.document_changed.connect(self._follow)
        self.view.corrected.connect(self._corrected)
        self._listen()

    def commands(self) -> dict[str, Callable[[], object]]:
        """Actions of the table."""
        hand, zoom = self.view.correcting, self.view.zooming
        return {
            "freeze": self.toggle, "add_to_project": self.add, "undo": self.undo, "redo": hand.redo,
            "next_landmark": lambda: hand.step(1), "previous_landmark": lambda: hand.step(-1),
            "occluded": lambda: hand.toggle_visibility(Visibility.OCCLUDED),
            "absent": lambda: hand.toggle_visibility(Visibility.ABSENT),
            **{f"peak_{n}": lambda n=n: hand.take_peak(n) for n in (1, 2, 3)},
            "fit": zoom.reset, "actual_size": zoom.actual, "zoom_in": lambda: zoom.by(1.25),
            "zoom_out": lambda: zoom.by(0.8),
        }  # fmt: skip

    def toggle(self) -> None:
        """Freeze the picture, or let it go on."""
        if self.view.frozen is not None:
            self.let_go()
        elif self.view.result is not None:
            self.live.freeze()
            self._hold(Frozen(self.view.result, self.keeping.annotator))

    def let_go(self) -> None:
        """Go on, where the picture is frozen; corrections that are not in the project can be had back."""
        frozen = self.view.frozen
        if frozen is None:
            return
        self._gone = frozen if frozen.touched and not frozen.added else None
        self.view.resume()
        self.live.resume()
        self.workspace.show_trouble()
        self.workspace.panel.confidence.show_result(frozen.result, now=True)
        self.workspace.panel.set_frozen("")
        if self._gone is not None:
            self.offered.emit(tr("The corrections were not added"), self._back)
        self.workspace.refresh_bar()

    def add(self) -> None:
        """Keep the frozen frame with its landmarks in the project."""
        if self.view.frozen is not None and self.keeping.add(self.view.frozen):
            self.workspace.refresh_bar()

    def undo(self) -> None:
        """Take back the adding, else the last correction; where the picture goes on, that it was let go."""
        frozen, document = self.view.frozen, self.context.document
        if frozen is None:
            self._back()
        elif frozen.added and document is not None and document.undo_title in TITLES:
            try:
                document.undo()
            except UserError as error:
                self.keeping.failed.emit(str(error))
        else:
            self.view.correcting.undo()

    def swap(self) -> None:
        """The second model becomes the first, whose landmarks are corrected and whose rows a recording begins with."""
        frozen = self.view.frozen
        if self.workspace.models.swap() and frozen is not None and frozen.result.other is not None:
            self.view.show_result(frozen.result.swapped)
            self._hold(Frozen(self.view.result, self.keeping.annotator))
            if frozen.touched and not frozen.added:
                self._gone = frozen
                self.offered.emit(tr("The corrections were not added"), self._back)

    @property
    def obstacle(self) -> str:
        """Why the frozen frame cannot be added; "" where it can."""
        frozen = self.view.frozen
        if frozen is None:
            return tr("Freeze a picture first")
        if not frozen.instances:
            return tr("Nothing was found in this picture")
        if has_parts(self.view):
            return tr("Parts cannot be corrected")
        return tr("In the project") if frozen.added else ""

    # ---- inside

    def _back(self) -> None:
        """Hold the frame again whose corrections were let go."""
        gone, self._gone = self._gone, None
        if gone is not None:
            self.live.freeze()
            self.view.show_result(gone.result)
            self._hold(gone)

    def _hold(self, frozen: Frozen) -> None:
        self._gone = None
        self.view.hold(frozen)
        self.workspace.show_trouble()
        self._corrected()

    def _corrected(self) -> None:
        if self.view.frozen is not None:
            self.workspace.list_landmarks()
        self.workspace.refresh_bar()

    def _listen(self) -> None:
        self._leave()
        document = self.context.document
        self._leave = document.subscribe(self._edited.emit) if document is not None else lambda: None

    def _follow(self) -> None:
        """What was added is in the project before, not in this one."""
        self._listen()
        for frozen in (self.view.frozen, self._gone):
            if frozen is not None:
                frozen.image, frozen.added = 0, False
        self.workspace.refresh_bar()

    def _look_again(self, change: Change) -> None:
        """Undo may have taken the frame out of the project, or its corrections back."""
        frozen = self.view.frozen
        if frozen is not None and frozen.image and change.kind in ("undo", "redo"):
            self.keeping.compare(frozen)
            self.workspace.refresh_bar()
