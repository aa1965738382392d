"""The training loop: a generator of records, so that the worker, a script and a test drive it alike."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine import crop, heatmaps
from engine.errors import UserError
from engine.schema import Schema
from engine.train import augment, checkpoint, frozen, measure
from engine.train.binary import binary_cross_entropy
from engine.train.datasets import Examples
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe

RECALIBRATION_BATCHES = 40
CALIBRATION = 32  # crops to which batch-norm is fitted where a frozen network is freed


class TrainingError(UserError):
    """A training that cannot go on; the message is one sentence with a remedy."""


@dataclass
class Fit:
    """One training of a network on examples; `run` yields a record a step and at each measurement."""

    network: Hourglass
    training: Examples
    holdout: Examples
    recipe: Recipe
    schema: Schema
    folder: Path
    seed: int = 0
    step: int = 0
    seconds: float = 0.0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.network.to(memory_format=torch.channels_last)
        self._new_optimiser()

    def _new_optimiser(self) -> None:
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.recipe.rate, fused=True)

    @property
    def latest(self) -> Path:
        """The checkpoint from which `resume` goes on."""
        return self.folder / "latest.safetensors"

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; the data order continues exactly."""
        if not self.latest.exists():
            return False
        state = checkpoint.load_checkpoint(self.latest, self.network, self.optimiser)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        return True

    def save(self) -> None:
        """Write the checkpoint."""
        checkpoint.save_checkpoint(
            self.latest, self.network, self.optimiser, {"step": self.step, "seconds": self.seconds}
        )

    @property
    def done(self) -> float:
        """Share of the schedule behind us, 0 to 1."""
        if self.recipe.minutes:
            return min(1.0, self.seconds / (60 * self.recipe.minutes))
        return min(1.0, self.step / self.steps)

    @property
    def steps(self) -> int:
        """Steps of the whole schedule, where it is not counted in minutes."""
        if self.recipe.epochs:
            return max(1, math.ceil(self.recipe.epochs * len(self.training) / self.recipe.batch))
        return self.recipe.steps

    @property
    def evaluate_every(self) -> int:
        """Steps between two measurements; a recipe's 0 means once a pass over the examples."""
        return self.recipe.evaluate_every or max(1, math.ceil(len(self.training) / self.recipe.batch))

    def run(self) -> Iterator[dict]:
        """Train to the end of the schedule, or until `stopping` is set; yields progress and metric records."""
        while self.done < 1 and not self.stopping:
            started = time.monotonic()
            loss = self._step()
            self.step += 1
            elapsed = time.monotonic() - started
            self.seconds += elapsed
            yield {
                "type": "progress", "step": self.step, "loss": loss, "rate": self._rate(), "done": self.done,
                "examples_per_second": self.recipe.batch / elapsed,
            }  # fmt: skip
            if self.step % self.evaluate_every == 0:
                yield {"type": "metric", "step": self.step} | self.measure()
            if self.step % max(1, self.recipe.checkpoint_every) == 0:
                self.save()
                yield {"type": "checkpoint", "step": self.step, "path": str(self.latest)}
        self.save()

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / max(1, self.recipe.warmup))
        return self.recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * self.done))

    def _batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        batch = augment.training_batch(self.training, self.recipe, self.schema.permutation, self.seed, step)
        images = torch.from_numpy(batch.images).permute(0, 3, 1, 2)
        return images, torch.from_numpy(batch.targets), torch.from_numpy(batch.weight)

    def _free(self) -> None:
        """All weights train from now on; what the optimiser knows of them is of another task."""
        batches = range(math.ceil(CALIBRATION / self.recipe.batch))
        frozen.free(self.network, torch.cat([self._batch(self.step + extra)[0] for extra in batches]))
        self._new_optimiser()

    def _step(self) -> float:
        if self.network.frozen and self.done >= self.recipe.settle:
            self._free()
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        images, targets, weight = self._batch(self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
            logits = self.network(images)
        loss = binary_cross_entropy(logits, targets, weight)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.network.constrain()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError("The loss is no longer a number; start again with a lower rate.")
        return value

    @torch.no_grad()
    def recalibrate(self, batches: int = RECALIBRATION_BATCHES) -> None:
        """Recompute batch-norm's statistics of the final weights as plain means over many batches; frozen ones stay."""
        if self.network.frozen:
            return
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.network.train()
        for extra in range(batches):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
                self.network(self._batch(self.step + 1 + extra)[0])
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def measure(self) -> dict[str, float]:
        """Accuracy on the hold-out, in percent, under the metric's name; empty where nothing is held out."""
        if not len(self.holdout):
            return {}
        return {measure.metric_name(self.schema): measure.score(self.errors(), self.schema)}

    def errors(self) -> np.ndarray:
        """Errors on the hold-out, (N, K) percent."""
        return measure.errors(self.predict(self.holdout), self.holdout, self.schema)

    @torch.no_grad()
    def predict(self, examples: Examples) -> np.ndarray:
        """Landmarks in picture pixels, (N, K, 2), by the exact eval path."""
        self.network.eval()
        found = []
        for start in range(0, len(examples), self.recipe.batch):
            crops = [augment.plain_crop(examples, i, self.recipe)
                     for i in range(start, min(start + self.recipe.batch, len(examples)))]  # fmt: skip
            images = torch.from_numpy(np.stack([c[0] for c in crops])).permute(0, 3, 1, 2)
            for logits, (_, affine) in zip(self.network(images).numpy(), crops, strict=True):
                points = heatmaps.to_crop(heatmaps.decode(logits)[:, :2])
                found.append(crop.apply(crop.invert(affine), points))
        return np.stack(found)
