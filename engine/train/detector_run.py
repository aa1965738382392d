"""Training a detector from its start line to its model file: what the worker runs for scene packs."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import torch

from engine.errors import UserError
from engine.squares import CLASSES
from engine.train import finish, precision, report
from engine.train.detector import DetectorFit, new_network
from engine.train.distributed import Group, choose_device
from engine.train.loop import drive
from engine.train.scenes import read_scenes
from engine.train.starting import Asked, Orders, Send
from engine.train.thresholds import choose

CALIBRATION = 40  # batches over which batch-norm's final statistics are means


def run(asked: Asked, send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError."""
    fit = _prepare(asked)
    if told := precision.notice(fit.recipe, fit.group.device):
        send("notice", text=told)
    if asked.resume:
        fit.resume()
    drive(fit, send, orders)
    send("done", **_finish(fit, asked))


def _prepare(asked: Asked) -> DetectorFit:
    """The fit that a start line asks for; raises UserError where it cannot be."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("A detector is trained by one process; start it without torchrun.")
    training, holdout = read_scenes(asked.files, asked.recipe.holdout_every)
    if not any((scene.kind < len(CLASSES)).any() for scene in training.scenes):
        raise UserError("No picture to train with has a labelled face or person; choose another pack.")
    group = Group(device=choose_device(asked.device))
    torch.manual_seed(asked.seed)
    recipe, parent = asked.recipe, asked.parent
    network = new_network(recipe) if parent is None else finish.network_from(parent, recipe.side)
    asked.out.mkdir(parents=True, exist_ok=True)
    return DetectorFit(network, training, holdout, recipe, asked.out, asked.seed, group)


def _finish(fit: DetectorFit, asked: Asked) -> dict[str, Any]:
    """Settle the network's statistics, choose its thresholds on the hold-out and write the model."""
    fit.take_average()
    fit.recalibrate(CALIBRATION)
    least, told = choose(fit.network, fit.holdout, fit.group.device)
    card = report.origin(asked) | {
        "pictures": len(fit.training), "held out": len(fit.holdout), "steps": fit.step,
        "minutes": round(fit.seconds / 60, 1), "thresholds": least, "hold-out": told,
    }  # fmt: skip
    model = finish.finish(fit.network, asked.schema, asked.name, card, asked.model, 1.0)
    metrics = {f"{kind} {key}": value for kind, values in told.items() for key, value in values.items()}
    metrics |= {"steps": fit.step, "pictures": len(fit.training), "held_out": len(fit.holdout)}
    return {"model": str(model.path), "sha256": model.sha256, "metrics": metrics, "recipe": asdict(fit.recipe)}
