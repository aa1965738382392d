"""`hourbit import`: labels of other tools into a project, in one step that never overwrites a hand's labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.convert import From, Offset, Pictures, load_formats
from app.commands.new import schema_of
from app.commands.output import SHOWN, Json, emit, progress, say_problems, several
from engine.errors import UserError

if TYPE_CHECKING:
    from app.project.document import Document
    from app.project.imports import ImportPlan
    from engine.labels import LabelSet

SUFFIX = ".hourbit-project"


def register(cli: typer.Typer) -> None:
    cli.command("import", epilog="Example: hourbit import person_keypoints.json people.hourbit-project")(import_labels)


def import_labels(
    source: Annotated[Path, typer.Argument(metavar="LABELS", help="A label file, or a folder of them.")],
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A .hourbit-project; made where there is none.")],
    form: From = None,
    pictures: Pictures = None,
    names: Annotated[
        str | None, typer.Option("--map", metavar="A=B,...", help="Landmark A of the file is B of the schema; A= is "
                                 "left out.")
    ] = None,
    schema: Annotated[str | None, typer.Option(help="Of a new project, by name or file; else what fits.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file's labels take the place of a hand's that differ.")
    ] = False,
    swap: Annotated[bool, typer.Option("--swap-sides", help="Exchange left and right.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    offset: Offset = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Labels of other tools into a project."""
    from app.formats.converting import read_labels
    from app.formats.registry import ReadOptions
    from app.project.imports import Wishes, apply_import, plan_import

    wishes = Wishes(mapping_of(names), replace, swap)
    _refuse_place(project, source)
    load_formats()
    with progress("Reading") as show:
        labels, found = read_labels(source, form, ReadOptions(offset, pictures, show))
        with _opened(project, labels, schema, dry) as document:
            plan = plan_import(document, labels, wishes, show)
            if not plan.pictures["found"] and not os.path.exists(project):
                raise UserError("No picture of these labels was found, so that no project was made; name their folder "
                                "with --pictures.")  # fmt: skip
            if not dry:
                apply_import(document, plan)
            told = _value(document, plan) | {"format": found.name, "applied": not dry}
    say_problems(plan.problems)
    emit(told, as_json, _lines(told, project, dry))


def mapping_of(text: str | None) -> dict[str, str]:
    """ "a=b,c=" as a dict; raises UserError."""
    made: dict[str, str] = {}
    for part in (text or "").split(","):
        name, sign, wanted = part.partition("=")
        if not part.strip():
            continue
        if not sign or not name.strip():
            raise UserError(f"{part.strip()!r} is no pair of landmarks; write --map \"file's name=schema's name\".")
        if name.strip() in made:
            raise UserError(f"--map names {name.strip()!r} twice; say once what it becomes.")
        made[name.strip()] = wanted.strip()
    return made


def _refuse_place(project: Path, source: Path) -> None:
    if not os.path.exists(project) and not project.name.endswith(SUFFIX):
        raise UserError(f"A project's name ends in {SUFFIX}; call it {project.name}{SUFFIX}.")
    if not os.path.isdir(project.parent):
        raise UserError(f"There is no folder {project.parent}; make it, or choose another place.")
    if os.path.exists(project) and os.path.exists(source) and project.samefile(source):
        raise UserError("These labels are the project itself; choose other labels.")


@contextmanager
def _opened(project: Path, labels: LabelSet, schema: str | None, dry: bool) -> Iterator[Document]:
    """The project, or a new one that comes to its place only when all has gone well."""
    from app.project.document import Document
    from app.project.imports import schema_for
    from app.project.imports.draft import Draft

    if os.path.exists(project):
        if schema is not None:
            raise UserError("The project has its schema already; leave out --schema.")
        document = Document.open(project)
        try:
            yield document
        finally:
            document.close()
        return
    draft = Draft(project, schema_of(schema) if schema else schema_for(labels))
    try:
        yield draft.document
        if not dry:
            draft.keep()
    finally:
        draft.close()


def _value(document: Document, plan: ImportPlan) -> dict[str, Any]:
    schema = document.schema
    return {
        "pictures": dict(plan.pictures), "instances": dict(plan.instances), "landmarks": dict(plan.landmarks),
        "states": {state.value: count for state, count in plan.states.items()}, "schema": schema.name,
        "mapping": [
            {"file": name, "project": schema.landmarks[at] if at >= 0 else None}
            for found in plan.matches for name, at in zip(found.skeleton.landmarks, found.target, strict=True)
        ],
        "sides": {"agree": plan.sides.agree, "contradict": plan.sides.contradict},
        "problems": [{"where": problem.where, "what": problem.what} for problem in plan.problems],
    }  # fmt: skip


def _lines(told: dict[str, Any], project: Path, dry: bool) -> list[str]:
    """What happened, or would; what was kept is said with the way to change that."""
    pictures, instances, landmarks = told["pictures"], told["instances"], told["landmarks"]
    shown = {"new": ("picture added", "pictures added"),
             "known": ("picture that the project had", "pictures that the project had"),
             "missing": ("picture not found", "pictures not found"),
             "refused": ("picture that could not be taken", "pictures that could not be taken")}  # fmt: skip
    added = several(instances["added"], "instance")
    lines = [f"{'Would import' if dry else 'Imported'} {added} into {project}; "
             f"{instances['merged']} merged, {instances['unchanged']} unchanged"]  # fmt: skip
    if not instances["read"]:
        lines.append("These labels hold no landmarks; their pictures alone count")
    lines += [several(pictures[name], *words) for name, words in shown.items() if pictures[name]]
    if instances["duplicates"] or instances["left out"]:
        lines.append(f"{several(instances['duplicates'], 'duplicate')} and "
                     f"{several(instances['left out'], 'further instance')} left out")
    if landmarks["kept"]:
        lines.append(f"Landmarks of a hand that differ and were kept: {landmarks['kept']}; --replace takes the file's")
    if landmarks["replaced"] or landmarks["removed"]:
        lines.append(f"Landmarks of a hand: {landmarks['replaced']} replaced, {landmarks['removed']} removed")
    lines += [f"{several(count, 'image is', 'images are')} now {name}" for name, count in told["states"].items()]
    more = len(told["problems"]) - SHOWN
    return lines if more <= 0 else [*lines, f"{more} further problems; --json lists them"]
