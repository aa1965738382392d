"""The kernels as functions that PyTorch differentiates."""

from __future__ import annotations

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.train.gpu import kernels

PROGRAMS = 528  # of a sum over rows: four to a multiprocessor of an H100
FORWARD_TILE, BACKWARD_TILE = 8192, 4096  # values that a program holds at a time


def channels_last(x: Tensor) -> Tensor:
    """The map with its channels side by side in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def _blocks(channels: int, values: int) -> tuple[int, int]:
    """Channels and rows of a tile."""
    wide = triton.next_power_of_2(channels)
    return wide, max(8, values // wide)


def _rows(count: int, tile: int) -> int:
    """Rows of one program where PROGRAMS share them in whole tiles."""
    return triton.cdiv(triton.cdiv(count, PROGRAMS), tile) * tile


class NormActivation(torch.autograd.Function):
    """Batch-norm in training, then sign or ReLU, then a border: (N, C, H, W) to (N, C, H + 2b, W + 2b) of `kind`."""

    @staticmethod
    def forward(
        ctx, x: Tensor, gamma: Tensor, beta: Tensor, running: tuple[Tensor, Tensor], sums: Tensor, border: int,
        outside: float, relu: bool, eps: float, momentum: float, kind: torch.dtype,
    ) -> Tensor:  # fmt: skip
        """`sums` (4, C) float32 must be 0 at each forward pass; the backward pass uses its second half."""
        x = channels_last(x.to(kind))
        n, c, h, w = x.shape
        rows, out_rows = n * h * w, n * (h + 2 * border) * (w + 2 * border)
        wide, tile = _blocks(c, FORWARD_TILE)
        each = _rows(rows, tile)
        kernels.sum_rows[(triton.cdiv(rows, each),)](x, sums, rows, each, c, wide, tile, num_warps=8)
        out = torch.empty(
            (n, c, h + 2 * border, w + 2 * border), dtype=kind, device=x.device, memory_format=torch.channels_last
        )
        kernels.activate[(triton.cdiv(out_rows, tile),)](
            x, out, sums, gamma, beta, *running, rows, out_rows, h, w, eps, momentum, c, wide, tile, border, outside,
            relu, num_warps=8,
        )  # fmt: skip
        ctx.save_for_backward(x, gamma, beta)
        ctx.rest = sums, border, relu, eps
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        x, gamma, beta = ctx.saved_tensors
        sums, border, relu, eps = ctx.rest
        n, c, h, w = x.shape
        rows, gradient = n * h * w, channels_last(gradient)
        wide, tile = _blocks(c, BACKWARD_TILE)
        each, summed = _rows(rows, tile), sums[2:]
        kernels.sum_gradients[(triton.cdiv(rows, each),)](
            x, gradient, sums, summed, gamma, beta, rows, h, w, eps, each, c, wide, tile, border, relu, num_warps=8
        )
        inner = torch.empty_like(x)
        kernels.input_gradient[(triton.cdiv(rows, tile),)](
            x, gradient, inner, sums, summed, gamma, beta, rows, h, w, eps, c, wide, tile, border, relu, num_warps=8
        )
        return inner, summed[1].clone(), summed[0].clone(), *[None] * 8


def _filter(weight: Tensor) -> tuple[int, int, int, int]:
    """Input channels, taps and their blocks of a filter."""
    if not weight.is_contiguous():  # the kernels walk through it as (O, I, k, k)
        raise ValueError("the weights must be contiguous")
    channels, taps = weight.shape[1], weight.shape[2] * weight.shape[3]
    return channels, taps, triton.next_power_of_2(channels), triton.next_power_of_2(taps)


class ScaledSigns(torch.autograd.Function):
    """alpha * sign(W) of (O, I, k, k) float32, contiguous, as channels_last of `kind`; the gradient is `autograd`'s of
    `engine.train.binary`."""

    @staticmethod
    def forward(ctx, weight: Tensor, kind: torch.dtype) -> Tensor:
        out = torch.empty(weight.shape, dtype=kind, device=weight.device, memory_format=torch.channels_last)
        kernels.binarize[(len(weight),)](weight, out, *_filter(weight), num_warps=4)
        ctx.save_for_backward(weight)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (weight,) = ctx.saved_tensors
        out = torch.empty_like(weight)
        kernels.binarize_gradient[(len(weight),)](weight, channels_last(gradient), out, *_filter(weight), num_warps=4)
        return out, None


@torch.no_grad()
def constrain(weight: Tensor) -> None:
    """`BinaryConv2d.constrain` of (O, I, k, k) float32, contiguous, in one kernel."""
    kernels.constrain[(len(weight),)](weight, *_filter(weight), num_warps=4)
