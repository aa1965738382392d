"""The only place that imports OpenCV.

opencv-python bundles Qt 5 and points two environment variables at it while it is imported; child
processes and our own Qt 6 must not see them.
"""

import os

_BEFORE = {name: os.environ.get(name) for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")}

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong with a video is our sentence to say
import cv2  # noqa: E402

for _name, _value in _BEFORE.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

cv2.utils.logging.setLogLevel(0)  # what fails is told by return values; damaged files need no lines on stderr besides

__all__ = ["cv2"]
