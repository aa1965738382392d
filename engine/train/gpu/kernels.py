"""Triton kernels: batch-norm with what follows it in one pass, and the binarization of weights.

Maps lie in memory as (rows, C), row = (n * H + h) * W + w, which is PyTorch's channels_last; `M` is their number of
rows. An output with a border has H + 2 and W + 2 in place of H and W. Weights lie as (O, CI, k * k), PyTorch's own
order, and binarized ones as (O, k * k, CI), which is channels_last again. `BC`, `BK` and `BM` are block sizes, `BC` and
`BK` the next powers of two of C or CI and of k * k. Sums are made in float32. With `RELU` a kernel ends in ReLU, as in
real-valued networks, else in the sign, whose gradient passes where |y| < 1 (`engine.train.binary`). Training's
formulas are those of batch normalisation (Ioffe & Szegedy, ICML 2015).
"""

from __future__ import annotations

import triton
from triton import language as tl


@triton.jit
def sum_rows(x, sums, M, ROWS, C: tl.constexpr, BC: tl.constexpr, BM: tl.constexpr):
    """Add sum and sum of squares over rows of x (M, C) to sums (2, C) float32; each program takes ROWS rows."""
    program, c = tl.program_id(0), tl.arange(0, BC)
    known = c < C
    total, squares = tl.zeros([BC], tl.float32), tl.zeros([BC], tl.float32)
    for start in range(0, ROWS, BM):
        row = program * ROWS + start + tl.arange(0, BM)
        inside = (row < M)[:, None] & known[None, :]
        v = tl.load(x + row[:, None] * C + c[None, :], mask=inside, other=0.0).to(tl.float32)
        total += tl.sum(v, 0)
        squares += tl.sum(v * v, 0)
    tl.atomic_add(sums + c, total, mask=known)
    tl.atomic_add(sums + C + c, squares, mask=known)


@triton.jit
def moments(sums, c, known, M, C: tl.constexpr):
    """Mean and biased variance, each (BC,), from what `sum_rows` made."""
    mean = tl.load(sums + c, mask=known, other=0.0) / M
    return mean, tl.maximum(tl.load(sums + C + c, mask=known, other=1.0) / M - mean * mean, 0.0)


@triton.jit
def activate(
    x, out, sums, gamma, beta, running_mean, running_var, M, MO, H, W, eps, momentum,
    C: tl.constexpr, BC: tl.constexpr, BM: tl.constexpr, BORDER: tl.constexpr, OUTSIDE: tl.constexpr,
    RELU: tl.constexpr,
):  # fmt: skip
    """Batch-norm of x (M, C) and sign or ReLU into out (MO, C), around it BORDER pixels of the value OUTSIDE.

    The first program also moves the running mean and the running unbiased variance on, as PyTorch does.
    """
    program, c = tl.program_id(0), tl.arange(0, BC)
    known = c < C
    mean, variance = moments(sums, c, known, M, C)
    if program == 0:
        old_mean = tl.load(running_mean + c, mask=known, other=0.0)
        old_var = tl.load(running_var + c, mask=known, other=0.0)
        tl.store(running_mean + c, old_mean + momentum * (mean - old_mean), mask=known)
        unbiased = variance * (M / tl.maximum(M - 1.0, 1.0))
        tl.store(running_var + c, old_var + momentum * (unbiased - old_var), mask=known)
    scale = tl.load(gamma + c, mask=known, other=0.0) / tl.sqrt(variance + eps)
    shift = tl.load(beta + c, mask=known, other=0.0) - mean * scale
    row = program * BM + tl.arange(0, BM)
    if BORDER == 1:
        w, rest = row % (W + 2), row // (W + 2)
        h, n = rest % (H + 2), rest // (H + 2)
        inside = (w > 0) & (w <= W) & (h > 0) & (h <= H) & (row < MO)
        source = (n * H + h - 1) * W + w - 1
    else:
        inside = row < MO
        source = row
    inside = inside[:, None] & known[None, :]
    v = tl.load(x + source[:, None] * C + c[None, :], mask=inside, other=0.0).to(tl.float32)
    y = v * scale[None, :] + shift[None, :]
    if RELU:
        y = tl.maximum(y, 0.0)
    else:
        y = tl.where(y > 0, 1.0, -1.0)
    y = tl.where(inside, y, OUTSIDE)
    tl.store(out + row[:, None] * C + c[None, :], y, mask=(row < MO)[:, None] & known[None, :])


@triton.jit
def passed(
    x, gradient, sums, gamma, beta, row, c, known, M, H, W, eps, C: tl.constexpr, BORDER: tl.constexpr,
    RELU: tl.constexpr,
):  # fmt: skip
    """Of rows of x: normalised values, the gradient that sign or ReLU lets through, 1 / deviation, gamma, which are."""
    mean, variance = moments(sums, c, known, M, C)
    inverse = 1.0 / tl.sqrt(variance + eps)
    scale, shift = tl.load(gamma + c, mask=known, other=0.0), tl.load(beta + c, mask=known, other=0.0)
    if BORDER == 1:
        w, rest = row % W, row // W
        h, n = rest % H, rest // H
        place = (n * (H + 2) + h + 1) * (W + 2) + w + 1
    else:
        place = row
    inside = (row < M)[:, None] & known[None, :]
    v = tl.load(x + row[:, None] * C + c[None, :], mask=inside, other=0.0).to(tl.float32)
    g = tl.load(gradient + place[:, None] * C + c[None, :], mask=inside, other=0.0).to(tl.float32)
    normal = (v - mean[None, :]) * inverse[None, :]
    y = normal * scale[None, :] + shift[None, :]
    if RELU:
        g = tl.where((y > 0) & inside, g, 0.0)
    else:
        g = tl.where((y > -1.0) & (y < 1.0) & inside, g, 0.0)
    return normal, g, inverse, scale, inside


