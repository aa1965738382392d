"""Training a detector from its start line to its model file: what the worker runs for scene packs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from engine.errors import UserError
from engine.modelfile import Model
from engine.scenes import is_scenes
from engine.squares import CLASSES, NAME, detector_schema, is_detector
from engine.train import checkpoint, finish, precision
from engine.train.detector import DetectorFit, new_network
from engine.train.recipes import Recipe, load_recipe, of_model, with_settings
from engine.train.scenes import read_scenes
from engine.train.starting import Orders, Send, parent_of
from engine.train.thresholds import choose

RECIPE = "ours-detect"
LONGEST_NAME = 200


def wanted(start: Mapping[str, Any]) -> bool:
    """Whether a start line asks for a detector, by its schema or by the model to go on from."""
    if not start.get("from"):
        return start.get("schema") == NAME
    parent = parent_of(start)
    return parent is not None and is_detector(parent.schema)


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Train as the start line says; sends records, the last of them `done`. Raises UserError."""
    torch.set_num_threads(int(start.get("threads") or 1))
    parent = parent_of(start)
    fit = _prepare(start, parent)
    if told := precision.notice(fit.recipe, fit.device):
        send("notice", text=told)
    if start.get("resume"):
        fit.resume()
    begun, done_before, rested = time.monotonic(), fit.done, 0.0
    fit.stopping = orders.stopping
    for record in fit.run():
        spent, gained = time.monotonic() - begun - rested, fit.done - done_before
        more = {"eta": spent * (1 - fit.done) / gained if gained > 0 else None}
        send(**record | (more if record["type"] == "progress" else {}))
        rest = time.monotonic()
        while not orders.go.wait(0.2):
            continue
        rested += time.monotonic() - rest
        fit.stopping = orders.stopping
    if not fit.step:
        raise UserError("The training was stopped before its first step; start it again.")
    send("finishing", step=fit.step)
    send("done", **_finish(fit, parent, start))


def _prepare(start: dict[str, Any], parent: Model | None) -> DetectorFit:
    """The fit that a start line asks for; raises UserError where it cannot be."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("A detector is trained by one process; start it without torchrun.")
    if not start.get("out"):
        raise UserError("The training was given no folder for its model; name one.")
    out = Path(str(start["out"]))
    packs = [Path(str(p)) for p in start.get("snapshot") or []]
    wrong = next((p for p in packs if not p.is_file() or not is_scenes(p)), None)
    if wrong is not None or not packs:
        raise UserError(f"{wrong.name if wrong else 'Nothing'} is no scene pack, by which detectors are trained; "
                        "name an .npz with boxes of faces and people.")  # fmt: skip
    recipe, seed = _recipe(start, parent, out)
    training, holdout = read_scenes(packs, recipe.holdout_every)
    if not any((scene.kind < len(CLASSES)).any() for scene in training.scenes):
        raise UserError("No picture to train with has a labelled face or person; choose another pack.")
    torch.manual_seed(seed)
    network = new_network(recipe) if parent is None else finish.network_from(parent)
    out.mkdir(parents=True, exist_ok=True)
    asked = str(start.get("device") or "auto")
    cuda = asked == "cuda" or asked == "auto" and torch.cuda.is_available()
    if cuda and not torch.cuda.is_available():
        raise UserError("This machine has no CUDA device; leave --device out.")
    return DetectorFit(network, training, holdout, recipe, out, seed, torch.device("cuda" if cuda else "cpu"))


def _recipe(start: Mapping[str, Any], parent: Model | None, out: Path) -> tuple[Recipe, int]:
    """The recipe with the start line's settings, and the seed; a run that goes on keeps both unless told otherwise."""
    settings, seed = dict(start.get("settings") or {}), int(start.get("seed") or 0)
    before = checkpoint.read_state(out / checkpoint.LATEST) if start.get("resume") else {}
    if before.get("recipe") and not start.get("recipe") and not settings:
        recipe = with_settings(Recipe(), before["recipe"])
    else:
        recipe = load_recipe(start.get("recipe") or RECIPE)
        if "steps" in settings:
            recipe = with_settings(recipe, {"minutes": 0.0})
        recipe = with_settings(recipe, settings)
    return (recipe if parent is None else of_model(recipe, parent)), int(before.get("seed", seed))


def _finish(fit: DetectorFit, parent: Model | None, start: Mapping[str, Any]) -> dict[str, Any]:
    """Settle the network's statistics, choose its thresholds on the hold-out and write the model."""
    fit.recalibrate()
    least, told = choose(fit.network, fit.holdout, fit.device)
    card = {
        "data": [Path(str(p)).name for p in start.get("snapshot") or []], "pictures": len(fit.training),
        "held out": len(fit.holdout), "recipe": str(start.get("recipe") or RECIPE), "steps": fit.step,
        "batch": fit.recipe.batch, "rate": fit.recipe.rate, "seed": fit.seed, "minutes": round(fit.seconds / 60, 1),
        "date": str(start.get("date") or time.strftime("%Y-%m-%d")), "thresholds": least, "hold-out": told,
    }  # fmt: skip
    if parent is not None:
        card |= {"parent": parent.name, "parent sha256": parent.sha256, "terms": parent.card.get("terms", "")}
    fallback = f"{parent.name}, trained on" if parent is not None else f"{NAME} trained here"
    name = str(start.get("name") or fallback)[:LONGEST_NAME]
    path = Path(str(start["out"])) / "model.hourbit"
    model = finish.finish(fit.network, detector_schema(), name, card, path, 1.0)
    metrics = {f"{kind} {key}": value for kind, values in told.items() for key, value in values.items()}
    metrics |= {"steps": fit.step, "pictures": len(fit.training), "held_out": len(fit.holdout)}
    return {"model": str(path), "sha256": model.sha256, "metrics": metrics, "recipe": asdict(fit.recipe)}
