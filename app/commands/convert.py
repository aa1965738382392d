"""`hourbit convert` and `hourbit validate`: labels of other tools, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import SHOWN, Json, emit, progress, say, say_problems, several

Source = Annotated[Path, typer.Argument(metavar="IN", help="A label file, a folder of them, or a project.")]
From = Annotated[str | None, typer.Option("--from", metavar="F", help="Its format; else it is recognised.")]
Offset = Annotated[
    float | None, typer.Option(metavar="X", help="Pixels to add to what is read, in place of the format's own.")
]
Pictures = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder in which pictures are looked for.")]


def register(cli: typer.Typer) -> None:
    cli.command("convert", epilog="Example: hourbit convert labels.xml labels.json --to coco")(convert)
    cli.command("validate", epilog="Example: hourbit validate person_keypoints.json --json")(validate)


def load_formats() -> None:
    """Register all formats; a plugin that fails is told."""
    from app.plugins import load_plugins

    for sentence in load_plugins().values():
        say(sentence)


def convert(
    source: Source,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; a new folder for some formats.")],
    to: Annotated[str, typer.Option("--to", metavar="F", help="The format to write: coco, csv, ... or a plugin's.")],
    form: From = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse where anything would be lost.")] = False,
    offset: Offset = None,
    pictures: Pictures = None,
    as_json: Json = False,
) -> None:
    """Labels of one format in another, with a report of what that cannot hold."""
    from app.formats import converting
    from app.formats.registry import ReadOptions, WriteOptions, find

    load_formats()
    with progress("Converting") as show:
        options = ReadOptions(offset, pictures, show)
        done = converting.convert(source, out, find(to), form, strict, options, WriteOptions(progress=show))
    say_problems(done.problems)
    value = {"instances": done.instances, "images": done.images, "lost": list(done.lost)}
    lines = [f"Wrote {several(done.instances, 'instance')} in {several(done.images, 'image')} to {out}"]
    lines += [f"Lost: {lost['what']}, {lost['count']} times: {lost['why']}" for lost in done.lost]
    emit(value, as_json, lines)


def validate(
    source: Source, form: From = None, offset: Offset = None, pictures: Pictures = None, as_json: Json = False
) -> None:
    """Check a label file: what was read, and what was not read as it stands."""
    from app.formats.converting import missing_pictures, read_labels
    from app.formats.registry import ReadOptions

    load_formats()
    with progress("Reading") as show:
        labels, found = read_labels(source, form, ReadOptions(offset, pictures, show))
    problems = [{"where": problem.where, "what": problem.what} for problem in labels.problems]
    value = {
        "ok": labels.problems == missing_pictures(labels), "instances": labels.instances,
        "images": len(labels.pictures), "problems": problems,
    }  # fmt: skip
    lines = [f"{found.title}: {several(labels.instances, 'instance')} in {several(len(labels.pictures), 'image')}"]
    lines += [f"{problem['where']}: {problem['what']}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"{len(problems) - SHOWN} further problems; --json lists them.")
    emit(value, as_json, lines if problems else [*lines, "No problem was found."])
