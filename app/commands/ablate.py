"""`hourbit ablate`: the rows of the paper's tables, trained small under one budget, beside the paper's figures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.output import Json, emit, plain, say
from engine.errors import UserError

RESULT, ASKED, NEVER = "row.json", "asked.json", 1_000_000_000
OUT, STEPS = Path("ablation"), 600
NOTE = "One training a row: a difference within that of the base row's seeds is chance."


def register(cli: typer.Typer) -> None:
    cli.command("ablate", epilog="Example: hourbit ablate faces.npz --schema ibug68 --rows blocks,loss --steps 600")(
        ablate
    )


def ablate(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Packs, snapshots, data sets, or: samples.")],
    rows: Annotated[str, typer.Option(help="Groups: real,blocks,loss,augmentation,pooling,relu,width,padding.")],
    schema: Annotated[str, typer.Option(help="Landmark schema of the data.")] = "mpii16",
    out: Annotated[Path, typer.Option(metavar="DIR", help="For the trainings; what is done there is kept.")] = OUT,
    steps: Annotated[int | None, typer.Option(min=1, help="Of each row; 600 without --budget.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0.01, metavar="MIN", help="Minutes of the base row, in place of steps.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of the base row, to know what chance does.")] = 2,
    width: Annotated[int, typer.Option(min=32, help="Channels of the base row.")] = 64,
    side: Annotated[int, typer.Option("--input", min=64, help="Pixels.")] = 64,
    batch: Annotated[int, typer.Option(min=2, help="Pictures of a step.")] = 16,
    form: Annotated[str | None, typer.Option("--format", help="Of the data; else by its look.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and data order; the first one.")] = 0,
    as_json: Json = False,
) -> None:
    """Train the rows of Tables 1 to 8 at a small size and print them beside the paper's figures.

    One row after the other, in a process of its own, and all for the same number of steps. The base row is trained
    with several seeds: a difference between rows that is no larger than between these is chance. Scores are on the
    part of DATA that is kept out of training. Interrupted, it goes on where it was: rows that are done are kept.
    """
    from app.commands.train import check_data
    from app.services.launch import need_torch
    from engine import ablation
    from engine.schema import load_schema

    need_torch()
    subject = load_schema(schema)
    check_data(data)
    wanted = ablation.chosen(name.strip() for name in rows.split(",") if name.strip())
    if not wanted:
        raise UserError(f"--rows names no group; choose from {', '.join(ablation.groups())}.")
    for row in ablation.alike(wanted, width, side):
        say(f"{row.name}: left out, since widths are multiples of 32 and this one is the base row's again.")
        wanted.remove(row)
    if steps and budget:
        raise UserError("--steps and --budget both say how long a row trains; give one of them.")
    length = {"minutes": budget} if budget else {"steps": steps or STEPS}
    base = "ours-pose" if subject.subject == "person" else "ours-face"
    told, others = list[dict[str, Any]](), list[float | None]()
    trainings = [(row, seed) for row in wanted] + [(ablation.rows()[0], seed + n) for n in range(1, seeds)]
    for n, (row, own) in enumerate(trainings, 1):
        settings = {"batch": batch, "evaluate_every": NEVER, "exact": False, **length, **row.all_settings(width, side)}
        start = {"data": data, "schema": schema, "recipe": base, "settings": settings, "seed": own, "format": form}
        say(f"Training {n} of {len(trainings)}: {row.name}" + (f", seed {own}" if own != seed else ""))
        done = one(start, out / (row.id if own == seed else f"{row.id}-seed{own}"))
        length = {"steps": done["step"]}  # minutes would give a row fewer steps when the machine is busy
        if own == seed:
            told.append(describe(row, settings, done, len(subject)))
        else:
            others.append(done["after"])
    scores = {row["id"]: row["ours"] for row in told}
    metric = next((row["metric"] for row in told if row["metric"]), "nme")
    every = [scores[ablation.rows()[0].id], *others]
    chance = ablation.spread(every)
    found = ablation.judged(scores, metric == "pck", chance)
    value = {"rows": told, "claims": found, "base_seeds": every, "chance": chance, "note": NOTE}
    emit(value, as_json, lines(told, found, every))


def one(start: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The result of one row: what its folder holds from before, or a training, begun or gone on with."""
    from app.commands.train import follow, start_line
    from app.commands.worker import Worker, WorkerError
    from app.files import atomic_write

    sizes = [[path.name, path.stat().st_size if os.path.isfile(path) else 0] for path in start["data"]]
    asked = plain(start | {"data": sizes})
    result = folder / RESULT
    before = _read(folder / ASKED)
    if before is not None and before != asked:
        raise UserError(f"{folder} holds a training with other settings or data; choose another --out, or remove it.")
    kept = _read(result)
    if before is not None and kept is not None:
        return kept
    first = start_line(start["data"], start["schema"], folder, start["recipe"], None, start["settings"])
    first |= {"seed": start["seed"], "format": start["format"], "resume": True}

    def begun() -> None:  # a training that is refused leaves nothing behind
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(folder / ASKED, json.dumps(asked).encode())

    listener = _Row(begun)
    with Worker(first, folder / "worker.log") as worker:
        try:
            follow(worker, listener, "Training")
        except WorkerError as error:
            say(str(error))
            raise typer.Exit(1) from error
    done = listener.result()
    if done["done"] < 1:
        raise UserError("Stopped, with the rows that are done kept; give the same command again to go on.")
    atomic_write(result, json.dumps(plain(done)).encode())
    return done


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


