"""How a picture looks on screen: brightness, contrast and gamma, for the eye only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.opencv import cv2


@dataclass(frozen=True)
class Look:
    """brightness and contrast from -100 to 100, gamma from 0.2 to 5; the defaults leave a picture as it is."""

    brightness: int = 0
    contrast: int = 0
    gamma: float = 1.0

    def table(self) -> np.ndarray | None:
        """(256,) uint8: what each value becomes; None where all stay.

        Gamma first, then contrast around the middle (100 makes two colours, -100 one grey), then brightness.
        """
        if self == Look():
            return None
        values = np.linspace(0.0, 1.0, 256) ** (1.0 / self.gamma)
        slope = np.tan((self.contrast / 100 + 1) * np.pi / 4) if self.contrast < 100 else 1e6
        values = (values - 0.5) * slope + 0.5 + self.brightness / 100
        return (np.clip(values, 0.0, 1.0) * 255).round().astype(np.uint8)


def change(pixels: np.ndarray, table: np.ndarray) -> None:
    """Replace every value of pixels (H, W) uint8, rows of any channels, by the table's, in place."""
    cv2.LUT(pixels, table, dst=pixels)
