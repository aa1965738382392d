"""Which pictures look alike: 64 bits of each picture, and groups of those that differ in few of them."""

from __future__ import annotations

import numpy as np

from engine.opencv import cv2

BITS_APART = 5  # of 64, up to which two pictures look alike
BANDS = BITS_APART + 1  # of so many parts of the bits, one at least is the same in both


def fingerprint(pixels: np.ndarray) -> str:
    """16 hexadecimal digits of a picture (H, W, 3) uint8 RGB: is each of 8 x 8 places brighter than its left one?

    The difference hash of N. Krawetz, "Kind of Like That" (hackerfactor.com, 2013), on 9 x 8 area means of grey.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = small[:, 1:] > small[:, :-1]
    return np.packbits(bits).tobytes().hex()


def groups_of(prints: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N,) int64 group numbers in the order of their first members, -1 for who is alone or not `known`.

    prints (N,) uint64; known (N,) bool. Two pictures are of one group where a chain of pictures, each at most
    BITS_APART from the next, leads from one to the other.
    """
    groups = np.full(len(prints), -1, np.int64)
    places = np.flatnonzero(known)
    if len(places) < 2:
        return groups
    unique, inverse, number = np.unique(prints[places], return_inverse=True, return_counts=True)
    roots = _joined(unique)
    size = np.bincount(roots, number, len(unique))
    own = roots[inverse]
    shared = size[own] > 1
    firsts = np.full(len(unique), len(prints), np.int64)
    np.minimum.at(firsts, own[shared], places[shared])
    order = {int(root): n for n, root in enumerate(np.argsort(firsts, kind="stable")) if firsts[root] < len(prints)}
    groups[places[shared]] = [order[int(root)] for root in own[shared]]
    return groups


def _joined(prints: np.ndarray) -> np.ndarray:
    """(M,) the root of each of M different prints; those with a chain between them have the same."""
    parent = np.arange(len(prints))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = int(parent[n])
        return n

    edges = np.linspace(0, 64, BANDS + 1).round().astype(int)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        band = (prints >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(band[order].astype(np.int64)) != 0])
        for members in np.split(order, starts[1:]):
            if len(members) > 1:
                for a, b in _near(prints[members]):
                    parent[root(int(members[a]))] = root(int(members[b]))
    return np.array([root(n) for n in range(len(prints))])


def _near(prints: np.ndarray) -> np.ndarray:
    """(P, 2) pairs of prints that differ in at most BITS_APART bits; some thousand rows at a time."""
    pairs = []
    step = max(1, (1 << 22) // len(prints))
    for start in range(0, len(prints), step):
        apart = np.bitwise_count(prints[start : start + step, None] ^ prints[None])
        a, b = np.nonzero(apart <= BITS_APART)
        pairs.append(np.column_stack([a + start, b])[a + start < b])
    return np.concatenate(pairs)
