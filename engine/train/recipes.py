"""Recipes: how a training runs, as small TOML files in resources/recipes."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from engine.architecture import BLOCKS, LANDMARKS, MAX_STACKS, POOLS, SEGMENTATION, WITH_MID, Architecture
from engine.errors import UserError
from engine.modelfile import Model

# Least values of settings; the others may be 0. Batch-norm needs two pictures where a map is one pixel.
LEAST = {
    "batch": 2, "steps": 1, "sigma": 0.1, "holdout_every": 2, "width": 1, "stem": 1, "side": 1, "pad": -1, "stacks": 1,
    "head_bias": -20.0,
}  # fmt: skip
SHARES = (
    "flip_share", "rotation_share", "part", "erase", "grey", "blur", "human_share", "pretraining", "teacher_share",
    "balance",
)  # fmt: skip
MOST = {"batch": 4096, "stacks": MAX_STACKS, "ema": 0.999999, "settle": 1.0, **dict.fromkeys(SHARES, 1.0)}
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", tuple: "a list of pairs"}
SOFTMAX = "softmax"  # the loss of a division into parts
CHOICES = {
    "block": BLOCKS, "pool": POOLS, "optimiser": ("adam", "rmsprop"), "schedule": ("cosine", "steps"),
    "loss": ("bce", "l2", SOFTMAX), "centre": ("exact", "floor"), "order": ("share", "pass"),
    "rotation_spread": ("normal", "uniform"), "scale_spread": ("normal", "uniform", "octaves"),
    "border": ("mixed", "replicate", "black"), "gradient": ("autograd", "torch7"), "gamma": ("one", "uniform"),
}  # fmt: skip


class RecipeError(UserError):
    """A recipe that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Recipe:
    """Settings of one training.

    Length: `minutes` of training, or `epochs` passes over the examples, or `steps`, whichever of the three is
    not 0, in this order. The rate warms up over `warmup` steps; then it falls along a cosine to 0, or by the
    `steps` schedule it takes the values of `drops`: pairs of a share of the schedule (0 to 1) and the rate
    from there on. `evaluate_every` counts steps; 0 measures once a pass over the examples. `limit` takes the
    first so many examples of each file, 0 all. `order`: `share` draws each example by its share, `pass` goes
    through all of them in a new order each epoch.

    Network: `block`, `stacks`, `real`, `relu`, `pool`, `mid` as in `engine.architecture`. A model to go on from
    keeps its own network and input; `resize` is the side of another input for it, 0 for none.

    Targets: Gaussians of `sigma` heatmap cells, at the landmark's exact place or at its cell (`centre`), with
    everything outside 7 x 7 cells cut off by `window`. `mask` leaves unknown landmarks out of the loss; without
    it their maps are trained to be empty. `parts` names a division (engine.parts) that is learnt in place of
    landmarks, with the loss `softmax`: each map is then one part's, and the targets are how much of a cell it covers.
    By `balance` small parts count more, 0 for every cell alike, 1 for every part.

    Augmentation: angles in degrees, shift in landmark box sides. Rotation and scale are `normal` (deviation
    `rotation`, `scale`; cut at `rotation_limit`, `scale_low`, `scale_high`) or `uniform` within the limits; scale
    in `octaves` is 2 to a normal power. `rotation_share` of the examples are turned, `flip_share` mirrored.
    `colour` spreads each channel's gain and `light` that of all three around 1, `offset` is added (of 255).

    Binary weights: `centring` and `clamp` after each step, `gradient` of the weights (`engine.train.binary`).
    `gamma` is batch-norm's scale at the start, `head_bias` the logit of an empty map. `pretraining` is the share
    of the schedule in which only activations are binary; `settle` that in which a model without latents, such as
    an imported one, trains its alphas, batch-norm and head alone. `ema` is the decay of averaged weights, 0 for
    none. `teacher` is a real network's model file or checkpoint whose heatmaps make `teacher_share` of the targets.
    `bf16` computes in bfloat16 where the machine can. `exact` makes the weights independent of the number of
    processes, on CPUs and where the length is not in minutes. On one CUDA GPU `fused` runs whole steps through
    `engine.train.gpu`, where that can.
    """

    width: int = 256
    stem: int = 64
    side: int = 128
    resize: int = 0
    pad: int = -1
    block: str = "hierarchical"
    stacks: int = 1
    real: bool = False
    relu: bool = False
    pool: str = "max"
    mid: int = 0
    crop: float = 1.5
    batch: int = 16
    steps: int = 4000
    epochs: float = 0.0
    minutes: float = 0.0
    limit: int = 0
    order: str = "share"
    optimiser: str = "adam"
    rate: float = 2e-3
    warmup: int = 100
    schedule: str = "cosine"
    drops: tuple[tuple[float, float], ...] = ()
    parts: str = ""
    balance: float = 0.5
    loss: str = "bce"
    sigma: float = 1.2
    window: bool = False
    centre: str = "exact"
    mask: bool = True
    rotation: float = 20.0
    rotation_limit: float = 50.0
    rotation_spread: str = "normal"
    rotation_share: float = 1.0
    scale: float = 0.15
    scale_low: float = 0.75
    scale_high: float = 1.35
    scale_spread: str = "normal"
    shift: float = 0.06
    flip: bool = True
    flip_share: float = 0.5
    colour: float = 0.4
    light: float = 0.25
    offset: float = 12.0
    grey: float = 0.2
    blur: float = 0.2
    part: float = 0.0
    erase: float = 0.3
    border: str = "mixed"
    centring: bool = True
    clamp: bool = True
    gradient: str = "autograd"
    gamma: str = "one"
    head_bias: float = -4.0
    pretraining: float = 0.0
    ema: float = 0.0
    settle: float = 0.3
    teacher: str = ""
    teacher_share: float = 0.5
    human_share: float = 0.34
    holdout_every: int = 20
    evaluate_every: int = 500
    checkpoint_every: int = 250
    bf16: bool = True
    exact: bool = True
    fused: bool = True

    def architecture(self, landmarks: int) -> Architecture:
        """The network that this recipe trains from scratch; raises GraphError where there is none."""
        mid = self.mid if self.block in WITH_MID else 0
        head = SEGMENTATION if self.parts else LANDMARKS
        return Architecture(landmarks, self.width, self.stem, self.side, self.pad, self.relu, self.block, self.stacks,
                            self.real, self.pool, mid, head)  # fmt: skip


