"""The look of the application: scheme, colours by token, icons, font, palette and style sheet."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import qtawesome
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from app.views import tokens
from app.views.style import style_sheet, tall
from app.views.weights import WeightStyle

CHOICES = ("system", "dark", "light")
SCALES = (90, 150, 300)  # per cent of text size: least, most on any screen, and most on large ones
FRAME = 56  # pixels of the screen that a dialogue leaves free, for its title too
WIDEST_PANELS = 130  # per cent of a panel's width at most, on a screen of SCREEN pixels; more on wider ones
SCREEN, ROOMY = 1280, 960  # pixels; on a screen as wide as ROOMY, words of 100 % are as large as they should be
GROWS = "grows"  # a widget's property: pixels at 100 % of its icon, height and side, 0 for what is not set


class Theme(QObject):
    """The scheme in force; `changed` tells whoever painted something by hand to do so again."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice = "system"
        self.scale = 100
        self._dark = True
        self._family = ""
        self._style: WeightStyle | None = None
        self._pictures: tempfile.TemporaryDirectory | None = None

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is in force."""
        return self._dark

    @property
    def colours(self) -> dict[str, str]:
        """Token to #RRGGBB."""
        return tokens.DARK if self._dark else tokens.LIGHT

    def color(self, token: str) -> QColor:
        """A token's colour in the scheme in force."""
        return QColor(self.colours[token])

    def size(self, pixels: int) -> int:
        """A text size, scaled as the user wants it."""
        return round(pixels * self.scale / 100)

    def fit(self, dialog: QWidget, width: int, height: int) -> None:
        """Give a dialogue its size, scaled as text is, as far as the screen has room."""
        room = dialog.screen().availableGeometry()
        dialog.resize(min(self.size(width), room.width() - FRAME), min(self.size(height), room.height() - FRAME))

    def tall(self, pixels: int) -> int:
        """A height or an icon's side: it grows with the text, half as fast, as controls do."""
        return tall(self.size, pixels)

    def room(self, pixels: int) -> int:
        """A panel's width for the text size; the picture beside it needs its room too."""
        most = max(WIDEST_PANELS, WIDEST_PANELS * _screen_width() // SCREEN)
        return round(pixels * min(self.scale, most) / 100)

    def largest(self) -> int:
        """The largest text size for which the screen has room, per cent."""
        least, usual, most = SCALES
        return min(max(usual, _screen_width() * 10 // ROOMY * 10), most)

    def apply(self, app: QApplication, choice: str = "system", scale: int = 100) -> None:
        """Dress the application in a scheme: "system", "dark" or "light"."""
        self.choice = choice if choice in CHOICES else "system"
        self.scale = min(max(scale, SCALES[0]), self.largest())
        self._dark = self.choice == "dark" or (self.choice == "system" and not _system_is_light())
        if self._style is None:
            self._style = WeightStyle("Fusion")
            app.setStyle(self._style)
        app.setFont(self._font())
        app.setPalette(_palette(self.colours))
        app.setStyleSheet(style_sheet(self.colours, self.size, self._draw_pictures()))
        for widget in app.allWidgets():
            if widget.property(GROWS) is not None:
                _grow(widget)
        self.changed.emit()

    def follow_system(self, app: QApplication) -> None:
        """Change with the system's scheme while the choice is "system"."""
        QGuiApplication.styleHints().colorSchemeChanged.connect(
            lambda _: self.apply(app, self.choice, self.scale) if self.choice == "system" else None
        )

    def _font(self) -> QFont:
        if not self._family:
            self._family = _load_inter()
        font = QFont(self._family) if self._family else QFont()
        font.setPixelSize(self.size(tokens.BODY))
        font.setFeature(QFont.Tag("tnum"), 1)
        # Hinted, letters move to whole pixels and words fall apart at this size.
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def _draw_pictures(self) -> Path:
        """The tick and arrows that the style sheet needs as files, in this scheme's colours."""
        if self._pictures is None:
            self._pictures = tempfile.TemporaryDirectory(prefix="hourbit-theme-")
        folder = Path(self._pictures.name)
        for name, token, size in (("check", "onaccent", 14), ("chevron-down", "muted", 16), ("chevron-up", "muted", 16),
                                  ("chevron-right", "muted", 16)):  # fmt: skip
            made = qtawesome.icon(f"mdi6.{name}", color=self.colours[token])
            for factor, suffix in ((1, ""), (2, "@2x")):
                path = folder / f"{name}-{'dark' if self._dark else 'light'}{suffix}.png"
                if not os.path.exists(path):
                    made.pixmap(size * factor, size * factor).save(str(path))
        return folder


_THEME: Theme | None = None


def theme() -> Theme:
    """The application's theme."""
    global _THEME
    if _THEME is None:
        _THEME = Theme()
    return _THEME


def apply(app: QApplication, choice: str = "system", scale: int = 100) -> None:
    """Dress the application; see Theme.apply."""
    theme().apply(app, choice, scale)


def grow(widget: QWidget, icon: int = 0, height: int = 0, side: int = 0) -> None:
    """Let a widget's icon, its height, or both its sides grow with the text; pixels at 100 %."""
    widget.setProperty(GROWS, (icon, height, side))
    _grow(widget)


def _grow(widget: QWidget) -> None:
    icon, height, side = (theme().tall(pixels) for pixels in widget.property(GROWS))
    if icon:
        widget.setIconSize(QSize(icon, icon))
    if height:
        widget.setFixedHeight(height)
    if side:
        widget.setFixedSize(side, side)


def icon_picture(name: str, size: int = 18, role: str = "muted") -> QPixmap:
    """An icon for a label; `size` in pixels at 100 % of the text size."""
    side = theme().tall(size)
    return icon(name, size, role).pixmap(side, side)


def icon(name: str, size: int = 18, role: str = "muted") -> QIcon:
    """A Material Design icon in a token's colour; text-coloured when checked. Ask again when the theme changes.

    It is drawn at whatever size it is asked for; `size` says what it is meant for, as in design.md 5.
    """
    colours = theme().colours
    on = colours[role] if role == "onaccent" else colours["text"]
    return qtawesome.icon(
        f"mdi6.{name}", color=colours[role], color_on=on, color_on_active=on, color_active=colours[role],
        color_disabled=colours["outline"],
    )  # fmt: skip


def _screen_width() -> int:
    screen = QGuiApplication.primaryScreen()
    return screen.availableGeometry().width() if screen is not None else SCREEN


def _system_is_light() -> bool:
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light


def _load_inter() -> str:
    """Register the Inter that a dependency carries; its family, or "" where it is not there."""
    import fontpkg_inter

    found = ""
    for path in sorted((Path(fontpkg_inter.__file__).parent / "files").glob("*.ttf")):
        families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))
        found = families[0] if families and not found else found
    return found


def _palette(colours: dict[str, str]) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for name, token in (
        (role.Window, "panel"), (role.Base, "field"), (role.AlternateBase, "panel"), (role.Button, "raised"),
        (role.WindowText, "text"), (role.Text, "text"), (role.ButtonText, "text"), (role.PlaceholderText, "muted"),
        (role.Highlight, "sel"), (role.HighlightedText, "text"), (role.Accent, "accent"), (role.Link, "accent"),
        (role.LinkVisited, "accent"), (role.ToolTipBase, "raised"), (role.ToolTipText, "text"), (role.Mid, "border"),
        (role.Midlight, "hover"), (role.Light, "hover"), (role.Dark, "window"), (role.Shadow, "canvas"),
        (role.BrightText, "error"),
    ):  # fmt: skip
        palette.setColor(name, QColor(colours[token]))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(colours["outline"]))
    return palette
