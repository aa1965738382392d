"""`hourbit export`: a project's labels in a format that others read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Json, emit, progress, say, several
from engine.errors import UserError

if TYPE_CHECKING:
    from app.formats import Exporter, ExportReport
    from app.project.values import State


def register(cli: typer.Typer) -> None:
    cli.command("export", epilog="Example: hourbit export faces.hourbit-project faces.json --format coco")(export)


def find_exporter(name: str) -> Exporter:
    """The exporter of that name, shipped or from a plugin; raises UserError where there is none."""
    from app import api
    from app.plugins import load_plugins

    for sentence in load_plugins().values():
        say(sentence)
    return api.exporter(name)


def chosen_states(name: str) -> frozenset[State]:
    """States by name; "accepted" are those that a person has confirmed. Raises UserError."""
    from app.project.values import ACCEPTED, State

    named = {state.value: frozenset({state}) for state in State} | {"accepted": ACCEPTED, "all": frozenset(State)}
    if name not in named:
        raise UserError(f"There is no state {name!r}; choose one of: {', '.join(named)}.")
    return named[name]


def report_lines(report: ExportReport, out: Path) -> list[str]:
    """What was written and what the format could not hold, as lines."""
    return [
        f"Wrote {several(report.instances, 'instance')} in {several(report.images, 'image')} to {out}",
        *(f"Lost: {lost['what']}, {lost['count']} times: {lost['why']}" for lost in report.lost),
    ]


def export(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A .hourbit-project file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; a new folder with the options below.")],
    form: Annotated[str, typer.Option("--format", help="Of the labels; see docs/formats.md.")] = "coco",
    state: Annotated[str, typer.Option(help="Which images: accepted, all, or one state by name.")] = "accepted",
    pictures: Annotated[
        str | None, typer.Option(help="A folder with the pictures in it: copy, link, or reference where they are.")
    ] = None,
    parts: Annotated[
        str | None, typer.Option("--split", metavar="SHARES", help="Splits and shares: train=0.8,val=0.2.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other splits.")] = 0,
    group: Annotated[
        str, typer.Option(help="What never straddles splits: picture, folder, or a pattern such as 'subject(\\d+)'.")
    ] = "picture",
    licence: Annotated[str, typer.Option(help="The terms that the data set's README states.")] = "",
    names: Annotated[bool, typer.Option("--with-names", help="Say who labelled what; else no names go out.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write a project's accepted labels: one file, or a folder that is complete."""
    from app.api import Wishes, as_data_set
    from app.formats.complete import packs_pictures
    from app.formats.splits import shares_of
    from app.project.document import to_read

    exporter, states = find_exporter(form), chosen_states(state)
    shares = shares_of(parts) if parts else {}
    packs = packs_pictures(exporter)
    whole = packs or names or bool(pictures or shares or licence)
    if not os.path.isfile(project):
        raise UserError(f"There is no project {project}; check its place.")
    document = to_read(project)
    try:
        if whole:
            how = pictures or ("copy" if packs else "reference")
            with progress("Exporting") as show:
                wishes = Wishes(states, how, shares, seed, group, licence, names, show)
                report = as_data_set(exporter, document, out, wishes)
        else:
            report = exporter.export(document, out, states)
    finally:
        document.close()
    value = {"instances": report.instances, "images": report.images, "lost": list(report.lost)}
    emit(value, as_json, report_lines(report, out))
