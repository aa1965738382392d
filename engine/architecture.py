"""The handful of numbers and words that name a network; `engine.graph.build` turns them into its nodes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from engine.errors import UserError

BLOCKS = ("bottleneck", "wider", "wider-no1x1", "multiscale", "multiscale-no1x1", "hierarchical")
WITH_MID = ("bottleneck", "wider", "wider-no1x1")  # blocks with one number of middle channels
POOLS = ("max", "average")
LANDMARKS, SEGMENTATION = "landmarks", "segmentation"
HEADS = (LANDMARKS, SEGMENTATION)
MAX_STACKS = 8
FIRST_FIELDS = ("landmarks", "width", "stem", "side", "pad", "relu", "block")  # what every model file names
WHOLE = ("landmarks", "width", "stem", "side", "pad", "stacks", "mid")


class GraphError(UserError):
    """An architecture that cannot be built; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Architecture:
    """What defines a network, apart from its weights.

    `width` is the hourglass's channel count, `stem` that of the first convolution (the stem's blocks
    then have 2 x stem, 2 x stem and `width` channels). `side` is the input's side in pixels and a
    multiple of 64. `pad` is the value outside the picture that binary convolutions see, -1 or 0; real ones
    see 0. `relu` puts a ReLU on each inner convolution's output (Sec. 6 of the paper). `block` is the kind
    of block, `mid` its middle channels in blocks of `width` channels (others keep the ratio), 0 for the
    block's own. `stacks` hourglasses follow one another. `real` has ReLU in place of sign and real weights
    in all layers. `pool` halves maps by their maximum or average. `head` is what the maps mean: each a landmark's
    heatmap, or together a division of the picture, of which each map stands for one part; `landmarks` counts them.
    """

    landmarks: int
    width: int = 256
    stem: int = 64
    side: int = 256
    pad: int = -1
    relu: bool = False
    block: str = "hierarchical"
    stacks: int = 1
    real: bool = False
    pool: str = "max"
    mid: int = 0
    head: str = LANDMARKS

    def __post_init__(self) -> None:
        for name in WHOLE:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise GraphError(f"{name} must be a whole number, not {value!r}.")
        for name in ("relu", "real"):
            if not isinstance(getattr(self, name), bool):
                raise GraphError(f"{name} must be true or false, not {getattr(self, name)!r}.")
        for name, known in (("block", BLOCKS), ("pool", POOLS), ("head", HEADS)):
            value = getattr(self, name)
            if value not in known:
                raise GraphError(f"Unknown {name} {value!r}; use one of {', '.join(known)}.")
        self._check_sizes()

    def _check_sizes(self) -> None:
        if not 1 <= self.landmarks <= 1024:
            raise GraphError(f"landmarks must be 1 to 1024, not {self.landmarks}.")
        if self.width % 32 or not 32 <= self.width <= 1024:
            raise GraphError(f"width must be a multiple of 32 from 32 to 1024, not {self.width}.")
        if self.stem % 16 or not 16 <= self.stem <= 256:
            raise GraphError(f"stem must be a multiple of 16 from 16 to 256, not {self.stem}.")
        if self.side % 64 or not 64 <= self.side <= 1024:
            raise GraphError(f"The input side must be a multiple of 64 from 64 to 1024, not {self.side}.")
        if self.pad not in (-1, 0):
            raise GraphError(f"pad must be -1 or 0, not {self.pad}.")
        if not 1 <= self.stacks <= MAX_STACKS:
            raise GraphError(f"stacks must be 1 to {MAX_STACKS}, not {self.stacks}.")
        if self.mid and (self.mid % 2 or not 2 <= self.mid <= 2 * self.width):
            raise GraphError(f"mid must be an even number from 2 to twice the width, not {self.mid}.")
        if self.head == SEGMENTATION and self.landmarks < 2:
            raise GraphError("A segmentation needs two parts or more; give landmarks as their number.")
        if self.mid and self.block not in WITH_MID:
            raise GraphError(f"The block {self.block} has no mid; leave it out, or use {', '.join(WITH_MID)}.")

    @property
    def heatmap(self) -> int:
        """Side of the heatmaps in pixels: a quarter of the input's."""
        return self.side // 4

    def to_json(self) -> dict[str, Any]:
        """A JSON object; later fields stand in it only where they are not the default, as in older files."""
        defaults = {f.name: f.default for f in fields(self)}
        return {n: v for n, v in asdict(self).items() if n in FIRST_FIELDS or v != defaults[n]}

    @classmethod
    def from_json(cls, data: Any) -> Architecture:
        """The inverse of `to_json`; raises GraphError for unknown, missing or wrong fields."""
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or set(data) - names or "landmarks" not in data:
            raise GraphError("The architecture is not one this version knows; update Hourbit.")
        return cls(**data)
