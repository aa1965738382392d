"""Convolutions and batch-norm whose sums over pictures do not depend on how the batch is divided.

In a binarized network one rounding more or less flips signs, and a few steps later two runs are strangers. So
all sums over pictures (batch-norm's statistics and gradients, the gradients of weights and biases) are made one
picture at a time and added up in float64, over all processes: two processes then train the very same weights as
one with the whole batch. PyTorch's own synchronised batch-norm does not, and runs on CUDA alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable

from engine.train.binary import BinaryConv2d


def _total(sums: Tensor) -> Tensor:
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(sums)
    return sums


class _Convolution(torch.autograd.Function):
    """A convolution with the weight and bias gradients of all processes' pictures."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how, ctx.has_bias = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1), bias is not None
        return torch.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        backward = torch.ops.aten.convolution_backward
        inner = None
        if ctx.needs_input_grad[0]:
            inner = backward(gradient, x, weight, None, *ctx.how, [True, False, False])[0]
        if not ctx.needs_input_grad[1]:
            return inner, None, None, None, None
        count, biases = weight.numel(), len(weight) * ctx.has_bias
        sums = torch.zeros(count + biases, dtype=torch.float64, device=x.device)
        for n in range(len(x)):
            one = backward(gradient[n : n + 1], x[n : n + 1], weight, None, *ctx.how, [False, True, False])[1]
            sums[:count] += one.flatten()
        if ctx.has_bias:
            sums[count:] = gradient.sum((0, 2, 3), dtype=torch.float64)
        sums = _total(sums).float()
        return inner, sums[:count].view_as(weight), sums[count:] if ctx.has_bias else None, None, None


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0) -> Tensor:
    """`torch.conv2d` of float32, with gradients summed as this module says."""
    return _Convolution.apply(x, weight, bias, stride, padding)


class ExactConv2d(nn.Conv2d):
    """`nn.Conv2d` with gradients summed as this module says."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return convolution(input, weight, bias, self.stride[0], self.padding[0])


class _Norm(torch.autograd.Function):
    """Scale and shift by the mean and variance of all processes' pictures.

    Gradients of scale and shift are those of all pictures where `whole`, else of this process's.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, eps: float, whole: bool):
        real = x.float()
        sums = torch.empty(len(weight) + 1, dtype=torch.float64, device=x.device)
        sums[:-1], sums[-1] = real.sum((0, 2, 3), dtype=torch.float64), x.numel() // len(weight)
        _total(sums)
        count = sums[-1].clone()
        mean = sums[:-1] / count
        centred = real - mean.float()[:, None, None]
        variance = _total(centred.square().sum((0, 2, 3), dtype=torch.float64)) / count
        scale = (variance + eps).rsqrt().float()
        ctx.whole = whole
        ctx.save_for_backward(centred, weight, scale, count)
        ctx.mark_non_differentiable(mean, variance, count)
        y = torch.addcmul(bias[:, None, None], centred, (scale * weight)[:, None, None])
        return y.to(x.dtype), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor, *_: Tensor):
        centred, weight, scale, count = ctx.saved_tensors
        real = gradient.float()
        mine = torch.stack([real.sum((0, 2, 3), dtype=torch.float64),
                            (real * centred).sum((0, 2, 3), dtype=torch.float64)])  # fmt: skip
        sums = _total(mine.clone())
        mean, slope = (sums[0] / count).float(), (sums[1] / count * scale.double() ** 2).float()
        inner = torch.addcmul(real - mean[:, None, None], centred, slope[:, None, None], value=-1)
        inner = (inner * (scale * weight)[:, None, None]).to(gradient.dtype)
        shift, along = sums if ctx.whole else mine
        return inner, (along * scale.double()).to(weight.dtype), shift.to(weight.dtype), None, None


class SharedNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose statistics in training are those of all processes' pictures, on any device."""

    whole = True  # False: gradients of scale and shift are left to somebody else to add up

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        y, mean, variance, count = _Norm.apply(x, self.weight, self.bias, self.eps, self.whole)
        self.num_batches_tracked.add_(1)
        factor = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.float(), factor)
        self.running_var.lerp_((variance * (count / (count - 1))).float(), factor)
        return y


def share_norms(network: nn.Module, whole: bool) -> None:
    """Give batch-norms the statistics of all processes, in place; parameters, buffers and names stay."""
    for layer in network.modules():
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = SharedNorm
            layer.whole = whole


def make_exact(network: nn.Module) -> None:
    """Let all sums over pictures be made as this module says, in place; parameters, buffers and names stay."""
    share_norms(network, True)
    for layer in network.modules():
        if type(layer) is nn.Conv2d:
            layer.__class__ = ExactConv2d
        elif isinstance(layer, BinaryConv2d):
            layer.convolution = convolution
