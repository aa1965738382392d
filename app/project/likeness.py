"""Which pictures look alike: 64 bits of each picture, and groups of those that differ in few of them."""

from __future__ import annotations

import numpy as np

from engine.opencv import cv2

BITS_APART = 5  # of 64, up to which two pictures look alike
BANDS = BITS_APART + 1  # of so many parts of the bits, one at least is the same in both
NEIGHBOURS = 32  # that each print is compared to for all prints at once
AT_ONCE = 1 << 22  # pairs that are compared at once


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
    BITS_APART from the next, leads from one to the other. Takes a second for 100,000.
    """
    groups = np.full(len(prints), -1, np.int64)
    places = np.flatnonzero(known)
    if len(places) < 2:
        return groups
    unique, inverse = np.unique(prints[places], return_inverse=True)
    own = _joined(unique)[inverse]
    size = np.bincount(own, minlength=len(unique))
    firsts = np.full(len(unique), len(prints), np.int64)
    np.minimum.at(firsts, own, places)
    firsts[size < 2] = len(prints)
    order = np.empty(len(unique), np.int64)
    order[np.argsort(firsts, kind="stable")] = np.arange(len(unique))
    shared = size[own] > 1
    groups[places[shared]] = order[own[shared]]
    return groups


def _joined(prints: np.ndarray) -> np.ndarray:
    """(M,) the root of each of M different prints; those with a chain between them have the same.

    Prints that are near have a band of bits in common. Of those that have, neighbours in the order of all bits are
    compared first; what is one by then need not be compared again, which matters where thousands are alike.
    """
    parent = np.arange(len(prints))
    edges = np.linspace(0, 64, BANDS + 1).round().astype(int)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        width = int(high - low)
        turned = (prints << np.uint64(64 - high)) | (prints >> np.uint64(high)) if high < 64 else prints
        order = np.argsort(turned)
        ordered, band = prints[order], turned[order] >> np.uint64(64 - width)
        for step in range(1, min(NEIGHBOURS + 1, len(prints))):
            near = (band[step:] == band[:-step]) & (_apart(ordered[step:], ordered[:-step]) <= BITS_APART)
            _join(parent, order[step:][near], order[:-step][near])
        starts = np.flatnonzero(np.r_[True, band[1:] != band[:-1], True])
        for place in np.flatnonzero(np.diff(starts) > NEIGHBOURS + 1):
            _join_all(parent, prints, order[starts[place] : starts[place + 1]])
    return parent


def _join_all(parent: np.ndarray, prints: np.ndarray, members: np.ndarray) -> None:
    """Join those of some prints that are near: all against those that are not of the largest part already."""
    roots, sizes = np.unique(parent[members], return_counts=True)
    if len(roots) == 1:
        return
    rest = members[parent[members] != roots[sizes.argmax()]]
    step = max(1, AT_ONCE // len(members))
    for start in range(0, len(rest), step):
        some = rest[start : start + step]
        a, b = np.nonzero(_apart(prints[some, None], prints[None, members]) <= BITS_APART)
        _join(parent, some[a], members[b])


def _join(parent: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Give both ends of each edge one root, the lower one; every entry of `parent` is a root before and after."""
    while True:
        one, other = parent[a], parent[b]
        differ = one != other
        if not differ.any():
            return
        a, b, one, other = a[differ], b[differ], one[differ], other[differ]
        np.minimum.at(parent, np.maximum(one, other), np.minimum(one, other))
        while (parent != (up := parent[parent])).any():
            parent[:] = up


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.bitwise_count(a ^ b)
