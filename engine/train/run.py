"""One training from its start line to its model file: what the worker runs."""

from __future__ import annotations

import math
from typing import Any

import torch

from engine.train import detector_run, distributed, finish, precision, report
from engine.train.loop import drive
from engine.train.prepare import Training, prepare
from engine.train.starting import Asked, Orders, Send, read_start
from engine.train.tasks import Measured, better

# Of few pictures, batch-norm's final statistics need no more than so many passes, and no fewer than so many crops.
PASSES, LEAST_CROPS = 4, 32


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError.

    Under torchrun every process of the group runs this; only the first one writes, and the others send no more than
    an empty `done`.
    """
    asked = read_start(start)
    torch.set_num_threads(asked.threads)
    if asked.detector:
        detector_run.run(asked, send, orders)
        return
    group = distributed.join(asked.device)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False  # the exact path, by which networks are measured, is one of float32
    try:
        done = _run(asked, send if group.first else silent, orders, group)
    finally:
        distributed.leave()
    send("done", **done)


def silent(type: str, **values: Any) -> None:
    """What a process that is not the first of its group says."""


def _run(asked: Asked, send: Send, orders: Orders, group: distributed.Group) -> dict[str, Any]:
    training = prepare(asked, group)
    fit, name = training.fit, training.fit.task.metric
    for told in filter(None, (precision.notice(fit.recipe, group.device), *training.notices)):
        send("notice", text=told)
    if asked.parent is not None and len(fit.holdout):
        training.before = fit.measured()
        send("metric", step=0, epoch=0.0, **{name: training.before.score})
    if asked.resume:
        training.resume()
    drive(fit, send, orders, lambda record: training.keep_if_better(record.get(name, float("nan"))))
    return _finish(training, asked, send)


def _finish(training: Training, asked: Asked, send: Send) -> dict[str, Any]:
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
    model = finish.finish(fit.network, schema, asked.name, report.card(asked, told), asked.model, fit.recipe.crop)
    if after is not None:
        worst = report.write_worst(fit.folder, fit.holdout, fit.recipe, training.before, after)
        send("sample", path=str(worst))
    return {"model": str(model.path), "sha256": model.sha256, "metrics": told}


def _choose(training: Training) -> Measured | None:
    """Leave the network with the weights that measure best: the last, or the best until now, recalibrated or not."""
    fit = training.fit
    most_crops, most = fit.recalibration
    crops = min(most_crops, max(LEAST_CROPS, PASSES * len(fit.training)))
    batches = min(math.ceil(crops / fit.recipe.batch), most)
    raw, score, step = training.best, training.best_score, training.best_step
    fit.take_average()
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


if __name__ == "__main__":
    from engine.train.command import main

    raise SystemExit(main())
