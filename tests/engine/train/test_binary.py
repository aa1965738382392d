"""Sign, binary convolution and loss against the same written out with torch's own operations."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from engine.train.binary import BinaryConv2d, convolve, sign  # noqa: E402
from engine.train.losses import heatmap_loss  # noqa: E402


def values(*shape: int, seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    """Random float64, a tenth of them exactly 0."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64) * spread
    return x * (torch.rand(shape, generator=generator) > 0.1)


def layer(kernel: int, pad: int, cin: int = 5, cout: int = 4) -> BinaryConv2d:
    torch.manual_seed(3)
    made = BinaryConv2d(cin, cout, kernel, pad).double()
    with torch.no_grad():
        made.weight[0, 0, 0, 0] = 0.0
    return made


def plain_sign(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, 1.0, -1.0).to(x.dtype)


def written_out(x: torch.Tensor, weight: torch.Tensor, pad: int) -> torch.Tensor:
    """alpha * conv(sign(x) with `pad` around it, sign(W))."""
    border = weight.shape[-1] // 2
    padded = functional.pad(plain_sign(x), (border,) * 4, value=float(pad))
    alpha = weight.abs().mean((1, 2, 3))
    return functional.conv2d(padded, plain_sign(weight)) * alpha[None, :, None, None]


@pytest.mark.parametrize("pad", [-1, 0])
@pytest.mark.parametrize("kernel", [1, 3])
def test_a_binary_convolution_is_the_explicit_one(kernel: int, pad: int) -> None:
    conv, x = layer(kernel, pad), values(2, 5, 6, 7)
    with torch.no_grad():
        torch.testing.assert_close(conv(x), written_out(x, conv.weight, pad), rtol=1e-12, atol=1e-12)


def test_what_lies_outside_matters() -> None:
    """Else the test above would pass for a layer that ignores `pad`."""
    x = values(1, 5, 4, 4)
    with torch.no_grad():
        one, other = layer(3, -1)(x), layer(3, 0)(x)
    assert not torch.allclose(one, other)
    torch.testing.assert_close(one[:, :, 1:-1, 1:-1], other[:, :, 1:-1, 1:-1])


@pytest.mark.parametrize("pad", [-1, 0])
def test_the_eval_paths_convolution_agrees(pad: int) -> None:
    conv, x = layer(3, pad), values(2, 5, 6, 7)
    with torch.no_grad():
        total = convolve(plain_sign(x), plain_sign(conv.weight), pad)
        alpha = conv.weight.abs().mean((1, 2, 3))
        torch.testing.assert_close(total * alpha[None, :, None, None], conv(x), rtol=1e-12, atol=1e-12)


def test_the_sign_of_nothing_is_minus_one() -> None:
    x = torch.tensor([-2.0, -1e-30, -0.0, 0.0, 1e-30, 2.0])
    assert sign(x).tolist() == [-1, -1, -1, -1, 1, 1]
    assert x.tolist() == [-2.0, pytest.approx(-1e-30), 0.0, 0.0, pytest.approx(1e-30), 2.0]  # not changed in place


def test_the_gradient_passes_only_inside_one() -> None:
    x = torch.tensor([-1.5, -1.0, -0.99, 0.0, 0.99, 1.0, 1.5], requires_grad=True)
    sign(x).backward(torch.full((7,), 3.0))
    assert x.grad.tolist() == [0, 0, 3, 3, 3, 0, 0]


@pytest.mark.parametrize("pad", [-1, 0])
def test_gradients_of_a_binary_convolution_are_those_of_sign(pad: int) -> None:
    """Both forms of the layer learn as conv(sign(x), sign(W)) * alpha would, straight through."""
    conv, x = layer(3, pad), values(2, 5, 6, 7).requires_grad_()
    towards = values(2, 4, 6, 7, seed=9)
    conv(x).backward(towards)
    mine, of_weight = x.grad.clone(), conv.weight.grad.clone()
    x.grad = conv.weight.grad = None
    alpha = conv.weight.abs().mean((1, 2, 3), keepdim=True)
    border = functional.pad(sign(x), (1,) * 4, value=float(pad))
    functional.conv2d(border, sign(conv.weight) * alpha).backward(towards)
    torch.testing.assert_close(mine, x.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(of_weight, conv.weight.grad, rtol=1e-12, atol=1e-12)
    assert (mine[x.detach().abs() >= 1] == 0).all() and (mine[x.detach().abs() < 1] != 0).any()


def test_constrain_centres_and_clamps() -> None:
    conv = layer(3, -1)
    drawn = values(4, 5, 3, 3, seed=2, spread=2.0)
    with torch.no_grad():
        conv.weight.copy_(drawn)
    conv.constrain()
    expected = (drawn - drawn.mean(1, keepdim=True)).clamp(-1, 1)
    torch.testing.assert_close(conv.weight.detach(), expected)
    assert conv.weight.abs().max() == 1
    with torch.no_grad():
        conv.weight.copy_(drawn / 100 + 0.3)
    conv.constrain()
    torch.testing.assert_close(conv.weight.detach().mean(1), torch.zeros(4, 3, 3, dtype=torch.float64))


def test_the_loss_is_torchs_own_with_weights() -> None:
    logits = values(2, 3, 4, 5, spread=4.0).requires_grad_()
    target = torch.rand(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weight = torch.tensor([[1.0, 0.5, 0.0], [1.0, 1.0, 0.25]], dtype=torch.float64)
    loss = heatmap_loss("bce", [logits], target, weight)
    (2 * loss).backward()
    gradient, logits.grad = logits.grad.clone(), None
    expected = functional.binary_cross_entropy_with_logits(
        logits, target, weight[:, :, None, None].expand_as(target), reduction="sum"
    ) / (weight.sum() * 20)
    (2 * expected).backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradient, logits.grad)
    assert (gradient[0, 2] == 0).all()


def test_the_loss_stays_finite_for_wild_logits_and_no_labels() -> None:
    logits = torch.tensor([[[[-500.0, 500.0]]]], requires_grad=True)
    loss = heatmap_loss("bce", [logits], torch.tensor([[[[1.0, 0.0]]]]), torch.ones(1, 1))
    loss.backward()
    assert loss.item() == 500 and logits.grad.flatten().tolist() == [-0.5, 0.5]
    nothing = heatmap_loss("bce", [logits], torch.zeros(1, 1, 1, 2), torch.zeros(1, 1))
    assert nothing.item() == 0
