"""Pictures of training examples, decoded as they are needed: a data set may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

KEPT = 512 << 20  # bytes of decoded pictures that stay in memory


class Pictures(Sequence[np.ndarray]):
    """N pictures, (H, W, 3) uint8 RGB, read one at a time; the first that fit into `kept` bytes stay decoded.

    Examples are drawn at random, so it does not matter which ones stay. Any thread may read.
    """

    def __init__(self, readers: Sequence[tuple[Callable[[int], np.ndarray], int]], kept: int = KEPT) -> None:
        self._readers, self._left = readers, kept
        self._ready: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._readers)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        found = self._ready.get(int(index))
        if found is None:
            read, number = self._readers[index]
            found = read(number)
            if found.nbytes <= self._left:
                self._left -= found.nbytes
                self._ready[int(index)] = found
        return found

    def subset(self, index: np.ndarray) -> Pictures:
        """The pictures at `index`, in that order."""
        return Pictures([self._readers[i] for i in index])
