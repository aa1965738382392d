"""`hourbit predict`: landmarks of pictures, folders and videos, as labels, overlays and heatmaps."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.lookup import find_model
from app.commands.output import Json, emit, say, several, track
from engine.errors import UserError

if TYPE_CHECKING:
    from app.commands.collect import Collection
    from app.commands.inputs import Inputs, Item
    from engine.predictor import Predictor
    from engine.runtime import Runtime
    from engine.schema import Schema
    from engine.types import Prediction



FILE = "file"  # the boxes of the pack that is read


def register(cli: typer.Typer) -> None:
    cli.command("predict", epilog="Example: hourbit predict photos --model face68 --overlay drawn --out faces.json")(
        predict
    )


@dataclass
class Outputs:
    """Where results go; None = not wanted. refused: why no more is drawn, while labels are still gathered."""

    overlay: Path | None
    heatmaps: Path | None
    labels: Collection | None
    refused: UserError | None = None

    def write(self, item: Item, predictions: list[Prediction], schema: Schema) -> None:
        """Write what is wanted of one picture, each file whole or not at all.

        Raises UserError where that cannot be; where labels are wanted too, these are not lost for a picture.
        """
        if self.labels is not None:
            self.labels.add(item, predictions)
        if self.refused is not None:
            return
        try:
            self._draw(item, predictions, schema)
        except UserError as error:
            if self.labels is None:
                raise
            self.refused = error
            say(f"{error} No more is drawn; the labels are gathered all the same.")

    def _draw(self, item: Item, predictions: list[Prediction], schema: Schema) -> None:
        from app.files import atomic_write
        from app.overlay import draw
        from engine.images import encode_jpeg

        if self.overlay is not None:
            atomic_write(self.overlay / f"{item.name}.jpg", encode_jpeg(draw(item.pixels, predictions, schema)))
        if self.heatmaps is not None:
            self._write_heatmaps(item, predictions, schema)

    def _write_heatmaps(self, item: Item, predictions: list[Prediction], schema: Schema) -> None:
        """NPZ: logits (N, K, h, w) float32 and affine (N, 2, 3) from picture to crop pixels; PNG: all maps in one."""
        import io

        import numpy as np

        from app.files import atomic_write
        from app.overlay import blend_heatmaps
        from engine.images import encode_png

        maps = [p.heatmaps for p in predictions if p.heatmaps is not None]
        buffer = io.BytesIO()
        np.savez(
            buffer,
            logits=np.stack([m.logits for m in maps]) if maps else np.zeros((0, 0, 0, 0), np.float32),
            affine=np.stack([m.affine for m in maps]) if maps else np.zeros((0, 2, 3)),
        )
        atomic_write(self.heatmaps / f"{item.name}.npz", buffer.getvalue())
        atomic_write(self.heatmaps / f"{item.name}.png", encode_png(blend_heatmaps(item.pixels, maps, schema)))


def parse_shard(text: str) -> tuple[int, int]:
    """I/N as two numbers, 1 <= I <= N; raises UserError."""
    first, _, last = text.partition("/")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise UserError(f"--shard wants I/N with I from 1 to N, such as 1/4, not {text!r}.")
    return int(first), int(last)


def check_outputs(inputs: Inputs, out: Path | None, *folders: Path | None) -> None:
    """Raise UserError where results could not be written, or could replace the pictures: before the work, not after."""
    from app.files import check_place, refuse_inputs

    if out is not None:
        check_place(out)
        refuse_inputs(out, inputs.files)
    homes = {file.resolve().parent for file in inputs.files}
    for folder in folders:
        if folder is not None and folder.resolve() in homes:
            raise UserError(f"The pictures are in {folder} themselves; choose another folder for what is drawn.")


def open_predictor(runtime: Runtime, detector: str | None, flip: bool) -> Predictor:
    """A predictor with the detector asked for, else the one for the model's subject."""
    from app.plugins import load_plugins
    from engine.detect import DETECTORS, default_detector, make_detector
    from engine.predictor import Predictor

    name = detector or default_detector(runtime.model.schema)
    if name != FILE and name not in DETECTORS:
        if not os.path.isfile(name):
            known = ", ".join((*DETECTORS, FILE))
            raise UserError(f"There is no detector {name!r}; choose one of: {known}, or name a detector's file.")
        load_plugins()
    return Predictor(runtime, make_detector("whole" if name == FILE else name, runtime), flip)


