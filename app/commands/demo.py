"""`hourbit demo`: the whole loop on sample pictures, without a window."""

from __future__ import annotations

import json
import os
import shutil
import time
from importlib import util
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.lookup import find_model
from app.commands.output import Json, emit, plain, say
from engine.errors import UserError

SAMPLES, HOLD_OUT_EVERY = 20, 5
RUN, LIBRARY = "demo-run", "demo-library"  # folders that an earlier demo may have left
RECORD = "demo.json"  # what a demo was asked and what it made, once it has come to its end


def register(cli: typer.Typer) -> None:
    cli.command("demo", epilog="Example: hourbit demo --out demo")(demo)


def demo(
    out: Annotated[Path | None, typer.Option(help="Folder for what it makes; else one in the data folder.")] = None,
    model: Annotated[str, typer.Option(help="Face model to begin with.")] = "face68-fast",
    steps: Annotated[int, typer.Option(min=1, help="Steps of fine-tuning.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    once: Annotated[
        bool, typer.Option("--once", help="Where the same was done there before, tell what came of it, at once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Walk through the whole loop on sample pictures.

    Predict, correct, train with the corrections, use the result; no window is needed.
    """
    from app.files import atomic_write, data_folder

    began = time.monotonic()
    folder = (out or data_folder() / "demo").resolve()
    asked = {"model": find_model(model).sha256, "steps": steps, "seed": seed, "trains": trains()}
    value = earlier(folder, asked) if once else None
    last = "Done before; for all of it again: hourbit demo"
    if value is None:
        value = walk(folder, model, steps, seed)
        atomic_write(folder / RECORD, json.dumps({"asked": asked, "made": plain(value)}, indent=1).encode())
        last = f"Done in {time.monotonic() - began:.0f} s"
    after = "not trained: PyTorch is not installed" if value["after"] is None else f"{value['after']:.2f} %"
    emit(value, as_json, [
        f"Mean error on the pictures held out: {value['before']:.2f} % before, {after} after",
        f"Live pipeline on the clip: {value['fps']:.1f} frames a second",
        f"Labels: {value['labels']}",
        f"{len(value['pictures'])} pictures with landmarks are in {folder}",
        last,
    ])  # fmt: skip


def trains() -> bool:
    """Whether PyTorch is there to train with."""
    return util.find_spec("torch") is not None


def earlier(folder: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What a demo that was asked the same made in this folder, where all of it is still there; else None."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        made = record["made"]
        whole = record["asked"] == asked and all(os.path.isfile(path) for path in (*made["pictures"], made["labels"]))
        return made if whole and {"before", "after", "fps"} <= set(made) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepared(folder: Path) -> None:
    """Make the folder, and free it of an earlier demo's project and training; raises UserError."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UserError(f"{folder} is a file; name a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("demo.hourbit-project*"), *folder.glob(RECORD)):
        old.unlink()
    for name in (RUN, LIBRARY):
        shutil.rmtree(folder / name, ignore_errors=True)


def walk(folder: Path, name: str, steps: int, seed: int) -> dict[str, Any]:
    """The loop from end to end; returns the command's JSON."""
    from app.commands.demo_loop import Demo
    from app.commands.export import chosen_states, find_exporter
    from app.library import Library
    from app.project.document import Document
    from engine.runtime import open_runtime
    from engine.samples import sample_people

    model = find_model(name)
    people = sample_people(SAMPLES)
    wanted = len(people[0].landmarks)
    if len(model.schema) != wanted:
        raise UserError(f"The demo needs a model of {wanted} face landmarks; {name} has {len(model.schema)}.")
    prepared(folder)  # not before all is well: it clears an earlier demo away
    held_out = people[::HOLD_OUT_EVERY]
    labelled = [sample for n, sample in enumerate(people) if n % HOLD_OUT_EVERY]
    walked = Demo(folder, model)
    walked.look()
    say("The sample clip goes through the live pipeline")
    fps = walked.clip()
    before = walked.measure(walked.runtime, held_out, "before")
    document = Document.create(folder / "demo.hourbit-project", model.schema, "Demo")
    try:
        moved = walked.label(document, labelled)
        say(f"{moved} landmarks corrected in {len(labelled)} pictures, all accepted")
        labels = folder / "labels.json"
        find_exporter("coco").export(document, labels, chosen_states("accepted"))
        after = None
        if trains():
            say(f"A model learns from them in {steps} steps, a minute or so")
            tuned = walked.fine_tune(document, folder / RUN, {"steps": steps}, seed)
            library = Library(folder / LIBRARY)
            library.adopt(library.import_file(tuned.path, "fine-tuned"))
            used = library.in_use(model.schema.name)
            after = walked.measure(open_runtime(used.model), held_out, "after")
    finally:
        document.close()
    return {"pictures": walked.pictures, "labels": labels, "before": before, "after": after, "fps": fps}
