"""The main window: frame, workspaces, actions, drops. It wires; what things do lives in their rooms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.views.actions import ACTIONS
from app.views.banner import Banner
from app.views.context import Context
from app.views.drops import DropFrame, describe, dropped_paths
from app.views.firststart import FirstStart
from app.views.frame import WORKSPACES, MenuLine, Rail, StatusLine
from app.views.menus import Menus
from app.views.notices import Notices
from app.views.opening import Opening
from app.views.pages import AboutPage, show_keys, show_settings
from app.views.palette import Palette
from app.views.regions import step_region
from app.views.schema import show_schema
from app.views.widgets import Line
from app.views.workspaces import make_workspace
from engine.errors import UserError

LEAST = (1024, 680)
FIRST = (1440, 900)


class MainWindow(QMainWindow):
    """One window; its workspaces are made when they are shown first.

    broken(sentence): something that should not happen did, in whatever thread.
    """

    broken = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.setWindowTitle("Hourbit")
        self.setAcceptDrops(True)
        self.setMinimumSize(*LEAST)
        self.opening = Opening(context, self)
        self.menu_line, self.rail, self.status = MenuLine(context.keys), Rail(context.keys), StatusLine()
        self.stack, self.first = QStackedWidget(), FirstStart(context)
        self.workspaces: dict[str, QMainWindow] = {}
        self._truth = ""
        self.palette_popup = Palette(context.keys, self)
        self._lay_out()
        self.banner, self.drop = Banner(self.stack), DropFrame(self)
        self.notices = Notices(context, self.status, self._undo)
        self.menus = Menus(self.menu_line.menus, self, context.keys, self.opening.recent, self.switched)
        self._connect()
        self._restore()
        self._project_changed()
        if context.document is None:
            self.show_page("")

    # ---- building

    def _lay_out(self) -> None:
        self.setMenuWidget(self.menu_line)
        body = QWidget()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(Line(vertical=True))
        row.addWidget(self.stack, 1)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(self.status)
        self.stack.addWidget(self.first)
        self.setCentralWidget(body)

    def _connect(self) -> None:
        opening, context = self.opening, self.context
        self.rail.chosen.connect(self.trigger)
        self.menu_line.command.clicked.connect(lambda: self.trigger("palette"))
        self.palette_popup.chosen.connect(self.trigger)
        self.first.wanted.connect(self.trigger)
        self.first.opened.connect(opening.project)
        self.first.truth.connect(self._show_truth)
        self.menus.chosen.connect(self.trigger)
        self.menus.exported.connect(opening.exporting.one_file)
        self.menus.reopened.connect(opening.project)
        opening.failed.connect(lambda sentence: self.banner.show_message("error", sentence))
        opening.offered.connect(self.banner.show_message)
        self.broken.connect(lambda sentence: self.banner.show_message("error", sentence))
        opening.begun.connect(self.banner.dismiss)
        opening.said.connect(self.say)
        opening.show.connect(self.show_page)
        opening.video.connect(self._play)
        opening.working.connect(lambda text, done: self.status.set_work("reading", text, done, cancel=opening.cancel))
        context.document_changed.connect(self._project_changed)
        context.training.progress.connect(self._training_progress)
        context.training.state_changed.connect(self._training_state)
        context.training.failed.connect(lambda sentence: self.banner.show_message("warning", sentence))
        if context.keys.problem:
            remedy = partial(show_settings, context, self, keys=True)
            self.banner.show_message("warning", context.keys.problem, self.tr("Change keys\u2026"), remedy)

    # ---- pages

    def workspace(self, name: str) -> QMainWindow:
        """A workspace by name, made when it is asked for first."""
        if name not in self.workspaces:
            made = make_workspace(name, self.context)
            made.facts_changed.connect(lambda text, n=name: self._facts(n, text))
            made.wanted.connect(self.trigger)
            if name == "label":
                made.editing.failed.connect(self.notices.refused)
            elif name == "live":
                made.offered.connect(self.say)
            self.workspaces[name] = made
            self.stack.addWidget(made)
            state = self.context.settings.get(f"docks {name}", "")
            if state:
                made.restoreState(QByteArray.fromBase64(state.encode()))
        return self.workspaces[name]

    @property
    def current(self) -> str:
        """The workspace that shows; "" for the first page."""
        shown = self.stack.currentWidget()
        return next((name for name, made in self.workspaces.items() if made is shown), "")

    def show_page(self, name: str) -> None:
        """Show a workspace, or the first page for ""."""
        if name == "label" and self.context.document is None:
            name = ""
        if name:
            made = self.workspace(name)
            self.stack.setCurrentWidget(made)
            made.activate()
            self._facts(name, made.facts())
        else:
            self.first.set_recent(self.opening.recent())
            self.stack.setCurrentWidget(self.first)
            self.status.facts.set_text("")
            self.first.setFocus()
            QTimer.singleShot(0, self.first.compute)
        self.rail.show_current(name)
        self.menus.show_state(self.context.document, name)
        legend = self.tr("Hollow: model   Dot: edited   Solid: by hand   Diamond: occluded")
        self.status.right.set_text(legend if name == "label" else self._truth if not name else "")

    def switched(self) -> dict[str, bool]:
        """What the check marks of the menus say: the workspace on screen, and what is on in it."""
        shown = self.workspaces[self.current].switched() if self.current in ("label", "live") else {}
        return {**shown, **{name: name == self.current for name in WORKSPACES}, "full_screen": self.isFullScreen()}

    def trigger(self, name: str) -> None:
        """Do an action of the table, wherever it belongs."""
        own = {
            "new_project": self.opening.new_project, "open_project": self.opening.project,
            "open_folder": self.opening.folder, "open_video": self.opening.ask_video, "sample": self.opening.sample,
            "close_project": self.opening.close, "quit": self.close, "agreement": self.opening.agreeing.ask,
            "settings": lambda: show_settings(self.context, self),
            "palette": lambda: self.palette_popup.open_over(self, self.menus.usable),
            "schema": lambda: show_schema(self.context, self),
            "keys": lambda: show_keys(self.context, self),
            "about": lambda: AboutPage(self).exec(), "full_screen": self._full_screen,
            "start_camera": self._start_camera, "import_labels": self.opening.importing.ask,
            "export_set": self.opening.exporting.ask, "locate": self.opening.locate,
            "copy_project": self.opening.recovering.keep_copy, "backups": self.opening.recovering.backups,
        }  # fmt: skip
        if name in WORKSPACES:
            self.show_page(name)
        elif name in own:
            own[name]()
        else:
            scope = next((spec.scope for spec in ACTIONS if spec.name == name), "")
            if scope == "models":
                self.show_page("models")
            if self.current:
                self.workspaces[self.current].trigger(name)

    def say(self, sentence: str, undo: Callable[[], object] | None = None) -> None:
        """A line in the status bar for a while, with a way back where there is one."""
        self.status.say(sentence, undo)

    def _undo(self) -> None:
        """Take the last edit back, where it can be seen if that is on screen."""
        if self.current == "label":
            self.trigger("undo")
            return
        try:
            self.context.document.undo()
        except UserError as error:
            self.banner.show_message("error", str(error))

    def _show_truth(self, truth: str) -> None:
        self._truth = truth
        if not self.current:
            self.status.right.set_text(truth)

    def _facts(self, name: str, text: str) -> None:
        if name == self.current:
            self.status.facts.set_text(text)

    def _play(self, path: Path) -> None:
        self.show_page("live")
        self.workspaces["live"].open_source(path)

    def _start_camera(self) -> None:
        self.show_page("live")
        self.workspaces["live"].start_camera()

    def _full_screen(self) -> None:
        full = not self.isFullScreen()
        for widget in (self.menu_line, self.rail, self.status):
            widget.setVisible(not full)
        self.showFullScreen() if full else self.showNormal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves the full screen; F6 goes round the regions."""
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self._full_screen()
        elif event.key() == Qt.Key.Key_F6 and self.current:
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step_region(self.workspaces[self.current].focus_regions(), self.focusWidget(), -1 if back else 1)
        else:
            super().keyPressEvent(event)

    # ---- project and training

    def _project_changed(self) -> None:
        document = self.context.document
        self.menu_line.name.set_text(document.name if document is not None else "")
        self.setWindowTitle(f"{document.name} - Hourbit" if document is not None else "Hourbit")
        self.menus.show_state(document, self.current)
        if document is None and self.current in ("label", ""):
            self.show_page("")

    def _training_progress(self, record: dict) -> None:
        eta = record.get("eta")
        left = f"{int(eta) // 60}:{int(eta) % 60:02d}" if eta is not None else ""
        self.status.set_work("training", self.tr("Training"), float(record.get("done") or 0), left)

    def _training_state(self, state: str) -> None:
        if state == "finished":
            self.say(self.tr("The new model is ready to compare in Models"))
        if not self.context.training.active:
            self.status.set_work("training", "")
        self.rail.buttons["models"].set_dot(
            "accent" if self.context.training.active else "warning" if state == "finished" else ""
        )

    # ---- drops, closing

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say what a drop would do."""
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.drop.show_words(describe(paths[0], self.context.document is not None))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Nothing was dropped."""
        self.drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped, once the drop is over."""
        self.drop.hide()
        paths = dropped_paths(event)
        event.acceptProposedAction()
        QTimer.singleShot(0, self, lambda: self.opening.dropped(paths))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout, end all services within 3 s, let the project go."""
        settings = self.context.settings
        settings.set("window", bytes(self.saveGeometry().toBase64().data()).decode())
        for name, made in self.workspaces.items():
            settings.set(f"docks {name}", bytes(made.saveState().toBase64().data()).decode())
        self.context.training.close()
        self.context.live.close()
        for made in self.workspaces.values():
            if hasattr(made, "close_services"):
                made.close_services()
        self.context.stills.close()
        self.opening.close_services()
        self.first.close_services()
        self.opening.close()
        super().closeEvent(event)

    def _restore(self) -> None:
        """The window where it was, if that is on a screen; Qt moves it there where it is not."""
        state = self.context.settings.get("window", "")
        if not state or not self.restoreGeometry(QByteArray.fromBase64(state.encode())):
            room = self.screen().availableGeometry()
            self.resize(min(FIRST[0], room.width()), min(FIRST[1], room.height()))
