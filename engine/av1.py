"""The size of a picture as AV1 codes it (AV1 Bitstream and Decoding Process Specification, 5.3 and 5.5)."""

from __future__ import annotations

SEQUENCE_HEADER = 1
MOST_UNITS = 16  # before the sequence header, which comes first or second


def coded_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the sequence header of a picture's units; None where it is not found, or times frames."""
    at = 0
    for _ in range(MOST_UNITS):
        if at >= len(data):
            return None
        head = data[at]
        at += 2 if head & 4 else 1  # an extension follows
        length = len(data) - at
        if head & 2:
            length, at = _length(data, at)
        if head >> 3 & 15 == SEQUENCE_HEADER:
            return _sequence(data[at : at + length])
        at += length
    return None


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for n, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * n
        if not byte & 128:
            return value, at + n + 1
    return len(data), at


def _sequence(data: bytes) -> tuple[int, int] | None:
    bits, at = "".join(f"{byte:08b}" for byte in data[:128]), 3  # behind the profile

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at] or "0", 2)

    take(1)  # whether it is a still picture
    if take(1):  # a header reduced to what a still picture needs
        take(5)
    else:
        if take(1):  # times of frames, which no still picture has
            return None
        delayed = take(1)
        for _ in range(take(5) + 1):  # operating points
            take(12)
            if take(5) > 7:
                take(1)
            if delayed and take(1):
                take(4)
    across, down = take(4) + 1, take(4) + 1
    width, height = take(across) + 1, take(down) + 1
    return (width, height) if at <= len(bits) else None
