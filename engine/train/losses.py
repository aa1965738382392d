"""Losses on logits: the paper's sigmoid cross-entropy, the L2 that it is compared with, and softmax of parts."""

from __future__ import annotations

import torch
from torch import Tensor


class _BinaryCrossEntropy(torch.autograd.Function):
    """Sum of weight * BCE(logits, target); both passes without log_sigmoid, which is slow on CPUs."""

    @staticmethod
    def forward(ctx, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(logits, target, weight)
        loss = logits.clamp(min=0) - logits * target + (-logits.abs()).exp_().log1p_()
        return (loss * weight).sum()

    @staticmethod
    def backward(ctx, gradient: Tensor):
        logits, target, weight = ctx.saved_tensors
        return (torch.sigmoid(logits) - target) * (weight * gradient), None, None


def _total(kind: str, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    if kind == "softmax":  # cross-entropy between shares of a cell
        return -(target * torch.log_softmax(logits, 1) * weight).sum()
    if kind == "l2":  # on the sigmoid, whose own formula is safe for any logit
        return ((torch.sigmoid(logits) - target).square() * weight).sum()
    return _BinaryCrossEntropy.apply(logits, target, weight)


def heatmap_loss(
    kind: str, outputs: list[Tensor], target: Tensor, weight: Tensor, labelled: Tensor | None = None,
    balance: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`bce` or `l2`, the mean over labelled landmarks' pixels, summed over the stacks (intermediate supervision).

    outputs: each stack's logits, (N, K, h, w) float32, as target; weight (N, K) float32, 0 leaves a landmark out.
    `softmax`: the mean over labelled pictures' pixels, weight (N, 1); balance (K,) says how much each part counts.
    `labelled` is the sum of all weights where this is a part of the batch, else the weights' own.
    """
    if balance is not None:
        target = target * balance[:, None, None]
    pixels = target.shape[-1] * target.shape[-2]
    total = sum(_total(kind, logits, target, weight[:, :, None, None]) for logits in outputs)
    return total / ((weight.sum() if labelled is None else labelled).clamp(min=1) * pixels)
