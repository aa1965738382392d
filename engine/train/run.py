"""One training from its start line to its model file: what the worker runs."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import Model, read_model
from engine.schema import Schema, load_schema
from engine.train import checkpoint, finish, measure, report
from engine.train.datasets import Examples, load_examples
from engine.train.fit import Fit
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe, load_recipe, with_settings
from engine.train.report import Measured

RECALIBRATION = (256, 32)  # at most so many crops and batches, over which the final batch-norm statistics are means
BEST = "best.safetensors"
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
    before: Measured | None = None
    best: dict[str, torch.Tensor] | None = None
    best_score: float = float("nan")
    best_step: int = 0
    started: float = field(default_factory=time.monotonic)
    rested: float = 0.0
    done_before: float = 0.0

    def measure(self) -> Measured:
        """The network as it is now, on the hold-out."""
        points = self.fit.predict(self.fit.holdout)
        return Measured(points, measure.errors(points, self.fit.holdout, self.fit.schema))

    def keep_if_better(self, score: float) -> None:
        """Remember the weights, here and on the disk, where they measure better than any before."""
        if measure.better(self.fit.schema, score, self.best_score):
            self.best_score, self.best_step = score, self.fit.step
            self.best = self.fit.network.snapshot()
            state = {"score": score, "step": self.fit.step}
            checkpoint.save_best(self.fit.folder / BEST, self.best, state)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one, with the best weights until then."""
        if not self.fit.resume():
            return
        self.done_before = self.fit.done
        path = self.fit.folder / BEST
        if path.is_file():
            self.best, state = checkpoint.load_best(path, self.fit.network)
            self.best_score, self.best_step = float(state["score"]), int(state["step"])

    def timing(self) -> dict[str, Any]:
        """Epochs gone, steps of the whole where they are known, seconds left."""
        fit = self.fit
        spent, gained = time.monotonic() - self.started - self.rested, fit.done - self.done_before
        return {
            "epoch": fit.step * fit.recipe.batch / len(fit.training),
            "epochs": fit.recipe.epochs or None, "steps": None if fit.recipe.minutes else fit.steps,
            "eta": spent * (1 - fit.done) / gained if gained > 0 else None,
        }  # fmt: skip


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError."""
    torch.set_num_threads(int(start.get("threads") or 1))
    training = _prepare(start)
    fit, name = training.fit, measure.metric_name(training.fit.schema)
    if training.parent is not None and len(fit.holdout):
        training.before = training.measure()
        send("metric", step=0, epoch=0.0, **{name: training.before.score(fit.schema)})
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
        else:
            send(**record | {"sha256": _sha256(Path(record["path"]))})
        rest = time.monotonic()
        while not orders.go.wait(0.2):
            continue
        training.rested += time.monotonic() - rest
        fit.stopping = orders.stopping
    if not fit.step:
        raise UserError("The training was stopped before its first step; start it again.")
    send("finishing", step=fit.step)
    send("done", **_finish(training, start, send))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _prepare(start: dict[str, Any]) -> Training:
    parent = _parent(start)
    schema = parent.schema if parent is not None else load_schema(str(start.get("schema")))
    recipe = _recipe(start, parent)
    packs = [Path(str(p)) for p in start.get("snapshot") or start.get("packs") or []]
    missing = [p for p in packs if not p.is_file()]
    if missing or not packs:
        raise UserError(f"There is no training data at {missing[0] if missing else 'all'}; name a pack or snapshot.")
    if not start.get("out"):
        raise UserError("The training was given no folder for its model; name one.")
    examples, holdout = load_examples(packs, recipe.human_share, recipe.holdout_every)
    _check(examples, schema)
    seed = int(start.get("seed") or 0)
    torch.manual_seed(seed)
    if parent is not None:
        network = finish.network_from(parent)
    else:
        network = Hourglass(Architecture(len(schema), recipe.width, recipe.stem, recipe.side, recipe.pad))
    out = Path(str(start["out"]))
    out.mkdir(parents=True, exist_ok=True)
    return Training(Fit(network, examples, holdout, recipe, schema, out, seed), parent)


def _parent(start: dict[str, Any]) -> Model | None:
    if not start.get("from"):
        return None
    try:
        return read_model(str(start["from"]))
    except OSError as error:
        raise UserError(f"The model {start['from']} cannot be read ({error.strerror}); choose another one.") from error


def _recipe(start: dict[str, Any], parent: Model | None) -> Recipe:
    """The recipe with the start line's settings; what a parent model fixes comes from the model."""
    named = start.get("recipe")
    settings = dict(start.get("settings") or {}) | (named if isinstance(named, dict) else {})
    recipe = load_recipe(report.recipe_name(start))
    if "steps" in settings:
        recipe = with_settings(recipe, {"epochs": 0.0, "minutes": 0.0})
    recipe = with_settings(recipe, settings)
    if recipe.batch < 2:
        raise UserError("A batch has at least 2 pictures, since batch-norm compares them; raise batch.")
    if parent is not None:
        a = parent.architecture
        fixed = {"width": a.width, "stem": a.stem, "side": a.side, "pad": a.pad, "crop": parent.crop}
        recipe = with_settings(recipe, fixed)
    return recipe


def _check(training: Examples, schema: Schema) -> None:
    if not len(training):
        raise UserError("There are no labels to train with; accept more images, of which some are not held out.")
    k = training.points.shape[1]
    if k != len(schema):
        raise UserError(f"The labels have {k} landmarks, {schema.name} has {len(schema)}; choose the matching schema.")
    if not (training.weight > 0).any():
        raise UserError("None of the labels has a landmark to train with; label some landmarks first.")


def _finish(training: Training, start: dict[str, Any], send: Send) -> dict[str, Any]:
    """Choose the best weights, write the model, and say how it compares."""
    fit, schema = training.fit, training.fit.schema
    after = _choose(training)
    told = report.compare(schema, training.before, after) | {
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
    fit, schema = training.fit, training.fit.schema
    batches = min(math.ceil(RECALIBRATION[0] / fit.recipe.batch), RECALIBRATION[1])
    raw, score, step = training.best, training.best_score, training.best_step
    fit.recalibrate(batches)
    if not len(fit.holdout):
        training.best_step = fit.step
        return None
    chosen = _offer(training, None, fit.step)
    if raw is not None and step != fit.step:
        fit.network.restore(raw)
        fit.recalibrate(batches)
        chosen = _offer(training, chosen, step)
    if raw is not None and measure.better(schema, score, chosen[1]):
        fit.network.restore(raw)
        chosen = _offer(training, chosen, step)
    found, _, training.best_step, weights = chosen
    fit.network.restore(weights)
    return found


Choice = tuple[Measured, float, int, dict[str, torch.Tensor]]


def _offer(training: Training, other: Choice | None, step: int) -> Choice:
    """The network as it is now, or `other` where that measures at least as well."""
    found = training.measure()
    score = found.score(training.fit.schema)
    if other is not None and not measure.better(training.fit.schema, score, other[1]):
        return other
    return found, score, step, training.fit.network.snapshot()


def _name(parent: Model | None, schema: Schema) -> str:
    return f"{parent.name}, fine-tuned" if parent is not None else f"{schema.name} trained here"
