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
    """+1 where x > 0, else -1; the gradient passes where |x| < 1."""

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


class _Torch7Weight(torch.autograd.Function):
    """alpha * sign(W) with the gradient of XNOR-Net's Torch code: g (alpha 1{|W| < 1} + 1/n) (1 - 1/Cin) n."""

    @staticmethod
    def forward(ctx, weight: Tensor) -> Tensor:
        alpha = weight.abs().mean((1, 2, 3), keepdim=True)
        ctx.save_for_backward(weight, alpha)
        return (weight.clone().gt_(0).mul_(2).sub_(1)) * alpha

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        weight, alpha = ctx.saved_tensors
        n, cin = weight[0].numel(), weight.shape[1]
        return gradient * (alpha * (weight.abs() < 1) + 1 / n) * ((1 - 1 / cin) * n)


class BinaryConv2d(nn.Module):
    """alpha * conv(sign(x), sign(W)) with alpha = mean |W| of a filter (XNOR-Net).

    `gradient` of the weights: `autograd` lets it through the differentiable alpha, which gives
    alpha 1{|W| < 1} g + sign(W) mean(sign(W) g). That is the formula of the paper on XNOR-Net but for the factor
    (1 - 1/Cin) n of each layer, and RMSprop and Adam divide factors out. `torch7` is what its code did instead.
    `real_weights` convolves with the real weights, for a training in two stages. `centring` and `clamp` say what
    `constrain` does.

    `pad` (-1 or 0) is what the border sees. With -1 the convolution runs over bits: since
    sign = 2 bit - 1, conv(sign, W) = 2 conv(bit, W) - sum(W), and a zero bit outside is exactly the -1.
    That needs no padded copy and no pass over the output. While `frozen`, alpha alone trains;
    where it passes 0, the whole filter turns, which is what a negative alpha would do.
    """

    frozen = False

    def __init__(self, cin: int, cout: int, kernel: int, pad: int) -> None:
        super().__init__()
        self.kernel, self.pad = kernel, pad
        self.gradient, self.real_weights, self.centring, self.clamp = "autograd", False, True, True
        self.convolution = torch.conv2d
        self.weight = nn.Parameter(torch.empty(cout, cin, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, mode="fan_in", nonlinearity="relu")
        self.constrain()

    def forward(self, x: Tensor) -> Tensor:
        """Real (N, Ci, H, W), not yet binarised, to (N, Co, H, W)."""
        scaled = self._scaled()
        if self.pad == 0:
            return self.convolution(sign(x), scaled.to(x.dtype), padding=self.kernel // 2)
        bias = -scaled.sum((1, 2, 3))
        return self.convolution(_Bit.apply(x), (2 * scaled).to(x.dtype), bias.to(x.dtype), padding=self.kernel // 2)

    def _scaled(self) -> Tensor:
        if self.real_weights and not self.frozen:
            return self.weight
        if self.gradient == "torch7" and not self.frozen:
            return _Torch7Weight.apply(self.weight)
        signs = sign(self.weight)
        return (signs.detach() if self.frozen else signs) * self.weight.abs().mean((1, 2, 3), keepdim=True)

    @torch.no_grad()
    def constrain(self) -> None:
        """Centre over the input channels, then clamp to [-1, 1]: after every step, on the stored weights."""
        if self.centring and not self.frozen:
            self.weight.sub_(self.weight.mean(1, keepdim=True))
        if self.clamp and not self.frozen:
            self.weight.clamp_(-1, 1)

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
