"""Clicks and seconds a subject: the model's guess corrected, against placing every landmark by hand.

    python benchmarks/labelling.py PACK.npz [--model face68] [--count 100] [--threshold 5] [--json]

The script sends mouse and key events to the real canvas on a real project and counts them; what is stored at the end
is measured against the pack's labels. Time is what a practised person would take, from published models:

- pointing and dragging with a mouse: Fitts' law in Shannon's form, -107 + 223 ID and 135 + 249 ID ms (MacKenzie, Sellen
  and Buxton, CHI 1991), ID = log2(distance / width + 1). Where the aim is a point and no target, the width is 4.133
  standard deviations of where one lands (the effective width of ISO 9241-9);
- a button pressed or released 0.1 s, a key 0.2 s, the decision to accept 1.35 s (B, K, M of the keystroke-level model,
  Card, Moran and Newell 1980); one look 0.23 s, to perceive and decide 0.17 s (the same authors' model human
  processor, 1983);
- to check a subject takes one look for each disc of 2 degrees (79 px at 60 cm and 96 dpi) that its marks fill.

The person lands with a standard deviation of `--precision` per cent of the normaliser (outer eye corners in faces),
at least one pixel of the screen, in each direction, sees errors over `--threshold` per cent of it and corrects them
until none is left; both are assumptions to be varied. A mark is grabbed within its 12 px or half the way to the next
one; a wrong grab costs a second try, after two the row in the table. The picture fills the canvas of a window of
1440 x 900. Boxes are the pack's.

Ways: `scratch`, tool "Place one by one"; `fix`, drags alone; `fix with aids`, which takes a heatmap's further peak by
its number where that is right, and moves a group as a whole where that puts three landmarks or more in place.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication  # noqa: E402

from app.project.document import Document  # noqa: E402
from app.project.edits import AddImages, NewImage  # noqa: E402
from app.services.pictures import make_picture  # noqa: E402
from app.services.stills import Answer, Request, Stills  # noqa: E402
from app.views.label.canvas import Canvas  # noqa: E402
from app.views.label.editing import Editing  # noqa: E402
from app.views.label.guesses import Guesses  # noqa: E402
from benchmarks.person import VIEW, Session, Task  # noqa: E402
from engine.models import open_model  # noqa: E402
from engine.packs import Pack, load_pack  # noqa: E402
from engine.predictor import Predictor  # noqa: E402
from engine.runtime import Runtime, open_runtime  # noqa: E402
from engine.types import Box  # noqa: E402

WAYS = ("scratch", "fix", "fix with aids")


@contextmanager
def desk(folder: Path, runtime: Runtime, sizes: list[tuple[int, int]]) -> Iterator[tuple[Canvas, list[int]]]:
    """A canvas on a new project with pictures of these sizes."""
    document = Document.create(folder / "labelling.hourbit-project", runtime.model.schema, "Labelling")
    added = tuple(NewImage(str(folder / f"{n}.png"), *size) for n, size in enumerate(sizes))
    document.apply(AddImages(added))
    stills, editing = Stills(lambda schema: runtime), Editing()
    canvas = Canvas(editing, Guesses(editing, stills))
    canvas.resize(*VIEW)
    canvas.show()
    editing.open(document)
    document.subscribe(editing.heard)
    by_path = {image.path: image.id for image in document.images()}
    try:
        yield canvas, [by_path[image.path] for image in added]
    finally:
        stills.close()
        canvas.close()
        canvas.deleteLater()
        document.close()
        QApplication.processEvents()


def run(pack: Pack, runtime: Runtime, chosen: list[int], threshold: float, precision: float) -> dict[str, dict]:
    """Label the chosen pictures in every way; figures by way."""
    QApplication.instance() or QApplication([])
    predictor, (a, b) = Predictor(runtime, "whole"), runtime.model.schema.normaliser
    pictures = [pack.image(n) for n in chosen]
    sizes = [(p.shape[1], p.shape[0]) for p in pictures]
    found = {}
    for seed, way in enumerate(WAYS):
        with tempfile.TemporaryDirectory() as folder, desk(Path(folder), runtime, sizes) as (canvas, images):
            session, rows = Session(canvas, way, seed), []
            for n, image, picture in zip(chosen, images, pictures, strict=True):
                truth, counts = pack.points[n].astype(float), (pack.weight[n] > 0) & ~pack.absent[n]
                normaliser = float(np.hypot(*(truth[a] - truth[b])))
                canvas.editing.show(image)
                canvas.set_picture(make_picture(picture))
                if way != "scratch":
                    guess = predictor.predict_box(picture, Box(*map(float, pack.box[n])), heatmaps=True)
                    canvas.guesses.take(Answer(Request(image, Path(), heatmaps=True), (guess,), None))
                task = Task(truth, counts, normaliser, *(v / 100 * normaliser for v in (threshold, precision)))
                rows.append(session.label(task))
            found[way] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return found


def told(found: dict[str, dict], pack: Pack, threshold: float) -> str:
    """A table in Markdown."""
    slow = found["scratch"]["seconds"].mean()
    lines = [
        f"{pack.path.name}, {len(found['scratch']['seconds'])} subjects, errors over {threshold:g} % are corrected", "",
        "| way | clicks | keys | seconds, mean | median | error left | times faster |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for way, figures in found.items():
        mean = {key: float(values.mean()) for key, values in figures.items()}
        lines.append(
            f"| {way} | {mean['clicks']:.1f} | {mean['keys']:.1f} | {mean['seconds']:.1f} | "
            f"{np.median(figures['seconds']):.1f} | {mean['error']:.2f} % | {slow / mean['seconds']:.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--model", default="face68", help="a model that ships, or a .hourbit file")
    parser.add_argument("--count", type=int, default=100, help="subjects, spread evenly over the pack")
    parser.add_argument("--threshold", type=float, default=5.0, help="errors that are seen, %% of the normaliser")
    parser.add_argument("--precision", type=float, default=1.5, help="deviation of the hand, %% of the normaliser")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    pack = load_pack(asked.pack)
    path = Path(asked.model)
    path = path if path.suffix else ROOT / "resources" / "models" / f"{asked.model}.hourbit"
    a, b = (model := open_model(path)).schema.normaliser
    usable = np.flatnonzero((pack.weight[:, [a, b]] > 0).all(1) & ~pack.absent[:, [a, b]].any(1))
    chosen = usable[np.linspace(0, len(usable) - 1, min(asked.count, len(usable))).astype(int)]
    found = run(pack, open_runtime(model), [int(n) for n in chosen], asked.threshold, asked.precision)
    if asked.json:
        print(json.dumps({way: {key: values.tolist() for key, values in f.items()} for way, f in found.items()}))
    else:
        print(told(found, pack, asked.threshold))
    return 0


if __name__ == "__main__":
    sys.exit(main())
