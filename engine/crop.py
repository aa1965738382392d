"""Box to crop and back: one exact affine, in pixel-centre coordinates.

Crop pixel i of a crop of side S, taken from a square of side h around c, lies at
x = c + ((i + 0.5) / S - 0.5) * h.
"""

from __future__ import annotations

import numpy as np

from engine.opencv import cv2

LONGEST_SIDE = 32_767  # pixels from which OpenCV cannot warp a picture: then it gets the needed part alone


def matrix(cx: float, cy: float, side: float, size: int, angle: float = 0.0, flip: bool = False) -> np.ndarray:
    """Affine from picture pixels to crop pixels, (2, 3) float64.

    The square of `side` picture pixels around (cx, cy), turned by `angle` degrees (clockwise on screen),
    becomes a crop of `size` pixels; `flip` mirrors it left to right.
    """
    scale = size / side
    turn = np.deg2rad(angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * scale
    if flip:
        rotation[0] *= -1
    offset = (size - 1) / 2 - rotation @ (cx, cy)
    return np.concatenate([rotation, offset[:, None]], 1)


def invert(affine: np.ndarray) -> np.ndarray:
    """Exact inverse of a (2, 3) affine, float64."""
    linear = np.linalg.inv(affine[:, :2])
    return np.concatenate([linear, -(linear @ affine[:, 2:])], 1)


def apply(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (..., 2) by a (2, 3) affine; float64."""
    return np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2]


def sample(picture: np.ndarray, affine: np.ndarray, size: int, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Cut a crop out of a picture: (H, W, 3) uint8 to (size, size, 3) uint8.

    Outside the picture the edge pixels repeat. A picture that shrinks more than twofold is area-averaged
    first, so that no detail aliases.
    """
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    factor = int(1 / scale) if scale > 0 else 1
    if factor >= 2 or max(picture.shape[:2]) >= LONGEST_SIDE:
        picture, affine = _shrink(picture, affine, max(factor, 1), size)
    return cv2.warpAffine(picture, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def _shrink(picture: np.ndarray, affine: np.ndarray, factor: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Area-average the part that the crop needs by a whole factor; returns it and the affine from it."""
    height, width = picture.shape[:2]
    corners = apply(invert(affine), np.array([[-1, -1], [size, -1], [-1, size], [size, size]]))
    x0, y0 = np.clip(np.floor(corners.min(0) / factor) * factor, 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(0)) + factor, [x0 + 1, y0 + 1], [width, height]).astype(int)
    part = picture[y0:y1, x0:x1]
    pad_x, pad_y = -part.shape[1] % factor, -part.shape[0] % factor
    if pad_x or pad_y:
        part = cv2.copyMakeBorder(part, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE)
    small = cv2.resize(part, (part.shape[1] // factor, part.shape[0] // factor), interpolation=cv2.INTER_AREA)
    to_part = affine.copy()
    to_part[:, 2] = affine[:, :2] @ ((factor - 1) / 2 + np.array([x0, y0])) + affine[:, 2]
    to_part[:, :2] = affine[:, :2] * factor
    return small, to_part
