"""The look: contrast of the tokens, the palette, the font's figures, and what a change of scheme reaches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontInfo, QFontMetricsF, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.views import theme, tokens
from app.views.live.statistics import PARTS

GROUNDS = ("window", "panel", "raised", "field", "sel")
# Lowest contrast on the grounds, as the design promises it: text, muted, accent, success, warning, error, outline.
PROMISED = {
    "dark": (11.0, 5.6, 5.6, 6.5, 7.0, 5.2, 3.2),
    "light": (13.0, 4.9, 5.3, 5.1, 5.3, 5.1, 3.2),
}
INKS = ("text", "muted", "accent", "success", "warning", "error", "outline")
ON_ACCENT = {"dark": 7.6, "light": 6.8}
ON_BANNER = {"dark": {"warning": 7.4, "error": 5.8, "success": 6.6}, "light": {"warning": 6.0, "error": 5.4,
                                                                             "success": 5.6}}  # fmt: skip
SCHEMES = {"dark": tokens.DARK, "light": tokens.LIGHT}


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2)."""
    parts = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def look(qapp) -> Iterator[theme.Theme]:
    """The application's theme, put back to dark at 100 % afterwards."""
    yield theme.theme()
    theme.apply(qapp, "dark")


def test_contrast_is_measured_right():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_ink_keeps_its_promised_contrast_on_every_ground(name):
    colours = SCHEMES[name]
    for ink, promised in zip(INKS, PROMISED[name], strict=True):
        lowest = min(contrast(colours[ink], colours[ground]) for ground in GROUNDS)
        assert round(lowest, 1) >= promised, (ink, lowest)
        assert lowest >= (3.0 if ink == "outline" else 4.5)


@pytest.mark.parametrize("name", SCHEMES)
def test_text_on_filled_buttons_and_banners(name):
    colours = SCHEMES[name]
    assert round(contrast(colours["onaccent"], colours["accent"]), 1) >= ON_ACCENT[name]
    assert contrast(colours["onaccent"], colours["accentHover"]) >= 4.5
    for kind, promised in ON_BANNER[name].items():
        assert round(contrast(colours[kind], colours[f"{kind}Bg"]), 1) >= promised, kind
        assert contrast(colours["text"], colours[f"{kind}Bg"]) >= 11, kind


def test_doubt_bars_are_seen_on_light_chrome():
    assert min(contrast(tokens.LIGHT["amber"], tokens.LIGHT[g]) for g in ("panel", "raised", "field")) >= 3.2


def test_marks_on_chrome_are_seen():
    for side in ("left", "right", "centre"):
        assert contrast(tokens.SIDES[side], tokens.DARK["panel"]) >= 3
        assert contrast(tokens.SIDES_ON_LIGHT[side], tokens.LIGHT["panel"]) >= 3


def test_a_frames_parts_are_seen_on_light_chrome_and_told_from_their_neighbours():
    parts = tokens.PARTS_ON_LIGHT
    assert list(parts) == list(tokens.PARTS) == list(PARTS)
    assert all(contrast(hue, tokens.LIGHT["panel"]) >= 3 for hue in parts.values())
    for below, above in pairwise(parts.values()):
        away = np.subtract(*(np.array([int(hue[n : n + 2], 16) for n in (1, 3, 5)]) for hue in (below, above)))
        assert np.abs(away).max() >= 24


def test_both_schemes_have_the_same_tokens_in_hexadecimal():
    assert tokens.DARK.keys() == tokens.LIGHT.keys()
    for colours in SCHEMES.values():
        assert all(len(value) == 7 and QColor(value).isValid() for value in colours.values())


def test_the_accent_keeps_off_the_pictures():
    on_pictures = {*tokens.SIDES.values(), tokens.DOUBT}
    assert not on_pictures & {tokens.DARK["accent"], tokens.LIGHT["accent"]}


def test_a_change_of_scheme_reaches_palette_colours_and_listeners(qapp, look):
    heard = []
    look.changed.connect(lambda: heard.append(look.color("panel").name().upper()))
    theme.apply(qapp, "light")
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == tokens.LIGHT["panel"]
    assert not look.dark
    theme.apply(qapp, "dark")
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == tokens.DARK["panel"]
    assert heard == [tokens.LIGHT["panel"], tokens.DARK["panel"]]


