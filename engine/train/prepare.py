"""From a start line to a training that is ready to run: its data, network, recipe and place among others."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from engine.labelled import is_samples
from engine.modelfile import Model
from engine.parts import label_schema
from engine.schema import Schema, load_schema
from engine.train import checkpoint, distil, finish, optim, report
from engine.train.datasets import Examples, load_examples
from engine.train.distributed import Group
from engine.train.fit import Fit
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe, load_recipe, of_model, with_settings
from engine.train.starting import parent_of
from engine.train.tasks import Measured, better, task_of

BEST = "best.safetensors"
MOST_WORKERS = 8


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

    def keep_if_better(self, score: float) -> None:
        """Remember the weights, here and on the disk, where they measure better than any before."""
        if better(self.fit.task, score, self.best_score):
            self.best_score, self.best_step = score, self.fit.step
            with self.fit.averaged():
                self.best = self.fit.network.snapshot()
            if self.fit.group.first:
                checkpoint.save_best(self.fit.folder / BEST, self.best, {"score": score, "step": self.fit.step})

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


def prepare(start: dict[str, Any], group: Group) -> Training:
    """The training that a start line asks for; raises UserError where it cannot be."""
    parent = parent_of(start)
    schema = label_schema(parent) if parent is not None else load_schema(str(start.get("schema")))
    if not start.get("out"):
        raise UserError("The training was given no folder for its model; name one.")
    out = Path(str(start["out"]))
    recipe, seed = _recipe(start, parent, out)
    packs = [Path(str(p)) for p in start.get("snapshot") or start.get("packs") or []]
    missing = [p for p in packs if not p.exists() and not is_samples(p)]
    if missing or not packs:
        raise UserError(f"There is no training data at {missing[0] if missing else 'all'}; name a pack or snapshot.")
    examples, holdout = load_examples(
        packs, recipe.human_share, recipe.holdout_every, recipe.limit, schema, start.get("format")
    )
    _check(examples, schema)
    task = task_of(recipe, schema)
    torch.manual_seed(seed)
    if parent is not None:
        network = finish.network_from(parent)
    else:
        network = Hourglass(recipe.architecture(len(task.output)))
        optim.initialise(network, recipe)
    teacher = None
    if recipe.teacher:
        teacher = distil.load_teacher(recipe.teacher, recipe.teacher_share, task, group.device)
    out.mkdir(parents=True, exist_ok=True)
    workers = _workers(start, group)
    return Training(Fit(network, examples, holdout, recipe, schema, out, seed, group, workers, teacher), parent)


def _workers(start: dict[str, Any], group: Group) -> int:
    """Threads that make batches: as asked for, else several where a GPU waits for them."""
    asked = start.get("workers")
    if isinstance(asked, int) and asked >= 0:
        return asked
    return min(MOST_WORKERS, os.cpu_count() or 1) if group.device.type == "cuda" else 0


def _recipe(start: dict[str, Any], parent: Model | None, out: Path) -> tuple[Recipe, int]:
    """The recipe with the start line's settings, and the seed; what a parent model settles comes from the model.

    A run that goes on keeps its seed, and its recipe too where the start line names none.
    """
    named, seed = start.get("recipe"), int(start.get("seed") or 0)
    settings = dict(start.get("settings") or {}) | (named if isinstance(named, dict) else {})
    before = checkpoint.read_state(out / checkpoint.LATEST) if start.get("resume") else {}
    if before.get("recipe") and not named and not settings:
        recipe = with_settings(Recipe(), before["recipe"])
    else:
        recipe = load_recipe(report.recipe_name(start))
        if "steps" in settings:
            recipe = with_settings(recipe, {"epochs": 0.0, "minutes": 0.0})
        elif "epochs" in settings:
            recipe = with_settings(recipe, {"minutes": 0.0})
        recipe = with_settings(recipe, settings)
    return (recipe if parent is None else of_model(recipe, parent)), int(before.get("seed", seed))


def _check(training: Examples, schema: Schema) -> None:
    if not len(training):
        raise UserError("There are no labels to train with; accept more images, of which some are not held out.")
    k = training.points.shape[1]
    if k != len(schema):
        raise UserError(f"The labels have {k} landmarks, {schema.name} has {len(schema)}; choose the matching schema.")
    if not (training.weight > 0).any():
        raise UserError("None of the labels has a landmark to train with; label some landmarks first.")
