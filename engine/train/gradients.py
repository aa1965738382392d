"""How large gradients are: real against binary networks, cross-entropy against L2 (Sec. 4.5 and 6 of the paper)."""

from __future__ import annotations

import math
from typing import Any

import torch

from engine.errors import UserError
from engine.train.distributed import Group, choose_device
from engine.train.fit import Fit
from engine.train.prepare import prepare
from engine.train.starting import Orders, Send, read_start

KINDS = ("real", "binary")
LOSSES = ("bce", "l2")
EVERYTHING = "all"
PAPER = "The paper finds gradients of cross-entropy 10 to 15 times those of L2, in binary networks."


def run(start: dict[str, Any], send: Send, orders: Orders) -> None:
    """Measure as the start line says, `steps` steps into a training and over `batches` batches; sends `done`.

    Its rows: {group, real_bce, real_l2, binary_bce, binary_l2}, the norm of the mean gradient of a group's
    convolution weights; the last row is of all. Raises UserError.
    """
    torch.set_num_threads(int(start.get("threads") or 1))
    steps, batches = int(start.get("steps") or 0), max(1, int(start.get("batches") or 4))
    found: dict[str, dict[str, float]] = {}
    variants = [(kind, loss) for kind in KINDS for loss in LOSSES]
    for n, (kind, loss) in enumerate(variants):
        fit = _fit(start, kind, loss, steps)
        for _ in range(steps):
            if orders.stopping:
                raise UserError("The measurement was stopped before its end; start it again.")
            fit.advance()
            send("progress", step=fit.step, done=(n + fit.step / (steps + batches)) / len(variants))
        for group, norm in norms(fit, batches).items():
            found.setdefault(group, {})[f"{kind}_{loss}"] = norm
        send("progress", step=steps, done=(n + 1) / len(variants))
    rows = [{"group": group, **values} for group, values in found.items()]
    send("done", rows=rows, ratios=ratios(found[EVERYTHING]), steps=steps, batches=batches, paper=PAPER)


def _fit(start: dict[str, Any], kind: str, loss: str, steps: int) -> Fit:
    """The same start values and data for each variant: only the kind of network and the loss differ."""
    settings = dict(start.get("settings") or {}) | {"real": kind == "real", "loss": loss, "steps": max(1, steps)}
    group = Group(device=choose_device(str(start.get("device") or "auto")))
    return prepare(read_start(start | {"settings": settings, "resume": False, "from": None}), group).fit


def norms(fit: Fit, batches: int) -> dict[str, float]:
    """L2 norm of the mean gradient over batches of convolution weights: by group of layers, and of all."""
    fit.trained.train()
    fit.network.zero_grad()
    for extra in range(batches):
        (fit.loss(fit.step + extra) / batches).backward()
    squares: dict[str, float] = {}
    for node in fit.network.graph.nodes:
        if node.op in ("stem", "binary", "conv", "head", "mix"):
            square = float(fit.network.layer(node).weight.grad.double().square().sum())
            for group in (_group(node.name), EVERYTHING):
                squares[group] = squares.get(group, 0.0) + square
    total = squares.pop(EVERYTHING)
    return {group: math.sqrt(square) for group, square in (squares | {EVERYTHING: total}).items()}


def _group(name: str) -> str:
    """stem.conv, stem.blocks, hourglass.4 to hourglass.1, or head; from the second stack on with its name before it."""
    parts = name.split(".")
    at = parts.pop(0) + "." if parts[0].startswith("stack") else ""
    if parts[0] == "hourglass":
        return f"{at}hourglass.{parts[1]}"
    if parts[0] == "stem":
        return "stem.conv" if parts[1] == "conv" else "stem.blocks"
    return f"{at}head"


def ratios(every: dict[str, float]) -> dict[str, float]:
    """How many times larger: real to binary for each loss, cross-entropy to L2 for each kind."""
    def ratio(one: str, other: str) -> float:
        return every[one] / every[other] if every[other] else math.inf

    return {f"real to binary, {loss}": ratio(f"real_{loss}", f"binary_{loss}") for loss in LOSSES} | {
        f"bce to l2, {kind}": ratio(f"{kind}_bce", f"{kind}_l2") for kind in KINDS
    }