def predict(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Pictures, folders, videos, packs.")],
    model: Annotated[str, typer.Option(help="A model's name, or a .hourbit file.")] = "face68",
    detector: Annotated[
        str | None,
        typer.Option(help="detect, closer, face, person, whole, a detector's file, or file: a pack's boxes."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="Of the labels; see docs/formats.md.")] = "coco",
    out: Annotated[Path | None, typer.Option(help="File to write the labels to.")] = None,
    overlay: Annotated[Path | None, typer.Option(help="Folder for pictures with landmarks or parts drawn in.")] = None,
    heatmaps: Annotated[Path | None, typer.Option(help="Folder for heatmaps: .npz and a .png to look at.")] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored picture: slower, better.")] = False,
    shard: Annotated[str, typer.Option(help="I/N: only every N-th picture, from the I-th on.")] = "1/1",
    as_json: Json = False,
) -> None:
    """Find landmarks in pictures, folders and videos."""
    from app.commands.collect import Collection
    from app.commands.export import find_exporter, report_lines
    from app.commands.inputs import Inputs
    from engine.architecture import SEGMENTATION
    from engine.runtime import open_runtime

    first, last = parse_shard(shard)
    read, exporter = find_model(model), find_exporter(form)
    if read.head == SEGMENTATION and out is not None:
        raise UserError(f"{read.name} finds parts and no landmarks; use --overlay or --heatmaps in place of --out.")
    inputs = Inputs(sources, first, last)
    check_outputs(inputs, out, overlay, heatmaps)
    runtime = open_runtime(read)
    if runtime.notice:
        say(runtime.notice)
    predictor = open_predictor(runtime, detector, flip)
    for folder in (overlay, heatmaps):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    with Collection(runtime.model.schema) as labels:
        outputs = Outputs(overlay, heatmaps, labels if out else None)
        value = run(inputs, predictor, outputs, runtime.model.schema, detector == FILE)
        counts = f"{several(value['images'], 'image')}, {several(value['instances'], 'instance')}"
        lines = [f"{counts}, {value['images_per_second']:.1f} images/s"]
        if out:
            lines += report_lines(labels.export(exporter, out), out)
    lines += [f"See {folder.resolve()}" for folder in (overlay, heatmaps) if folder]
    emit(value, as_json, lines)
    if outputs.refused is not None:
        raise typer.Exit(2)
    if inputs.unreadable:
        say(f"{several(inputs.unreadable, 'image')} could not be read.")
        raise typer.Exit(1)


def run(inputs: Inputs, predictor: Predictor, outputs: Outputs, schema: Schema, from_file: bool) -> dict[str, float]:
    """Predict every picture; returns the command's JSON."""
    images = instances = 0
    begin = time.perf_counter()
    for item in track(inputs, "Predicting", inputs.total):
        wanted = outputs.heatmaps is not None
        if from_file and item.box is None:
            raise UserError("--detector file takes its boxes from a pack (.npz); choose detect, face, person or whole.")
        if from_file:
            predictions = [predictor.predict_box(item.pixels, item.box, heatmaps=wanted)]
        else:
            predictions = predictor.predict(item.pixels, heatmaps=wanted)
        outputs.write(item, predictions, schema)
        images, instances = images + 1, instances + len(predictions)
    seconds = time.perf_counter() - begin
    return {"images": images, "instances": instances, "seconds": seconds,
            "images_per_second": images / seconds if seconds else 0.0}  # fmt: skip
