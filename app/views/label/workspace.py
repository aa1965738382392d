"""The Label workspace: queue, canvas, inspector and the bars, wired to one editing state."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.project.values import State
from app.services.pictures import Picture
from app.views.banner import Banner
from app.views.context import Context
from app.views.keys import Keys
from app.views.label.action_bar import ActionBar
from app.views.label.browsing import Browsing
from app.views.label.canvas import Canvas
from app.views.label.commands import command_table, switched
from app.views.label.editing import Editing
from app.views.label.guesses import Guesses
from app.views.label.inspection import LabelHeatmaps
from app.views.label.inspector import Inspector
from app.views.label.last_picture import LastPicture
from app.views.label.numbers import number
from app.views.label.queue import WIDTH as QUEUE_WIDTH
from app.views.label.queue import Queue
from app.views.label.seeing import Seeing
from app.views.label.tool_bar import ToolBar
from app.views.label.transfer import Transfer
from app.views.label.troubles import Troubles
from app.views.theme import theme
from app.views.widgets import EmptyState, Line, fixed_dock
from app.views.words import mark
from engine.errors import UserError

NARROW_UNDER = 1240  # workspace width under which the queue shows thumbnails alone


class LabelWorkspace(QMainWindow):
    """One of the window's three workspaces."""

    facts_changed = Signal(str)
    wanted = Signal(str)  # an action of the window that a button here asks for

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._on_screen: int | None = None
        self._queue_placed = False  # given its width, which is the user's to change from then on
        self.editing = Editing(self)
        self.guesses = Guesses(self.editing, context.stills, self)
        self.browsing = Browsing(self.editing, self.guesses, context.stills, self)
        self.canvas = Canvas(self.editing, self.guesses)
        self.transfer = Transfer(self.editing, self)
        self.last = LastPicture(self.canvas, self.transfer, context.stills.cache, self.browsing.before)
        self.tools = ToolBar(context.keys, self)
        self.seeing = Seeing(self.canvas, self.tools, self.last, context.settings)
        self.bar = ActionBar(context.keys, self)
        self.queue = Queue(self.browsing.model)
        self.inspector = Inspector(self.editing, context.keys)
        self._lay_out()
        self.troubles = Troubles(self)
        self._connect()
        self._commands = command_table(self)
        self.keys = Keys(context.keys, "label", lambda name: self.trigger(name) or self.wanted.emit(name), self)
        self.keys.watch(self.queue.list, self.inspector.table)
        self.heatmaps = LabelHeatmaps(self)
        self._open_document()

    # ---- building
    def _lay_out(self) -> None:
        self.empty = EmptyState(self.tr("No picture is open"), self.tr("Open folder"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.canvas)
        self.stack.addWidget(self.empty)
        self.banner = Banner(self.stack)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tools)
        column.addWidget(Line())
        column.addWidget(self.stack, 1)
        column.addWidget(Line())
        column.addWidget(self.bar)
        self.setCentralWidget(middle)
        self.queue_dock = fixed_dock(self, mark("Queue"), self.queue, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.inspector_dock = fixed_dock(
            self, mark("Inspector"), self.inspector, Qt.DockWidgetArea.RightDockWidgetArea
        )
        self.resizeDocks([self.queue_dock], [theme().room(QUEUE_WIDTH)], Qt.Orientation.Horizontal)

    def _connect(self) -> None:
        editing, browsing, context = self.editing, self.browsing, self.context
        context.document_changed.connect(self._open_document)
        context.model_changed.connect(self._model_changed)
        theme().changed.connect(self._room_for_words)
        context.pointed.connect(browsing.point_at)
        editing.failed.connect(self._refused)
        editing.changed.connect(self._refresh)
        editing.selected.connect(self._refresh_peaks)
        self.guesses.maps_changed.connect(self._refresh_peaks)
        for teller in (editing, self.guesses, self.transfer, self.canvas.shaping):
            teller.said.connect(self._say)
        self.transfer.pasted.connect(self.guesses.ask)
        browsing.moved.connect(self._moved)
        browsing.model.modelReset.connect(self._moved)
        browsing.model.layoutChanged.connect(self._moved)
        browsing.picture_loaded.connect(self._show_picture)
        context.stills.progress.connect(self.queue.set_progress)
        browsing.likeness.progress.connect(self.queue.set_looking)
        self.queue.compare_wanted.connect(browsing.compare)
        context.stills.unavailable.connect(self._no_model)
        self.queue.chosen.connect(self._chosen)
        self.inspector.draw_wanted.connect(lambda: self.choose_tool("new"))
        self.queue.cancel_wanted.connect(lambda: (context.stills.cancel(), browsing.likeness.cancel()))
        self.queue.add_wanted.connect(lambda: self.wanted.emit("open_folder"))
        self.empty.clicked.connect(lambda: self.wanted.emit("open_folder"))
        self.canvas.stepped.connect(browsing.step)
        self.canvas.spaced.connect(self._spaced)
        self.canvas.hovered.connect(self._hovered)
        self.canvas.tool_changed.connect(self.tools.set_tool)
        self.tools.tool_chosen.connect(self.choose_tool)
        self.tools.triggered.connect(self.trigger)
        self.tools.model_chosen.connect(self._choose_model)
        self.bar.stepped.connect(browsing.step)
        self.bar.peak_taken.connect(self.guesses.take_peak)
        self.bar.rejected.connect(lambda: self.trigger("reject"))
        self.bar.accepted.connect(lambda: self.trigger("accept"))

    # ---- what the window asks
    def activate(self) -> None:
        """The workspace came on screen."""
        self.canvas.setFocus()
        self._refresh()
        QTimer.singleShot(0, self, self._widen_queue)

    def facts(self) -> str:
        """The picture's name and size, for the status bar."""
        image = self.editing.image
        if image is None:
            return ""
        name = image.path.replace("\\", "/").rsplit("/", 1)[-1]
        if image.state is State.BROKEN:
            return name
        size = f"{name}, {image.width} \u00d7 {image.height}"
        frames = self.browsing.picture.frames if self.browsing.picture is not None else 1
        return size if frames == 1 else self.tr("{0}, 1 of {1} frames").format(size, frames)

    def trigger(self, name: str) -> bool:
        """Do an action of the table; False where it is not one of ours."""
        command = self._commands.get(name)
        if command is None:
            return False
        command()
        return True

    def focus_regions(self) -> list[QWidget]:
        """What F6 goes round."""
        return [self.canvas, self.bar.accept, self.tools.tools["select"], self.queue.list, self.inspector.table,
                *self.heatmaps.regions()]  # fmt: skip

    def close_services(self) -> bool:
        """End the threads of this workspace; True when they have ended in time."""
        return self.heatmaps.dock.close_service() & self.browsing.close() & self.seeing.close()

    # ---- what changed
    def _open_document(self) -> None:
        self.banner.dismiss()
        document = self.context.document
        self.seeing.open(document.path if document is not None else None)
        self.browsing.open(document)
        self._show_models()
        self._refresh()

    def _moved(self) -> None:
        current = self.browsing.current
        if current != self._on_screen:
            self._on_screen = current
            self.seeing.show_picture(None)
            self.canvas.await_picture(current is not None)
            self.troubles.clear()
        self.stack.setCurrentIndex(0 if current is not None else 1)
        self.queue.set_current(current)
        self._refresh()

    def _chosen(self, image: int) -> None:
        self.browsing.show(image)
        self.canvas.setFocus()

    def finish(self, command: Callable[[], object]) -> None:
        """Accept or reject, and go on with the canvas in focus."""
        self.canvas.cancel_gesture()
        command()
        self.canvas.setFocus()

    def _refresh(self) -> None:
        document, model, current = self.context.document, self.browsing.model, self.browsing.current
        self.bar.set_place(model.row_of(current), model.rowCount())
        usable = current is not None and self.editing.image.state is not State.BROKEN and not self.editing.unseen
        self.bar.set_usable(usable)
        self.tools.again.setEnabled(usable)
        self.tools.set_history(*((document.undo_title, document.redo_title) if document else (None, None)))
        self._refresh_peaks()
        self.facts_changed.emit(self.facts())

    def _refresh_peaks(self) -> None:
        self.bar.set_peaks(self.guesses.peaks())

    def _hovered(self, place: QPointF | None) -> None:
        if place is None or self.browsing.picture is None:
            self.canvas.value_plate.set_text("")
            return
        value = self.guesses.value_at(place.x(), place.y())
        text = f"x {number(place.x(), 1)}   y {number(place.y(), 1)}"
        self.canvas.value_plate.set_text(text, "" if value is None else number(value, 2))

    def _show_picture(self, picture: Picture) -> None:
        self.seeing.show_picture(picture)
        self.last.refresh()

    def switched(self) -> dict[str, bool]:
        """What is on, for the check marks of the menus."""
        return switched(self)

    def choose_tool(self, tool: str) -> None:
        """Take a tool in hand."""
        self.canvas.set_tool(tool)
        self.canvas.setFocus()

    # ---- the model
    def _model_changed(self) -> None:
        self.context.stills.set_runtime(None)
        self._show_models()
        self.guesses.ask()
        self.browsing.predict_all(again=True)

    def _show_models(self) -> None:
        document, library = self.context.document, self.context.library
        if document is None:
            self.tools.set_models([], "")
            return
        entries = [(e.name, e.title) for e in library.entries(document.schema.name) if not e.problem]
        try:
            used = library.in_use(document.schema.name).name
        except UserError:
            used = ""  # the banner says so when something is to be predicted
        self.tools.set_models(entries, used)

    def _choose_model(self, name: str) -> None:
        document, library = self.context.document, self.context.library
        for entry in library.entries(document.schema.name):
            if entry.name == name:
                library.adopt(entry)
                self.context.model_changed.emit()

    # ---- what went wrong
    def _refused(self, sentence: str) -> None:
        self.banner.show_message("error", sentence, self.tr("Try again"), self.editing.retry)

    def _no_model(self, sentence: str) -> None:
        self.banner.show_message("warning", sentence, self.tr("Open Models"), lambda: self.wanted.emit("models"))

    def _say(self, sentence: str) -> None:
        self.facts_changed.emit(sentence)

    def _spaced(self, shift: bool) -> None:
        """Space alone, which the canvas holds until it knows that nothing was dragged."""
        modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        self.keys.press(Qt.Key.Key_Space, modifier)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that no widget has taken."""
        if not self.keys.act(event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Small windows give the room to the picture."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_UNDER
        self.queue.set_narrow(narrow)
        if narrow:
            self._queue_placed = False
        else:
            QTimer.singleShot(0, self, self._widen_queue)  # the docks' own layout comes first
        self.inspector.fold_for(self.width(), self.height())

    def _room_for_words(self) -> None:
        """The queue is as wide as words of another size need."""
        self._queue_placed = False
        QTimer.singleShot(0, self, self._widen_queue)

    def _widen_queue(self) -> None:
        if self.width() < NARROW_UNDER or self._queue_placed:
            return
        self._queue_placed = True
        self.resizeDocks([self.queue_dock], [theme().room(QUEUE_WIDTH)], Qt.Orientation.Horizontal)
