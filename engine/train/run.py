"""One training from its start line to its model file: what the worker runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import Model, read_model
from engine.schema import Schema, load_schema
from engine.train import augment, finish, measure
from engine.train.datasets import Examples, load_examples
from engine.train.fit import Fit
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe, load_recipe, with_settings

LONGEST_LIST = 1000  # images whose errors are reported one by one
CALIBRATION = 32  # crops that batch-norm is fitted to where a model has no latents
Send = Callable[..., None]


class Orders(Protocol):
    """What may be asked for meanwhile: `go` is clear while paused."""

    stopping: bool
    go: Any


@dataclass
class Training:
    """A fit, what it began from, and the best it has been."""

    fit: Fit
    parent: Model | None
    before: np.ndarray | None = None
    best: dict[str, torch.Tensor] | None = None
    best_score: float = float("nan")
    best_step: int = 0
    started: float = field(default_factory=time.monotonic)

    def keep_if_better(self, score: float) -> None:
        """Remember the weights where they measure better than any before."""
        if measure.better(self.fit.schema, score, self.best_score):
            self.best_score, self.best_step = score, self.fit.step
            self.best = {name: value.clone() for name, value in self.fit.network.state_dict().items()}


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError."""
    torch.set_num_threads(1)
    training = _prepare(start)
    fit, schema = training.fit, training.fit.schema
    if training.parent is not None and len(fit.holdout):
        training.before = fit.errors()
        send("metric", step=0, **{measure.metric_name(schema): measure.score(training.before, schema)})
    for record in fit.run():
        if record["type"] == "progress":
            send(**record | _timing(training))
        elif record["type"] == "metric":
            send(**record)
            training.keep_if_better(record.get(measure.metric_name(schema), float("nan")))
        else:
            send(**record | {"sha256": hashlib.sha256(Path(record["path"]).read_bytes()).hexdigest()})
        while not orders.go.wait(0.2):
            continue
        fit.stopping = orders.stopping
    send("done", **_finish(training, start))


def _prepare(start: dict[str, Any]) -> Training:
    parent = _parent(start)
    schema = parent.schema if parent is not None else load_schema(str(start.get("schema")))
    recipe = _recipe(start, parent)
    packs = [Path(p) for p in start.get("snapshot") or []]
    missing = [p for p in packs if not p.is_file()]
    if missing or not packs:
        raise UserError(f"There is no training data at {missing[0] if missing else 'all'}; name a pack or snapshot.")
    training, holdout = load_examples(packs, recipe.human_share, recipe.holdout_every)
    _check(training, holdout, schema)
    seed = int(start.get("seed") or 0)
    torch.manual_seed(seed)
    if parent is not None:
        network = finish.network_from(parent, _calibration(training, recipe, schema, seed))
    else:
        network = Hourglass(Architecture(len(schema), recipe.width, recipe.stem, recipe.side, recipe.pad))
    out = Path(str(start["out"]))
    out.mkdir(parents=True, exist_ok=True)
    fit = Fit(network, training, holdout, recipe, schema, out, seed)
    if start.get("resume"):
        fit.resume()
    return Training(fit, parent)


def _parent(start: dict[str, Any]) -> Model | None:
    return read_model(str(start["from"])) if start.get("from") else None


def _recipe(start: dict[str, Any], parent: Model | None) -> Recipe:
    """The recipe with the start line's settings; what a parent model fixes comes from the model."""
    name = start.get("recipe") or ("finetune" if parent is not None else "ours-face")
    settings = dict(start.get("settings") or {})
    recipe = load_recipe(name)
    if "steps" in settings:
        recipe = with_settings(recipe, {"epochs": 0.0, "minutes": 0.0})
    recipe = with_settings(recipe, settings)
    if parent is not None:
        a = parent.architecture
        fixed = {"width": a.width, "stem": a.stem, "side": a.side, "pad": a.pad, "crop": parent.crop}
        recipe = with_settings(recipe, fixed)
    return recipe


def _check(training: Examples, holdout: Examples, schema: Schema) -> None:
    if not len(training):
        raise UserError("There are no labels to train with; accept more images, of which some are not held out.")
    k = training.points.shape[1]
    if k != len(schema):
        raise UserError(f"The labels have {k} landmarks, {schema.name} has {len(schema)}; choose the matching schema.")


def _calibration(training: Examples, recipe: Recipe, schema: Schema, seed: int) -> torch.Tensor:
    batch = augment.training_batch(
        training, with_settings(recipe, {"batch": CALIBRATION}), schema.permutation, seed, 1 << 30
    )
    return torch.from_numpy(batch.images).permute(0, 3, 1, 2)


def _timing(training: Training) -> dict[str, Any]:
    fit = training.fit
    elapsed, done = time.monotonic() - training.started, fit.done
    passes = len(fit.training) / fit.recipe.batch
    return {
        "epoch": fit.step / max(passes, 1e-9), "steps": None if fit.recipe.minutes else fit.steps,
        "eta": elapsed * (1 - done) / done if done > 0 else None,
    }  # fmt: skip


def _finish(training: Training, start: dict[str, Any]) -> dict[str, Any]:
    """Choose the best weights, write the model, and say how it compares."""
    fit, schema = training.fit, training.fit.schema
    fit.recalibrate()
    after = fit.errors() if len(fit.holdout) else None
    last = measure.score(after, schema) if after is not None else float("nan")
    if training.best is not None and not measure.better(schema, last, training.best_score):
        fit.network.load_state_dict(training.best)
        after = fit.errors()
    else:
        training.best_step = fit.step
    report = _report(training, after)
    name = str(start.get("name") or _name(training.parent, schema))
    path = Path(str(start["out"])) / "model.hourbit"
    model = finish.finish(fit.network, schema, name, _card(training, start, report), path, fit.recipe.crop)
    return {"model": str(path), "sha256": model.sha256, "metrics": report}


def _name(parent: Model | None, schema: Schema) -> str:
    return f"{parent.name}, fine-tuned" if parent is not None else f"{schema.name} trained here"


def _report(training: Training, after: np.ndarray | None) -> dict[str, Any]:
    fit, schema = training.fit, training.fit.schema
    report: dict[str, Any] = {
        "metric": measure.metric_name(schema), "labels": len(fit.training), "held_out": len(fit.holdout),
        "step": fit.step, "best_step": training.best_step, "seconds": fit.seconds,
    }  # fmt: skip
    for name, found in (("before", training.before), ("after", after)):
        report[name] = None if found is None else measure.score(found, schema)
        if found is not None:
            report[f"{name}_groups"] = measure.by_group(found, schema)
            report[f"{name}_images"] = [round(v, 2) for v in measure.by_image(found)[:LONGEST_LIST]]
    return report


def _card(training: Training, start: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    parent, recipe = training.parent, training.fit.recipe
    card: dict[str, Any] = {
        "data": [Path(p).name for p in start["snapshot"]],
        "labels": report["labels"], "held out": report["held_out"],
        "recipe": str(start.get("recipe") or ("finetune" if parent is not None else "ours-face")),
        "steps": training.fit.step, "batch": recipe.batch, "seed": training.fit.seed,
        "date": time.strftime("%Y-%m-%d"),
        "hold-out": {report["metric"]: report["after"]},
    }  # fmt: skip
    if parent is not None:
        card["parent"], card["parent sha256"] = parent.name, parent.sha256
        card["terms"] = parent.card.get("terms", "")
        card["hold-out"][f"{report['metric']} of the parent"] = report["before"]
    return card
