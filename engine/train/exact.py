"""Convolutions and batch-norm whose sums over pictures do not depend on how the batch is divided.

In a binarized network one rounding more or less flips signs, and a few steps later two runs are strangers. So
all sums over pictures (batch-norm's statistics and gradients, the gradients of weights and biases) are made for a
few pictures at a time, the same few whoever has them, and added up in float64, over all processes: two processes
then train the very same weights as one with the whole batch, in float32 and in bfloat16. PyTorch's own
synchronised batch-norm does not, and runs on CUDA alone.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable

from engine.train.binary import BinaryConv2d

MOST = 8  # processes for which a batch is divided alike


def pictures_together(batch: int) -> int:
    """How many pictures are summed at a time, so that up to eight processes that share a batch have whole parts."""
    return batch // math.lcm(*(n for n in range(1, MOST + 1) if batch % n == 0))


def _total(sums: Tensor) -> Tensor:
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(sums)
    return sums


class _Convolution(torch.autograd.Function):
    """A convolution with the weight and bias gradients of all processes' pictures, `part` of them at a time."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, part: int) -> Tensor:
        ctx.kind, weight = weight.dtype, weight.to(x.dtype)
        bias = None if bias is None else bias.to(x.dtype)
        ctx.save_for_backward(x, weight)
        ctx.how, ctx.has_bias = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1), bias is not None
        ctx.part = part
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
            return inner, None, None, None, None, None
        count, biases = weight.numel(), len(weight) * ctx.has_bias
        sums = torch.zeros(count + biases, dtype=torch.float64, device=x.device)
        for g, few in zip(gradient.split(ctx.part), x.split(ctx.part), strict=True):
            one = backward(g, few, weight, None, *ctx.how, [False, True, False])[1]
            sums[:count] += one.flatten()
        if ctx.has_bias:
            sums[count:] = gradient.sum((2, 3), dtype=torch.float32).sum(0, dtype=torch.float64)
        sums = _total(sums).to(ctx.kind)
        return inner, sums[:count].view_as(weight), sums[count:] if ctx.has_bias else None, None, None, None


def convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0, part: int = 1
) -> Tensor:
    """`torch.conv2d`, in autocast's type where that is on, with gradients summed as this module says."""
    if torch.is_autocast_enabled(x.device.type):
        x = x.to(torch.get_autocast_dtype(x.device.type))
    return _Convolution.apply(x, weight, bias, stride, padding, part)


class ExactConv2d(nn.Conv2d):
    """`nn.Conv2d` with gradients summed as this module says."""

    part = 1

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return convolution(input, weight, bias, self.stride[0], self.padding[0], self.part)


class _Norm(torch.autograd.Function):
    """Scale and shift by the mean and variance of all processes' pictures, `part` of them at a time.

    Gradients of scale and shift are those of all pictures where `whole`, else of this process's.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, eps: float, whole: bool, part: int):
        c, each = len(weight), x.numel() // (len(x) * len(weight))
        told = [(len(few) * each, torch.batch_norm_update_stats(few, None, None, 0.0)) for few in x.split(part)]
        sums = x.new_zeros(c + 1, dtype=torch.float64)
        for number, (own, _) in told:
            sums[:c] += number * own.double()
            sums[c] += number
        sums = _total(sums)
        count, mean = sums[c].clone(), sums[:c] / sums[c]
        spread = x.new_zeros(c, dtype=torch.float64)
        for number, (own, variance) in told:  # of a part around its own mean, then around everybody's
            spread += number * (variance.double() + (own.double() - mean).square())
        variance = _total(spread) / count
        ctx.whole, ctx.part, ctx.eps = whole, part, eps
        ctx.save_for_backward(x, weight, mean.float(), variance.float(), count)
        ctx.mark_non_differentiable(mean, variance, count)
        y = torch.batch_norm(x, weight, bias, mean.float(), variance.float(), False, 0.0, eps, False)
        return y, mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor, *_: Tensor):
        x, weight, mean, variance, count = ctx.saved_tensors
        backward, mask = torch.ops.aten.native_batch_norm_backward, [False, True, True]
        mine = x.new_zeros((2, len(weight)), dtype=torch.float64)
        for g, few in zip(gradient.split(ctx.part), x.split(ctx.part), strict=True):
            _, along, shift = backward(g, few, weight, mean, variance, None, None, False, ctx.eps, mask)
            mine[0] += along
            mine[1] += shift
        sums = _total(mine.clone())
        along, shift = sums if ctx.whole else mine
        scale = (variance.double() + ctx.eps).rsqrt()
        slope = sums[0] / count * scale
        a = weight.double() * scale
        inner = torch.addcmul((a * (slope * mean - sums[1] / count)).float()[:, None, None], x.float(),
                              (-a * slope).float()[:, None, None])  # fmt: skip
        inner = inner.addcmul_(gradient, a.float()[:, None, None]).to(gradient.dtype)
        return inner, along.to(weight.dtype), shift.to(weight.dtype), None, None, None


class SharedNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose statistics in training are those of all processes' pictures, on any device."""

    whole = True  # False: gradients of scale and shift are left to somebody else to add up
    part = 1

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        y, mean, variance, count = _Norm.apply(x, self.weight, self.bias, self.eps, self.whole, self.part)
        self.num_batches_tracked.add_(1)
        factor = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.float(), factor)
        self.running_var.lerp_((variance * (count / (count - 1))).float(), factor)
        return y


def share_norms(network: nn.Module, whole: bool, part: int) -> None:
    """Give batch-norms the statistics of all processes, in place; parameters, buffers and names stay."""
    for layer in network.modules():
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = SharedNorm
            layer.whole, layer.part = whole, part


def make_exact(network: nn.Module, batch: int) -> None:
    """Let all sums over pictures be made as this module says, in place; parameters, buffers and names stay."""
    part = pictures_together(batch)
    share_norms(network, True, part)
    for layer in network.modules():
        if type(layer) is nn.Conv2d:
            layer.__class__ = ExactConv2d
            layer.part = part
        elif isinstance(layer, BinaryConv2d):
            layer.convolution = partial(convolution, part=part)
