"""Colour tokens of both schemes, and the colours of landmarks (design.md 2 and 3)."""

from __future__ import annotations

DARK = {
    "canvas": "#0C0D0F", "window": "#131518", "panel": "#1B1E22", "raised": "#262A30", "hover": "#30353C",
    "field": "#101215", "border": "#2F343B", "outline": "#747D89", "text": "#E7E9EC", "muted": "#A1A8B2",
    "accent": "#A79BFF", "onaccent": "#15112E", "sel": "#2E2B4F", "focus": "#A79BFF", "success": "#5FC98F",
    "warning": "#E6B450", "error": "#F57F82", "amber": "#E6B450", "successBg": "#1B3327", "warningBg": "#332A17",
    "errorBg": "#3A2023", "accentHover": "#B5ABFF",
}  # fmt: skip
LIGHT = {
    "canvas": "#D8DBE0", "window": "#E9EBEE", "panel": "#F6F7F9", "raised": "#FFFFFF", "hover": "#ECEEF1",
    "field": "#FFFFFF", "border": "#D2D6DC", "outline": "#757D88", "text": "#1B1E22", "muted": "#59616B",
    "accent": "#5544CC", "onaccent": "#FFFFFF", "sel": "#E4E0FB", "focus": "#5544CC", "success": "#146B3A",
    "warning": "#7E5200", "error": "#B3242E", "amber": "#A87000", "successBg": "#DDF1E5", "warningBg": "#FBF0D6",
    "errorBg": "#FBE4E5", "accentHover": "#4738AE",
}  # fmt: skip

# Where a frame's time goes, from the bottom of the stack up: greys, and the networks' parts in the accent's hue.
PARTS = {
    "capture": "#49515B", "wait": "#5A636E", "detect": "#6B7581", "engine": "#7A70C4", "decode": "#A39BDD",
    "draw": "#C9CED6",
}  # fmt: skip
PARTS_ON_LIGHT = {
    "capture": "#343A42", "wait": "#505862", "detect": "#6C7580", "engine": "#5544CC", "decode": "#8A7EE0",
    "draw": "#868E99",
}  # fmt: skip

SIDES = {"left": "#56B9F2", "right": "#FF9D3C", "centre": "#F4F1E6"}
SIDES_ON_LIGHT = {"left": "#1F7FC0", "right": "#BD6000", "centre": "#6B6B60"}
DOUBT = "#FFD84D"

# Sizes in device-independent pixels at 100 %.
BODY, SMALL, CAPTION, TILE, TITLE, FIGURE = 13, 12, 11, 15, 20, 28
CONTROL, BAR, ACTION_BAR, MENU_BAR, STATUS_BAR, HEADING = 30, 40, 48, 36, 26, 36
