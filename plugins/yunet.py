"""Faces by YuNet, a detector of other makers: its ONNX file, of any version with the outputs of 2023, through OpenCV.

No file ships. OpenCV's own collection of models has one of 0.2 MB, face_detection_yunet_2023mar.onnx.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.api import Box, UserError, cv2, register_detector

OUTPUTS = tuple(f"{name}_{stride}".encode() for name in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32))
LARGEST_FILE = 64 << 20  # bytes
SEARCH_SIDE = 640  # faces are sought in a picture no larger than this, pixels
SURE, SAME = 0.6, 0.3  # least score; overlap from which two boxes are one face
MOST = 500
SIDE = 0.92  # a landmark box's side / the square root of YuNet's box's area
DROP = 0.14  # how far the landmarks' centre lies under the box's, in landmark box sides


class YuNetFiles:
    """Files with YuNet's twelve outputs."""

    name = "yunet"
    title = "YuNet"

    def claims(self, path: Path) -> bool:
        """Whether all of its outputs are named in the file."""
        if path.suffix.lower() != ".onnx" or path.stat().st_size > LARGEST_FILE:
            return False
        data = path.read_bytes()
        return all(output in data for output in OUTPUTS)

    def open(self, path: Path) -> YuNet:
        """The detector; raises UserError where OpenCV cannot read the file."""
        try:
            return YuNet(cv2.FaceDetectorYN.create(str(path), "", (320, 320), SURE, SAME, MOST))
        except cv2.error as error:
            raise UserError(f"OpenCV cannot read {path.name} ({error.err}); get the file again.") from error


class YuNet:
    """Faces of any picture as landmark boxes."""

    name, classes, threshold = "yunet", ("face",), SURE

    def __init__(self, net: Any) -> None:
        self._net = net

    def detect(self, picture: Any) -> list[Box]:
        """Landmark boxes in (H, W, 3) uint8 RGB, largest first; raises UserError where the file does not run."""
        height, width = picture.shape[:2]
        scale = min(1.0, SEARCH_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        try:
            self._net.setInputSize(size)
            found = self._net.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
        except cv2.error as error:
            raise UserError(f"The YuNet file does not run in OpenCV ({error.err}); use another version.") from error
        rows = [] if found is None else found.tolist()
        return sorted((_box(row, width / size[0], height / size[1]) for row in rows if min(row[2:4]) > 0),
                      key=lambda box: -box.side)  # fmt: skip


def _box(row: list[float], wider: float, higher: float) -> Box:
    """The landmark box of YuNet's x, y, width, height, ten places, score."""
    x, y, w, h = row[0] * wider, row[1] * higher, row[2] * wider, row[3] * higher
    side = SIDE * (w * h) ** 0.5
    return Box(x + w / 2 - 0.5, y + h / 2 - 0.5 + DROP * side, side, min(1.0, max(0.0, row[-1])), "face")


def register() -> None:
    """Take YuNet's files wherever a detector is named."""
    register_detector(YuNetFiles())
