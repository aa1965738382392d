"""What a start line asks for, of every kind of training, as far as it can be told without PyTorch.

PyTorch takes seconds to import: whoever starts a training hears of a mistake before that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors import safe_open

from engine.errors import UserError
from engine.labelled import is_samples, sample_subjects
from engine.layouts import sniff
from engine.modelfile import Model, read_model
from engine.packs import landmark_count
from engine.parts import label_schema
from engine.scenes import is_scenes
from engine.schema import Schema, load_schema
from engine.squares import NAME, detector_schema, is_detector
from engine.train.recipes import Recipe, load_recipe, of_model, with_settings

LATEST = "latest.safetensors"  # the checkpoint from which a run goes on
MODEL, PACK = "model.hourbit", ".npz"
LONGEST_NAME = 200

Send = Callable[..., None]


class Orders(Protocol):
    """What may be asked for meanwhile: `go` is clear while paused."""

    stopping: bool
    go: Any


@dataclass(frozen=True)
class Asked:
    """A start line, read: schema is of the labels, or the detector's; files are what to learn from; name and date are
    the model's; workers None leaves their number to the device."""

    parent: Model | None
    detector: bool
    schema: Schema
    files: tuple[Path, ...]
    form: str | None
    out: Path
    recipe: Recipe
    recipe_name: str
    seed: int
    resume: bool
    device: str
    threads: int
    workers: int | None
    name: str
    date: str

    @property
    def model(self) -> Path:
        """Where the trained model is written."""
        return self.out / MODEL


def read_start(start: Mapping[str, Any]) -> Asked:
    """What a start line asks for; raises UserError where it cannot be, as far as a look at the files tells."""
    parent = _parent(start)
    if parent is not None:
        detector, schema = is_detector(parent.schema), label_schema(parent)
    else:
        detector = start.get("schema") == NAME
        schema = detector_schema() if detector else load_schema(str(start.get("schema")))
    if not start.get("out"):
        raise UserError("The training was given no folder for its model; name one.")
    out, form = Path(str(start["out"])), start.get("format")
    name = _recipe_name(start, detector)
    recipe, seed = _recipe(start, parent, out, name)
    files = tuple(Path(str(p)) for p in start.get("snapshot") or start.get("packs") or [])
    (_check_scenes if detector else _check_labels)(files, schema, form)
    workers = start.get("workers")
    own = f"{parent.name}, fine-tuned" if parent is not None else f"{recipe.parts or schema.name} trained here"
    return Asked(
        parent, detector, schema, files, form, out, recipe, name, seed, bool(start.get("resume")),
        str(start.get("device") or "auto"), int(start.get("threads") or 1),
        workers if isinstance(workers, int) and workers >= 0 else None,
        str(start.get("name") or own)[:LONGEST_NAME], str(start.get("date") or time.strftime("%Y-%m-%d")),
    )  # fmt: skip


def _parent(start: Mapping[str, Any]) -> Model | None:
    """The model to go on from, None where the start line names none; raises UserError."""
    if not start.get("from"):
        return None
    try:
        return read_model(str(start["from"]))
    except OSError as error:
        raise UserError(f"The model {start['from']} cannot be read ({error.strerror}); choose another one.") from error


def _recipe_name(start: Mapping[str, Any], detector: bool) -> str:
    """The recipe that a start line names, or what stands for none."""
    named = start.get("recipe")
    if isinstance(named, str) and named:
        return named
    return "ours-detect" if detector else "finetune" if start.get("from") else "ours-face"


def _recipe(start: Mapping[str, Any], parent: Model | None, out: Path, name: str) -> tuple[Recipe, int]:
    """The recipe with the start line's settings, and the seed; what a parent model settles comes from the model.

    A run that goes on keeps its seed, and its recipe too where the start line names none.
    """
    named, seed = start.get("recipe"), int(start.get("seed") or 0)
    settings = dict(start.get("settings") or {}) | (named if isinstance(named, dict) else {})
    before = read_state(out / LATEST) if start.get("resume") else {}
    if before.get("recipe") and not named and not settings:
        recipe = with_settings(Recipe(), before["recipe"])
    else:
        recipe = load_recipe(name)
        if "steps" in settings:
            recipe = with_settings(recipe, {"epochs": 0.0, "minutes": 0.0})
        elif "epochs" in settings:
            recipe = with_settings(recipe, {"minutes": 0.0})
        recipe = with_settings(recipe, settings)
    return (recipe if parent is None else of_model(recipe, parent)), int(before.get("seed", seed))


def read_state(path: Path) -> dict[str, Any]:
    """What a checkpoint says of its run; empty where there is none, or where reading it will be refused later."""
    try:
        with safe_open(path, "np") as file:
            return dict(json.loads(file.metadata()["state"]))
    except Exception:  # safetensors raises several kinds; `load_checkpoint` says what is wrong
        return {}


def _check_scenes(files: tuple[Path, ...], schema: Schema, form: str | None) -> None:
    wrong = next((path for path in files if not path.is_file() or not is_scenes(path)), None)
    if wrong is not None or not files:
        raise UserError(f"{wrong.name if wrong else 'Nothing'} is no scene pack, by which detectors are trained; "
                        "name an .npz with boxes of faces and people.")  # fmt: skip


def _check_labels(files: tuple[Path, ...], schema: Schema, form: str | None) -> None:
    """Raise UserError for what is not there, of no known layout, or a pack of other landmarks."""
    missing = [path for path in files if not path.exists() and not is_samples(path)]
    if missing or not files:
        raise UserError(f"There is no training data at {missing[0] if missing else 'all'}; name a pack or snapshot.")
    for path in files:
        if path.suffix.lower() == PACK and path.is_file():
            check_count(landmark_count(path), schema)
        elif is_samples(path):
            sample_subjects(schema)
        elif form is None and not sniff(path):
            raise UserError(f"{path.name} is of no known layout; name it with --format, or choose other data.")


def check_count(count: int, schema: Schema) -> None:
    """Raise UserError where labels of so many landmarks are not the schema's."""
    if count != len(schema):
        raise UserError(
            f"The labels have {count} landmarks, {schema.name} has {len(schema)}; choose the matching schema."
        )
