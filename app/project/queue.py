"""The order in which images want to be looked at, worked out on arrays: 100,000 images take some milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from app.project.values import Image, State

CRITERIA = 7  # of engine.doubts, the overall one first
LEVELS, UNKNOWN = 0xFFFE, 0xFFFF
BY_NAME, NEWEST, BY_DOUBT, SAMPLE, ALIKE = "name", "newest", "doubt", "sample", "alike"
STATES = list(State)
NUMBERS = {state: number for number, state in enumerate(STATES)}


def packed(doubts: Sequence[float]) -> str:
    """Doubts, 0 to 1 or NaN, as an image holds them: 4 hexadecimal digits each."""
    values = np.asarray(doubts, np.float64)
    steps = np.where(np.isfinite(values), np.round(np.clip(np.nan_to_num(values), 0, 1) * LEVELS), UNKNOWN)
    return steps.astype(">u2").tobytes().hex()


def unpacked(texts: Sequence[str]) -> np.ndarray:
    """(N, 7) float32: inverse of `packed` for many images; NaN where one has no doubts or other ones than these."""
    size = 4 * CRITERIA
    joined = "".join(text if len(text) == size else "f" * size for text in texts)
    steps = np.frombuffer(bytes.fromhex(joined), ">u2").reshape(-1, CRITERIA)
    return np.where(steps == UNKNOWN, np.nan, steps / LEVELS).astype(np.float32)


@dataclass(frozen=True)
class Wish:
    """What to list and how. criterion: which doubt; above: only images at least so doubtful; seed: of a sample."""

    states: frozenset[State] = frozenset(State)
    order: str = BY_NAME
    criterion: int = 0
    above: float = 0.0
    seed: int = 0


class Columns:
    """What the queue asks of all images, in natural order: arrays with one row an image.

    before: what it asked of them earlier, from which groups are taken over until they are known anew.
    """

    def __init__(self, images: Sequence[Image], before: Columns | None = None) -> None:
        self.ids = np.array([image.id for image in images], np.int64)
        self.ranks = {image.id: n for n, image in enumerate(images)}
        self.states = np.array([NUMBERS[image.state] for image in images], np.uint8)
        self.doubts = unpacked([image.doubts for image in images])
        overall = np.array([np.nan if image.doubt is None else image.doubt for image in images], np.float32)
        self.doubts[:, 0] = np.where(np.isnan(self.doubts[:, 0]), overall, self.doubts[:, 0])
        self.prints = np.array([int(image.fingerprint or "0", 16) for image in images], np.uint64)
        self.has_print = np.array([bool(image.fingerprint) for image in images], bool)
        self.groups = np.full(len(images), -1, np.int64)  # as of the last `take_groups`, -1 where one is alone
        if before is not None and len(before):
            order = np.argsort(before.ids)
            at = order[np.searchsorted(before.ids, self.ids, sorter=order).clip(max=len(before) - 1)]
            self.groups = np.where(before.ids[at] == self.ids, before.groups[at], -1)
        self.ungrouped = bool(self.has_print.any())  # whether prints have come since the groups were asked for

    def __len__(self) -> int:
        return len(self.ids)

    def update(self, image: Image) -> bool:
        """Take an image's new values; True where its doubts are others."""
        n = self.ranks[image.id]
        self.states[n] = NUMBERS[image.state]
        if image.fingerprint:
            found = np.uint64(int(image.fingerprint, 16))
            if not self.has_print[n] or self.prints[n] != found:
                self.prints[n], self.has_print[n], self.ungrouped = found, True, True
        row = unpacked([image.doubts])[0]
        if np.isnan(row[0]) and image.doubt is not None:
            row[0] = image.doubt
        changed = not np.array_equal(row, self.doubts[n], equal_nan=True)
        self.doubts[n] = row
        return changed

    def counts(self) -> np.ndarray:
        """How many images are in each of STATES."""
        return np.bincount(self.states, minlength=len(STATES))

    def passes(self, wish: Wish) -> np.ndarray:
        """(N,) bool: which images are listed."""
        wanted = np.zeros(len(STATES), bool)
        wanted[[NUMBERS[state] for state in wish.states]] = True
        found = wanted[self.states]
        if wish.order == BY_DOUBT and wish.above > 0:
            with np.errstate(invalid="ignore"):
                found &= self.doubts[:, wish.criterion] >= wish.above
        if wish.order == ALIKE:
            found &= self.groups >= 0
        return found

    def listed(self, wish: Wish, kept: int | None = None) -> np.ndarray:
        """Ranks of the images to list, in order; `kept`, an image's id, is among them in any case."""
        found = self.passes(wish)
        if kept in self.ranks:
            found[self.ranks[kept]] = True
        return self.ordered(np.flatnonzero(found), wish)

    def ordered(self, ranks: np.ndarray, wish: Wish) -> np.ndarray:
        """Ranks in the wished order; equal ones in natural order."""
        if wish.order == BY_DOUBT:
            doubts = np.nan_to_num(self.doubts[ranks, wish.criterion], nan=-1.0)
            steps = (LEVELS - np.round(doubts * LEVELS)).clip(0, UNKNOWN).astype(np.uint16)  # sorted by their digits
            return ranks[np.argsort(steps, kind="stable")]
        if wish.order == NEWEST:
            return ranks[np.argsort(-self.ids[ranks], kind="stable")]
        if wish.order == SAMPLE:
            return ranks[np.argsort(_shuffled(self.ids[ranks], wish.seed), kind="stable")]
        if wish.order == ALIKE:
            return ranks[np.argsort(self.groups[ranks] % (len(self) + 1), kind="stable")]  # alone ones last
        return ranks

    def histogram(self, wish: Wish, bins: int) -> tuple[np.ndarray, float]:
        """Counts of the chosen doubt in `bins` equal steps from 0 up, and where they end; of the states listed."""
        values = self.doubts[self.passes(Wish(wish.states)), wish.criterion]
        values = values[np.isfinite(values)]
        top = min(1.0, max(0.1, float(np.ceil(values.max() * 20) / 20))) if len(values) else 1.0
        return np.histogram(values, bins, (0.0, top))[0], top

    def quantile(self, wish: Wish, share: float) -> float:
        """The doubt that the most doubtful `share` of the states listed reach; 0 where none is known."""
        values = self.doubts[self.passes(Wish(wish.states)), wish.criterion]
        values = values[np.isfinite(values)]
        return float(np.quantile(values, 1 - share)) if len(values) else 0.0

    def without_print(self) -> list[int]:
        """Ids of the images whose likeness is not known yet."""
        broken = self.states == NUMBERS[State.BROKEN]
        return self.ids[~self.has_print & ~broken].tolist()


def numbers(states: Collection[State]) -> list[int]:
    """Places of states in STATES."""
    return [NUMBERS[state] for state in states]


def _shuffled(ids: np.ndarray, seed: int) -> np.ndarray:
    """(N,) uint64 that look random, the same for an id whatever else is there: a sample stays as images come and go.

    The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
    """
    mixed = ids.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
