"""Sums over pictures that do not depend on how a batch is divided: the same as PyTorch's, but for rounding."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from engine.train.exact import SharedNorm, convolution, pictures_together, share_norms  # noqa: E402


@pytest.mark.parametrize(("batch", "few"), [(16, 2), (64, 8), (8, 1), (6, 1), (10, 1), (32, 4), (2, 1), (11, 11)])
def test_parts_of_a_batch_are_whole_for_as_many_processes_as_share_it(batch: int, few: int) -> None:
    assert pictures_together(batch) == few
    assert all(batch // n % few == 0 for n in range(1, 9) if batch % n == 0)


@pytest.mark.parametrize("part", [1, 2, 6])
def test_convolution_has_the_gradients_of_pytorch_s(part: int) -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(6, 3, 9, 9), torch.randn(4, 3, 3, 3), torch.randn(4)
    found = []
    for one in (torch.conv2d, lambda *a, **k: convolution(*a, **k, part=part)):
        own = [value.clone().requires_grad_() for value in (x, weight, bias)]
        y = one(*own, stride=2, padding=1)
        y.square().sum().backward()
        found.append([y, *(value.grad for value in own)])
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("part", [1, 2, 4])
def test_batch_norm_has_the_values_and_gradients_of_pytorch_s(part: int) -> None:
    torch.manual_seed(1)
    x, pull = torch.randn(4, 5, 6, 6) * 3 + 2, torch.randn(4, 5, 6, 6)
    plain, shared = torch.nn.BatchNorm2d(5), torch.nn.Sequential(torch.nn.BatchNorm2d(5))
    with torch.no_grad():
        for norm in (plain, shared[0]):
            norm.weight.copy_(torch.arange(5) - 2.0)
            norm.bias.copy_(torch.arange(5) * 0.1)
    share_norms(shared, True, part)
    assert type(shared[0]) is SharedNorm
    found = []
    for norm in (plain, shared):
        own = x.clone().requires_grad_()
        y = norm(own)
        (y * pull).sum().backward()
        found.append([y, own.grad, *(p.grad for p in norm.parameters()), *norm.buffers()])
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
