"""Sign with a straight-through gradient, binary convolution, and XNOR-Net's weight procedure."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Bit(torch.autograd.Function):
    """1 where x > 0, else 0, in x's dtype; the gradient of sign(x) = 2 bit - 1 passes where |x| < 1."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clone().gt_(0)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient * 0.5, x, -1.0, 1.0)


class _Sign(torch.autograd.Function):
    """+1 where x > 0, else -1; the gradient passes where |x| < 1 (network.md 2)."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clone().gt_(0).mul_(2).sub_(1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, x, -1.0, 1.0)


def sign(x: Tensor) -> Tensor:
    """Binarise; sign(0) = -1. Any shape, same dtype."""
    return _Sign.apply(x)


class BinaryConv2d(nn.Module):
    """alpha * conv(sign(x), sign(W)) with alpha = mean |W| of a filter, differentiable (XNOR-Net).

    `pad` (-1 or 0) is what the border sees. With -1 the convolution runs over bits: since
    sign = 2 bit - 1, conv(sign, W) = 2 conv(bit, W) - sum(W), and a zero bit outside is exactly the -1.
    That needs no padded copy and no pass over the output. While `frozen`, alpha alone trains;
    where it passes 0, the whole filter turns, which is what a negative alpha would do.
    """

    frozen = False

    def __init__(self, cin: int, cout: int, kernel: int, pad: int) -> None:
        super().__init__()
        self.kernel, self.pad = kernel, pad
        self.weight = nn.Parameter(torch.empty(cout, cin, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, mode="fan_in", nonlinearity="relu")
        self.constrain()

    def forward(self, x: Tensor) -> Tensor:
        """Real (N, Ci, H, W), not yet binarised, to (N, Co, H, W)."""
        signs = sign(self.weight)
        scaled = (signs.detach() if self.frozen else signs) * self.weight.abs().mean((1, 2, 3), keepdim=True)
        if self.pad == 0:
            return functional.conv2d(sign(x), scaled.to(x.dtype), padding=self.kernel // 2)
        bias = -scaled.sum((1, 2, 3))
        return functional.conv2d(_Bit.apply(x), (2 * scaled).to(x.dtype), bias.to(x.dtype), padding=self.kernel // 2)

    @torch.no_grad()
    def constrain(self) -> None:
        """Centre over the input channels, then clamp to [-1, 1]: after every step, on the stored weights."""
        if not self.frozen:
            self.weight.sub_(self.weight.mean(1, keepdim=True)).clamp_(-1, 1)

    @torch.no_grad()
    def settle(self) -> None:
        """Centre weights that lie at +-alpha and keep their alphas, so that `constrain` has nothing to change."""
        alpha = self.weight.abs().mean((1, 2, 3), keepdim=True)
        self.weight.sub_(self.weight.mean(1, keepdim=True))
        self.weight.mul_(alpha / self.weight.abs().mean((1, 2, 3), keepdim=True).clamp(min=1e-12))


def convolve(x: Tensor, weight: Tensor, pad: int) -> Tensor:
    """Same-size convolution of +-1 tensors with `pad` outside the picture: (N, Ci, H, W) -> (N, Co, H, W)."""
    border = weight.shape[-1] // 2
    if pad and border:
        x = functional.pad(x, (border,) * 4, value=float(pad))
        border = 0
    return functional.conv2d(x, weight.to(x.dtype), padding=border)


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


def binary_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Pixel-wise sigmoid cross-entropy, the paper's loss, as the mean over labelled landmarks' pixels.

    logits, target (N, K, h, w) float32; weight (N, K) float32, 0 leaves a landmark out.
    """
    pixels = logits.shape[-1] * logits.shape[-2]
    total = _BinaryCrossEntropy.apply(logits, target, weight[:, :, None, None])
    return total / (weight.sum().clamp(min=1) * pixels)
