"""Freeze, correct, add to the project: what a person does with one frame, and the way back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.files import data_folder
from app.project.document import Change
from app.project.values import Visibility
from app.services.drafts import MOST, Drafts
from app.views.live.frozen import Frozen
from app.views.live.keeping import TITLES, Keeping
from app.views.live.overlay import has_parts
from app.views.words import tr
from engine.errors import UserError

if TYPE_CHECKING:
    from app.views.live.workspace import LiveWorkspace

KEEP_MS = 200  # after the last of quick corrections, as of a drag


class Freezing(QObject):
    """offered(sentence, undo): something was let go that can be had back."""

    offered = Signal(str, object)
    _edited = Signal(object)  # edits may come from any thread

    def __init__(self, workspace: LiveWorkspace, keeping: Keeping) -> None:
        super().__init__(workspace)
        self.workspace, self.live, self.view = workspace, workspace.live, workspace.view
        self.keeping, self.context = keeping, workspace.context
        self.drafts = Drafts(data_folder() / "drafts")
        # Corrected, and let go without being added; the newest last. Older ones are on the disk only.
        self._gone: deque[Frozen] = deque(maxlen=MOST)
        self._refused: Frozen | None = None  # whose draft the disk does not take: told once, until it does
        self._restored = False
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(KEEP_MS)
        self._keep.timeout.connect(self.keep)
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
            self.let_go(on_purpose=True)
        elif self.view.result is not None:
            self.live.freeze()
            self._hold(Frozen(self.view.result, self.keeping.annotator))

    def let_go(self, on_purpose: bool = False) -> None:
        """Go on, where the picture is frozen; corrections that are not in the project can be had back.

        Where it came of something else, such as another source, they are there at the next start too.
        """
        frozen = self.view.frozen
        if frozen is None:
            return
        self.keep()
        gone = frozen.touched and not frozen.added
        if gone:
            self._gone.append(frozen)
        if gone and on_purpose:
            self._forget(frozen)
        self.view.resume()
        self.live.resume()
        self.workspace.show_trouble()
        self.workspace.panel.confidence.show_result(frozen.result, now=True)
        self.workspace.panel.set_frozen("")
        if gone:
            self.offered.emit(tr("The corrections were not added"), self._back)
        self.workspace.refresh_bar()

    def restore(self) -> None:
        """Hold what was corrected and not added before the window closed, or offer it where something runs already.

        To be called whenever the workspace shows; only the first time counts.
        """
        if self._restored:
            return
        self._restored = True
        here = {frozen.moment for frozen in (self.view.frozen, *self._gone) if frozen is not None}
        before = [Frozen.again(draft) for draft in self.drafts.read() if draft.moment not in here]
        for frozen in before:
            self.keeping.find(frozen)
            if frozen.added:  # the program ended before its draft was removed
                self._forget(frozen)
        before = [frozen for frozen in before if not frozen.added]
        # Those of before are older than what was let go since.
        self._gone.extendleft(before[::-1][: MOST - len(self._gone)])
        if not before:
            return
        if self.view.result is None and self.live.source is None:
            self._back()
            self.workspace.sources.show_source()
            self.workspace.say(tr("These corrections were not added yet"))
        else:
            self.offered.emit(tr("These corrections were not added yet"), self._back)

    def keep(self) -> None:
        """Have the corrections on the disk as they stand, or no longer where they are in the project or taken back."""
        self._keep.stop()
        frozen = self.view.frozen
        if frozen is None:
            return
        try:
            if frozen.touched and not frozen.added and frozen.result.schema is not None:
                self.drafts.write(frozen.draft)
            else:
                self.drafts.remove(frozen.draft)
        except UserError as error:
            if frozen is not self._refused:
                self.keeping.failed.emit(str(error))
            self._refused = frozen
        else:
            self._refused = None

    def add(self) -> None:
        """Keep the frozen frame with its landmarks in the project."""
        if self.view.frozen is not None and self.keeping.add(self.view.frozen):
            self.keep()
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
            self.keep()
            self.view.show_result(frozen.result.swapped)
            self._hold(Frozen(self.view.result, self.keeping.annotator))
            if frozen.touched and not frozen.added:
                self._gone.append(frozen)
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
        gone = self._gone.pop() if self._gone else None
        if gone is not None:
            self.let_go()  # of another frame that was frozen since
            self.live.freeze()
            self.view.show_result(gone.result)
            self._hold(gone)

    def _forget(self, frozen: Frozen) -> None:
        try:
            self.drafts.remove(frozen.draft)
        except UserError as error:
            self.keeping.failed.emit(str(error))

    def _hold(self, frozen: Frozen) -> None:
        self.view.hold(frozen)
        self.workspace.show_trouble()
        self._corrected()

    def _corrected(self) -> None:
        if self.view.frozen is not None:
            self.workspace.list_landmarks()
            self._keep.start()
        self.workspace.refresh_bar()

    def _listen(self) -> None:
        self._leave()
        document = self.context.document
        self._leave = document.subscribe(self._edited.emit) if document is not None else lambda: None

    def _follow(self) -> None:
        """What was added is in the project before; in this one only where it was added to it."""
        self._listen()
        for frozen in (self.view.frozen, *self._gone):
            if frozen is not None:
                self.keeping.find(frozen)
        self.workspace.refresh_bar()

    def _look_again(self, change: Change) -> None:
        """Undo may have taken the frame out of the project, or its corrections back."""
        frozen = self.view.frozen
        if frozen is not None and frozen.image and change.kind in ("undo", "redo"):
            self.keeping.compare(frozen)
            self._keep.start()
            self.workspace.refresh_bar()