class _Row:
    """Remembers what a table needs of a training; `begun` is called at its first step."""

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self.step, self.done, self.final = 0, 1.0, dict[str, Any]()

    def hear(self, record: dict[str, Any]) -> None:
        """One record of the worker."""
        if record["type"] == "progress":
            if not self.step:
                self._begun()
            self.step, self.done = record["step"], record["done"]
        elif record["type"] == "done":
            self.final = record.get("metrics") or {}

    def result(self) -> dict[str, Any]:
        """Score in percent (None where nothing was held out), metric, steps, seconds, and the share that was done."""
        known = ("metric", "after", "seconds", "step", "held_out", "labels")
        return {name: self.final.get(name) for name in known} | {"done": self.done}


def describe(row: Any, settings: dict[str, Any], done: dict[str, Any], landmarks: int) -> dict[str, Any]:
    """One row of the table as JSON has it."""
    from engine.graph import Architecture, build, count

    fields = ("width", "stem", "side", "pad", "relu", "block", "real", "pool")
    counts = count(build(Architecture(landmarks, **{n: settings[n] for n in fields if n in settings})))
    paper = row.paper
    return {
        "id": row.id, "groups": row.groups, "name": row.name, "table": paper.table if paper else "-",
        "paper": paper.figure if paper else None, "paper_metric": "pckh@0.5" if paper else None,
        "paper_note": paper.note if paper else "", "ours": done["after"], "metric": done["metric"],
        "parameters": counts.parameters, "binary_weights": counts.binary_weights, "macs_binary": counts.macs_binary,
        "steps": done["step"], "seconds": done["seconds"], "held_out": done["held_out"], "settings": settings,
    }  # fmt: skip


def lines(told: list[dict[str, Any]], claims: list[dict[str, Any]], seeds: list[float | None]) -> list[str]:
    """The tables for people, group by group, then what they say of the paper's conclusions; seeds: the base row's."""
    from engine import ablation

    out: list[str] = []
    for group in ablation.groups():
        part = [row for row in told if group in row["groups"]]
        if len(part) < 2:
            continue
        metric = part[0]["metric"] or "score"
        out += ["", f"{group}:", f"  {'paper':>6} {'ours, ' + metric:>10} {'steps':>7} {'parameters':>11}  row"]
        for row in part:
            paper = "?" if row["paper"] is None else f"{row['paper']:.1f}"
            ours = "-" if row["ours"] is None else f"{row['ours']:.2f}"
            out.append(f"  {paper:>6} {ours:>10} {row['steps']:>7} {row['parameters']:>11,}  {row['name']}")
    out += ["", "? = no figure of the paper that a second source confirms. The paper's are PCKh@0.5 on MPII."]
    chance = ablation.spread(seeds)
    if chance is not None:
        scores = ", ".join(f"{score:.2f}" for score in seeds if score is not None)
        out.append(f"The base row with {len(seeds)} seeds: {scores}; what differs by {chance:.2f} or less is chance.")
    for claim in claims:
        said = "shows here" if claim["holds"] else "does not show here"
        out.append(f"{claim['claim']} It {said} ({claim['by']:+.2f}).")
    return [*out, NOTE]
