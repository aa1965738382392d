"""B18: with 256 files open at most, thousands of pictures are read, shown and exported, and none is left open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.images import encode_png
from tests.engine.picturefile import blocks

ROOT = Path(__file__).parents[2]
CHILD = """
import os, resource, sys
from functools import partial
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication
from app.project.edits import Accept, Batch
from app.project.snapshot import snapshot
from app.services.pictures import PictureCache, Pictures
from app.services.projects import open_folder
from tests.app.projects import instance
from app.project.edits import PutInstance

app = QCoreApplication([])
document = open_folder(Path(sys.argv[1]), "mpii16")
images = document.images()
pictures, seen = Pictures(PictureCache(limit=1 << 20), 48), []
pictures.thumbnailed.connect(lambda image, pixels: seen.append(image))
for start in range(0, len(images), 100):
    part = images[start:start + 100]
    for image in part:
        pictures.want_thumbnail(image.id, partial(document.picture_path, image))
    while len(seen) < start + len(part):
        app.processEvents()
document.apply(Batch(tuple(PutInstance(instance(i.id)) for i in images[:300]), "Label"))
document.apply(Batch(tuple(Accept(i.id) for i in images[:300]), "Accept"))
made = snapshot(document, Path(sys.argv[1]) / "set.npz")
assert pictures.close()
document.close()
print(len(seen), made.count, len(os.listdir("/proc/self/fd")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts handles in /proc")
def test_two_thousand_pictures_with_256_handles(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    data = [encode_png(blocks(120, 160, seed)) for seed in range(20)]
    for n in range(2000):
        (folder / f"picture {n}.png").write_bytes(data[n % 20])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen, labelled, handles = map(int, done.stdout.split())
    assert (seen, labelled) == (2000, 300) and handles < 40
