"""Recipes: how a training runs, as small TOML files in resources/recipes."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path

from engine.errors import UserError

# Least values of settings; the others may be 0. Batch-norm needs two pictures where a map is one pixel.
LEAST = {"batch": 2, "steps": 1, "sigma": 0.1, "holdout_every": 2, "width": 1, "stem": 1, "side": 1, "pad": -1}
MOST = {"batch": 4096, "settle": 1.0}
WORDS = {int: "a whole number", float: "a number", bool: "true or false"}


class RecipeError(UserError):
    """A recipe that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Recipe:
    """Settings of one training.

    Angles in degrees, shift in landmark box sides, sigma in heatmap cells. The rate warms up over `warmup`
    steps and falls along a cosine to 0 at `steps`, or at `epochs` passes over the examples, or at that
    many `minutes` of training, whichever of the three is not 0 (minutes before epochs before steps).
    `evaluate_every` counts steps; 0 measures once a pass over the examples. `settle` is the share of the
    schedule in which a model without latents, such as an imported one, trains its alphas, batch-norm and head
    alone; other models know no such time.
    """

    width: int = 256
    stem: int = 64
    side: int = 128
    pad: int = -1
    crop: float = 1.5
    batch: int = 16
    steps: int = 4000
    epochs: float = 0.0
    minutes: float = 0.0
    rate: float = 2e-3
    warmup: int = 100
    settle: float = 0.3
    sigma: float = 1.2
    rotation: float = 20.0
    rotation_limit: float = 50.0
    scale: float = 0.15
    shift: float = 0.06
    flip: bool = True
    colour: float = 0.4
    part: float = 0.0
    erase: float = 0.3
    human_share: float = 0.34
    holdout_every: int = 20
    evaluate_every: int = 500
    checkpoint_every: int = 250
    bf16: bool = True


def load_recipe(name: str | Path) -> Recipe:
    """A recipe that ships, by name, or a TOML file; raises RecipeError for unknown or wrong settings."""
    path = Path(name)
    if path.suffix != ".toml":
        shipped = resources.files("resources") / "recipes" / f"{name}.toml"
        if not shipped.is_file():
            known = sorted(p.name[:-5] for p in shipped.parent.iterdir() if p.name.endswith(".toml"))
            raise RecipeError(f"No recipe {name!r}; choose one of {', '.join(known)}, or name a .toml file.")
        text = shipped.read_text("utf-8")
    else:
        text = _text(path)
    try:
        return with_settings(Recipe(), tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name} is not a TOML file ({error}); correct it.") from error


def with_settings(recipe: Recipe, settings: dict) -> Recipe:
    """The recipe with some settings replaced, checked by type and least value; raises RecipeError."""
    kinds = {f.name: type(getattr(recipe, f.name)) for f in fields(recipe)}
    for key, value in settings.items():
        if key not in kinds:
            raise RecipeError(f"No setting {key!r}; recipes know {', '.join(sorted(kinds))}.")
        if kinds[key] is float and isinstance(value, int) and not isinstance(value, bool):
            settings = settings | {key: float(value)}
        elif type(value) is not kinds[key]:
            raise RecipeError(f"{key} must be {WORDS[kinds[key]]}, not {value!r}.")
        least = LEAST.get(key, 0)
        if not least <= value < math.inf:  # not a number fails too
            raise RecipeError(f"{key} must be {least} or more, not {value!r}.")
        if value > MOST.get(key, math.inf):
            raise RecipeError(f"{key} must be {MOST[key]} or less, not {value!r}.")
    return replace(recipe, **settings)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} cannot be read ({error}); check the file.") from error