def test_an_unknown_system_scheme_is_dark(qapp, look):
    theme.apply(qapp, "system")  # without a screen there is no scheme to follow
    assert look.dark


def test_an_unknown_choice_and_a_wild_scale_are_put_right(qapp, look):
    theme.apply(qapp, "purple", 900)
    assert look.choice == "system" and look.scale == look.largest() < 900
    theme.apply(qapp, "dark", 1)
    assert look.scale == theme.SCALES[0]


def test_figures_are_of_one_width_and_the_font_is_inter(qapp, look, qtbot):
    theme.apply(qapp, "dark")
    label = QLabel("1111")
    qtbot.addWidget(label)
    label.ensurePolished()
    assert QFontInfo(label.font()).family().startswith("Inter")
    metrics = QFontMetricsF(label.font())
    assert metrics.horizontalAdvance("1111") == pytest.approx(metrics.horizontalAdvance("0000"))
    assert metrics.horizontalAdvance("iiii") < metrics.horizontalAdvance("0000")  # letters stay proportional


def test_the_size_of_text_follows_the_setting(qapp, look, qtbot):
    label = QLabel("Size")
    qtbot.addWidget(label)
    theme.apply(qapp, "dark", 100)
    label.ensurePolished()
    before = label.fontInfo().pixelSize()
    theme.apply(qapp, "dark", 150)
    label.ensurePolished()
    assert (before, label.fontInfo().pixelSize()) == (13, 20)


def colours_in(icon: QIcon, state: QIcon.State = QIcon.State.Off, mode: QIcon.Mode = QIcon.Mode.Normal) -> str:
    """The colour of an icon's most opaque pixel, #RRGGBB."""
    image = icon.pixmap(QSize(64, 64), mode, state).toImage()
    pixels = [image.pixelColor(x, y) for x in range(64) for y in range(64)]
    return max(pixels, key=QColor.alpha).name().upper()


def test_icons_take_their_colour_from_the_scheme(qapp, look):
    theme.apply(qapp, "dark")
    dark = theme.icon("check-circle", role="success")
    theme.apply(qapp, "light")
    light = theme.icon("check-circle", role="success")
    assert colours_in(dark) == tokens.DARK["success"]
    assert colours_in(light) == tokens.LIGHT["success"]
    assert colours_in(light, QIcon.State.On) == tokens.LIGHT["text"]
    assert colours_in(light, mode=QIcon.Mode.Disabled) == tokens.LIGHT["outline"]


@pytest.mark.parametrize("name", SCHEMES)
def test_the_filled_button_is_filled_with_the_accent(qapp, look, qtbot, name):
    theme.apply(qapp, name)
    button = QPushButton()
    button.setProperty("primary", True)
    button.resize(60, 30)
    qtbot.addWidget(button)
    shown = button.grab().toImage().pixelColor(30, 15).name().upper()
    assert shown == SCHEMES[name]["accent"]
    button.setEnabled(False)
    QApplication.processEvents()
    assert button.grab().toImage().pixelColor(30, 15).name().upper() == SCHEMES[name]["raised"]


def test_icons_and_bars_grow_with_the_text(qapp, look, qtbot):
    button, bar = QPushButton("Go on"), QLabel()
    qtbot.addWidget(button)
    qtbot.addWidget(bar)
    theme.grow(button, icon=18)
    theme.grow(bar, height=40)
    seen = []
    for scale in (100, 150):
        theme.apply(qapp, "dark", scale)
        seen.append((button.iconSize().width(), bar.height(), theme.icon_picture("check", 14).width()))
    assert seen[0] == (18, 40, 14)
    assert seen[1] == (22, 50, 17)


def test_a_small_screen_offers_no_text_that_it_has_no_room_for(qapp, look, monkeypatch):
    found = []
    for width in (800, 1280, 1920, 3840):
        monkeypatch.setattr(theme, "_screen_width", lambda w=width: w)
        theme.apply(qapp, "dark", 900)
        found.append((look.scale, look.room(100)))
    assert found == [(150, 130), (150, 130), (200, 195), (300, 300)]
