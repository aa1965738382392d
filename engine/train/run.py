"""One training from its start line to its model file: what the worker runs."""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from engine.modelfile import Model
from engine.schema import Schema
from engine.train import detector_run, distributed, finish, precision, report
from engine.train.prepare import Training, prepare
from engine.train.starting import Orders, Send
from engine.train.tasks import Measured, better

RECALIBRATION = (256, 32)  # at most so many crops and batches, over which the final batch-norm statistics are means


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError.

    Under torchrun every process of the group runs this; only the first one writes, and the others send no more than
    an empty `done`.
    """
    if detector_run.wanted(start):
        detector_run.run(start, send, orders)
        return
    torch.set_num_threads(int(start.get("threads") or 1))
    group = distributed.join(str(start.get("device") or "auto"))
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False  # the exact path, by which networks are measured, is one of float32
    try:
        done = _run(start, send if group.first else silent, orders, group)
    finally:
        distributed.leave()
    send("done", **done)


def silent(type: str, **values: Any) -> None:
    """What a process that is not the first of its group says."""


def _run(start: dict[str, Any], send: Send, orders: Orders, group: distributed.Group) -> dict[str, Any]:
    training = prepare(start, group)
    fit, name = training.fit, training.fit.task.metric
    if told := precision.notice(fit.recipe, group.device):
        send("notice", text=told)
    if training.parent is not None and len(fit.holdout):
        training.before = fit.measured()
        send("metric", step=0, epoch=0.0, **{name: training.before.score})
    if start.get("resume"):
        training.resume()
    training.started = time.monotonic()
    fit.stopping = orders.stopping
    for record in fit.run():
        if record["type"] == "progress":
            send(**record | training.timing())
        elif record["type"] == "metric":
            send(**record, epoch=training.timing()["epoch"])
            training.keep_if_better(record.get(name, float("nan")))
        elif group.first:
            send(**record | {"sha256": _sha256(Path(record["path"]))})
        rest = time.monotonic()
        while not orders.go.wait(0.2):
            continue
        training.rested += time.monotonic() - rest
        fit.stopping = orders.stopping
    if not fit.step:
        raise UserError("The training was stopped before its first step; start it again.")
    send("finishing", step=fit.step)
    return _finish(training, start, send)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(training: Training, start: dict[str, Any], send: Send) -> dict[str, Any]:
    """Choose the best weights, write the model, and say how it compares; only the first process writes."""
    fit, schema = training.fit, training.fit.task.output
    after = _choose(training)
    if not fit.group.first:
        return {}
    told = report.compare(fit.task, training.before, after) | {
        "labels": len(fit.training), "held_out": len(fit.holdout), "step": fit.step,
        "best_step": training.best_step, "seconds": fit.seconds,
        "best_epoch": training.best_step * fit.recipe.batch / len(fit.training),
    }  # fmt: skip
    name = str(start.get("name") or _name(training.parent, schema))
    path = Path(str(start["out"])) / "model.hourbit"
    made = report.card(schema, training.parent, fit.recipe, start, told, fit.seed)
    model = finish.finish(fit.network, schema, name, made, path, fit.recipe.crop)
    if after is not None:
        worst = report.write_worst(fit.folder, fit.holdout, fit.recipe, training.before, after)
        send("sample", path=str(worst))
    return {"model": str(path), "sha256": model.sha256, "metrics": told}


def _choose(training: Training) -> Measured | None:
    """Leave the network with the weights that measure best: the last, or the best until now, recalibrated or not."""
    fit = training.fit
    batches = min(math.ceil(RECALIBRATION[0] / fit.recipe.batch), RECALIBRATION[1])
    raw, score, step = training.best, training.best_score, training.best_step
    if fit.average is not None:
        fit.network.load_state_dict(fit.average.values)
        fit.average = None  # from here on the network itself is what is measured
    fit.recalibrate(batches)
    if not len(fit.holdout):
        training.best_step = fit.step
        return None
    chosen = _offer(training, None, fit.step)
    if raw is not None and step != fit.step:
        fit.network.restore(raw)
        fit.recalibrate(batches)
        chosen = _offer(training, chosen, step)
    if raw is not None and better(fit.task, score, chosen[1]):
        fit.network.restore(raw)
        chosen = _offer(training, chosen, step)
    found, _, training.best_step, weights = chosen
    fit.network.restore(weights)
    return found


Choice = tuple[Measured, float, int, dict[str, torch.Tensor]]


def _offer(training: Training, other: Choice | None, step: int) -> Choice:
    """The network as it is now, or `other` where that measures at least as well."""
    found = training.fit.measured()
    if other is not None and not better(training.fit.task, found.score, other[1]):
        return other
    return found, found.score, step, training.fit.network.snapshot()


def _name(parent: Model | None, schema: Schema) -> str:
    return f"{parent.name}, fine-tuned" if parent is not None else f"{schema.name} trained here"


if __name__ == "__main__":
    from engine.train.command import main

    raise SystemExit(main())