@triton.jit
def sum_gradients(
    x, gradient, sums, into, gamma, beta, M, H, W, eps, ROWS,
    C: tl.constexpr, BC: tl.constexpr, BM: tl.constexpr, BORDER: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """Add the gradients of beta and gamma, in this order, to into (2, C) float32."""
    program, c = tl.program_id(0), tl.arange(0, BC)
    known = c < C
    shift, along = tl.zeros([BC], tl.float32), tl.zeros([BC], tl.float32)
    for start in range(0, ROWS, BM):
        row = program * ROWS + start + tl.arange(0, BM)
        normal, g, inverse, scale, inside = passed(
            x, gradient, sums, gamma, beta, row, c, known, M, H, W, eps, C, BORDER, RELU
        )
        shift += tl.sum(g, 0)
        along += tl.sum(g * normal, 0)
    tl.atomic_add(into + c, shift, mask=known)
    tl.atomic_add(into + C + c, along, mask=known)


@triton.jit
def input_gradient(
    x, gradient, out, sums, summed, gamma, beta, M, H, W, eps,
    C: tl.constexpr, BC: tl.constexpr, BM: tl.constexpr, BORDER: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """The gradient of x into out (M, C); summed (2, C) is what `sum_gradients` made."""
    program, c = tl.program_id(0), tl.arange(0, BC)
    known = c < C
    row = program * BM + tl.arange(0, BM)
    normal, g, inverse, scale, inside = passed(
        x, gradient, sums, gamma, beta, row, c, known, M, H, W, eps, C, BORDER, RELU
    )
    shift = tl.load(summed + c, mask=known, other=0.0) / M
    along = tl.load(summed + C + c, mask=known, other=0.0) / M
    result = (g - shift[None, :] - normal * along[None, :]) * (scale * inverse)[None, :]
    tl.store(out + row[:, None] * C + c[None, :], result, mask=inside)


@triton.jit
def binarize(weight, out, CI: tl.constexpr, K: tl.constexpr, BC: tl.constexpr, BK: tl.constexpr):
    """alpha * sign(weight) of one filter a program: (O, CI, K) float32 to (O, K, CI); alpha is its mean |weight|."""
    o, c, k = tl.program_id(0), tl.arange(0, BC), tl.arange(0, BK)
    inside = (c < CI)[:, None] & (k < K)[None, :]
    v = tl.load(weight + o * CI * K + c[:, None] * K + k[None, :], mask=inside, other=0.0)
    alpha = tl.sum(tl.sum(tl.abs(v), 0), 0) / (CI * K)
    tl.store(out + o * CI * K + k[None, :] * CI + c[:, None], tl.where(v > 0, alpha, -alpha), mask=inside)


@triton.jit
def binarize_gradient(
    weight, gradient, out, CI: tl.constexpr, K: tl.constexpr, BC: tl.constexpr, BK: tl.constexpr
):  # fmt: skip
    """alpha 1{|W| < 1} g + sign(W) mean(sign(W) g) of one filter a program; gradient (O, K, CI), out (O, CI, K)."""
    o, c, k = tl.program_id(0), tl.arange(0, BC), tl.arange(0, BK)
    inside = (c < CI)[:, None] & (k < K)[None, :]
    place = o * CI * K + c[:, None] * K + k[None, :]
    v = tl.load(weight + place, mask=inside, other=0.0)
    g = tl.load(gradient + o * CI * K + k[None, :] * CI + c[:, None], mask=inside, other=0.0).to(tl.float32)
    alpha = tl.sum(tl.sum(tl.abs(v), 0), 0) / (CI * K)
    sign = tl.where(v > 0, 1.0, -1.0)
    mean = tl.sum(tl.sum(tl.where(inside, sign * g, 0.0), 0), 0) / (CI * K)
    result = tl.where((v > -1.0) & (v < 1.0), alpha * g, 0.0) + sign * mean
    tl.store(out + place, result, mask=inside)


@triton.jit
def constrain(weight, CI: tl.constexpr, K: tl.constexpr, BC: tl.constexpr, BK: tl.constexpr):
    """Centre (O, CI, K) float32 over the input channels and clamp to [-1, 1], in place, one filter a program."""
    o, c, k = tl.program_id(0), tl.arange(0, BC), tl.arange(0, BK)
    inside = (c < CI)[:, None] & (k < K)[None, :]
    place = weight + o * CI * K + c[:, None] * K + k[None, :]
    v = tl.load(place, mask=inside, other=0.0)
    mean = tl.sum(v, 0) / CI
    tl.store(place, tl.minimum(tl.maximum(v - mean[None, :], -1.0), 1.0), mask=inside)