def of_model(recipe: Recipe, model: Model) -> Recipe:
    """The recipe with everything that a model to go on from has settled."""
    a = model.architecture
    return replace(
        recipe, width=a.width, stem=a.stem, side=recipe.resize or a.side, pad=a.pad, block=a.block,
        stacks=a.stacks, real=a.real, relu=a.relu, pool=a.pool, mid=a.mid, crop=model.crop, **_task(recipe, model),
    )  # fmt: skip


def _task(recipe: Recipe, model: Model) -> dict[str, str]:
    if model.head == SEGMENTATION:
        return {"parts": model.schema.name, "loss": SOFTMAX}
    return {"parts": "", "loss": "bce" if recipe.loss == SOFTMAX else recipe.loss}


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


def with_settings(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with some settings replaced, checked by type, choice and range; raises RecipeError."""
    kinds = {f.name: type(getattr(recipe, f.name)) for f in fields(recipe)}
    for key, value in settings.items():
        if key not in kinds:
            raise RecipeError(f"No setting {key!r}; recipes know {', '.join(sorted(kinds))}.")
        if kinds[key] is tuple:
            settings = settings | {key: _pairs(key, value)}
        elif kinds[key] is float and isinstance(value, int) and not isinstance(value, bool):
            settings = settings | {key: float(value)}
        elif type(value) is not kinds[key]:
            raise RecipeError(f"{key} must be {WORDS[kinds[key]]}, not {value!r}.")
        if value not in CHOICES.get(key, (value,)):
            raise RecipeError(f"{key} must be one of {', '.join(CHOICES[key])}, not {value!r}.")
        if kinds[key] in (int, float):
            _check_range(key, value)
    changed = replace(recipe, **settings)
    if changed.schedule == "steps" and not changed.drops:
        raise RecipeError("The steps schedule needs drops, such as drops = [[0, 2.5e-4], [0.5, 5e-5]]; add them.")
    if bool(changed.parts) != (changed.loss == SOFTMAX):
        raise RecipeError(f"Parts take the loss {SOFTMAX}, and landmarks another; change loss or parts.")
    if changed.scale_low > changed.scale_high:
        raise RecipeError("scale_low is above scale_high; exchange them.")
    return changed


def _check_range(key: str, value: float) -> None:
    least = LEAST.get(key, 0)
    if not least <= value < math.inf:  # not a number fails too
        raise RecipeError(f"{key} must be {least} or more, not {value!r}.")
    if value > MOST.get(key, math.inf):
        raise RecipeError(f"{key} must be {MOST[key]} or less, not {value!r}.")


def _pairs(key: str, value: Any) -> tuple[tuple[float, float], ...]:
    """Pairs of share and rate, the shares rising from 0; raises RecipeError."""
    try:
        pairs = tuple((float(share), float(rate)) for share, rate in value)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{key} must be a list of pairs [share of the schedule, rate], not {value!r}.") from error
    shares = [share for share, _ in pairs]
    if pairs and (shares[0] != 0 or any(b <= a for a, b in zip(shares, shares[1:], strict=False)) or shares[-1] >= 1):
        raise RecipeError(f"The shares in {key} must rise from 0 and stay below 1, not {shares}.")
    if not all(0 <= rate < math.inf for _, rate in pairs):
        raise RecipeError(f"The rates in {key} must be 0 or more, not {[rate for _, rate in pairs]}.")
    return pairs


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} cannot be read ({error}); check the file.") from error
