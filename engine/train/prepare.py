"""From a start line to a training that is ready to run: its data, network, recipe and place among others."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import torch

from engine.errors import UserError
from engine.schema import Schema
from engine.train import checkpoint, distil, finish, optim
from engine.train.datasets import Examples, load_examples
from engine.train.distributed import Group
from engine.train.fit import Fit
from engine.train.gpu import choice
from engine.train.hourglass import Hourglass
from engine.train.starting import Asked, check_count
from engine.train.tasks import Measured, better, task_of

BEST = "best.safetensors"
MIRRORED = "The data's shapes give other mirror pairs than the schema {}; training uses them, and the model keeps them."
MOST_WORKERS = 8


@dataclass
class Training:
    """A fit, what it began from, the best it has been, and what there is to tell of how it runs."""

    fit: Fit
    asked: Asked
    before: Measured | None = None
    best: dict[str, torch.Tensor] | None = None
    best_score: float = float("nan")
    best_step: int = 0
    notices: tuple[str, ...] = ()

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
        path = self.fit.folder / BEST
        if path.is_file():
            self.best, state = checkpoint.load_best(path, self.fit.network)
            self.best_score, self.best_step = float(state["score"]), int(state["step"])


def prepare(asked: Asked, group: Group) -> Training:
    """The training that a start line asks for; raises UserError where it cannot be."""
    recipe, parent = asked.recipe, asked.parent
    examples, holdout = load_examples(
        asked.files, recipe.human_share, recipe.holdout_every, recipe.limit, asked.schema, asked.form
    )
    _check(examples, asked.schema)
    schema = _mirrored(asked.schema, examples)
    task = task_of(recipe, schema)
    torch.manual_seed(asked.seed)
    if parent is not None:
        network = finish.network_from(parent, recipe.side)
    else:
        network = Hourglass(recipe.architecture(len(task.output)))
        optim.initialise(network, recipe)
    teacher = None
    if recipe.teacher:
        teacher = distil.load_teacher(recipe.teacher, recipe.teacher_share, task, group.device)
    asked.out.mkdir(parents=True, exist_ok=True)
    kind, notice = choice.fit_class(network, examples, recipe, group)
    fit = kind(
        network, examples, holdout, recipe, schema, asked.out, asked.seed, group, _workers(asked, group), teacher
    )
    return Training(fit, asked, notices=(notice, "" if schema == asked.schema else MIRRORED.format(schema.name)))


def _mirrored(schema: Schema, examples: Examples) -> Schema:
    """The schema with the mirror pairs that the data itself shows, where these are others."""
    own = {frozenset(pair) for pair in schema.flip}
    found = {frozenset(pair) for pair in examples.flip}
    return replace(schema, flip=examples.flip) if found and found != own else schema


def _workers(asked: Asked, group: Group) -> int:
    """Threads that make batches: as asked for, else several where a GPU waits for them."""
    if asked.workers is not None:
        return asked.workers
    return min(MOST_WORKERS, os.cpu_count() or 1) if group.device.type == "cuda" else 0


def _check(training: Examples, schema: Schema) -> None:
    if not len(training):
        raise UserError("There are no labels to train with; accept more images, of which some are not held out.")
    check_count(training.points.shape[1], schema)
    if not (training.weight > 0).any():
        raise UserError("None of the labels has a landmark to train with; label some landmarks first.")
