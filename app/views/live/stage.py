"""The region of the picture: the live view, and over it the banner, the empty state and the address field."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.views.banner import Banner
from app.views.live.view import LiveView


class Stage(QWidget):
    """Signals are what its buttons ask for."""

    open_video = Signal()
    look_again = Signal()
    start_camera = Signal()
    covered = Signal(float)  # how much of the picture's top a banner or the address field hides

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = LiveView(self)
        self.empty = Empty(self)
        self.address = AddressBar(self)
        self.banner = Banner(self)
        for over in (self.banner, self.address):
            over.installEventFilter(self)
        self.empty.video.clicked.connect(self.open_video)
        self.empty.other.clicked.connect(self._other)
        self._camera = self._passing = False
        self.set_empty(True, False)

    def set_empty(self, empty: bool, camera: bool) -> None:
        """Show what can be started when nothing runs; `camera` tells whether there is one."""
        self._camera = camera
        self.empty.setVisible(empty)
        self.empty.show_choice(camera)
        self._place()

    def fault(self, sentence: str, button: str = "", remedy: Callable[[], object] | None = None) -> None:
        """Tell what is wrong over the picture, until a person has read it; `remedy` is what the button does."""
        self._passing = False
        self.banner.show_message("error", sentence, button, remedy)

    def silent(self, sentence: str, button: str, remedy: Callable[[], object]) -> None:
        """Tell that the source is silent, until its pictures come again."""
        self.fault(sentence, button, remedy)
        self._passing = True

    def calm(self) -> None:
        """The source is well again: what was told of its silence goes, the rest stays until it is read."""
        if self._passing:
            self.banner.hide()

    def clear(self) -> None:
        """Nothing that was told is true any more, as of another source."""
        self.banner.hide()

    def ask_address(self, given: Callable[[str], None]) -> None:
        """Ask for a stream's address in the place of the work."""
        self.address.ask(given)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What lies over the picture's top has come or gone."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent, QEvent.Type.Resize):
            over = [w.height() for w in (self.banner, self.address) if not w.isHidden()]
            self.covered.emit(float(max(over, default=0)))
        return super().eventFilter(watched, event)

    def _other(self) -> None:
        (self.start_camera if self._camera else self.look_again).emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The view fills the stage; the rest lies over it."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        self.view.setGeometry(self.rect())
        size = self.empty.sizeHint()
        self.empty.setGeometry(
            (self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height()
        )
        self.address.setGeometry(0, 0, self.width(), 48)


class Empty(QWidget):
    """One line of what belongs here, and the buttons that bring it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.text, self.video, self.other = QLabel(), QPushButton(self.tr("Open video")), QPushButton()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.other)
        row.addWidget(self.video)
        row.addStretch(1)
        column.addWidget(self.text)
        column.addLayout(row)

    def show_choice(self, camera: bool) -> None:
        """Words for a machine with or without a camera."""
        if camera:
            self.text.setText(self.tr("Nothing is running."))
            self.other.setText(self.tr("Start camera"))
        else:
            self.text.setText(self.tr("No camera found. Connect one, or open a video."))
            self.other.setText(self.tr("Look again"))
        # One filled button on the screen, and here it is what most likely helps.
        for button, primary in ((self.other, camera), (self.video, not camera)):
            button.setProperty("primary", primary)
            button.style().unpolish(button)
            button.style().polish(button)
        self.adjustSize()


class AddressBar(QWidget):
    """A field for a stream's address; Enter takes it, Escape leaves it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("bar", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._given: Callable[[str], None] | None = None
        self.field, self.start = QLineEdit(), QPushButton(self.tr("Start"))
        self.field.setPlaceholderText("http://camera.local:8080/video")
        self.field.setAccessibleName(self.tr("Address of the stream"))
        label = QLabel(self.tr("Stream"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        for widget in (label, self.field, self.start):
            row.addWidget(widget)
        self.field.returnPressed.connect(self._take)
        self.start.clicked.connect(self._take)
        self.hide()

    def ask(self, given: Callable[[str], None]) -> None:
        """Show the field; `given` gets what was typed."""
        self._given = given
        self.show()
        self.raise_()
        self.field.setFocus()

    def _take(self) -> None:
        text = self.field.text().strip()
        if text and self._given is not None:
            self.hide()
            self._given(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)
