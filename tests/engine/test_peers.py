"""OpenVINO's binary convolution as a peer: the network that it runs is ours."""

from __future__ import annotations

import numpy as np
import pytest

from engine import peers
from engine.graph import Architecture, build
from engine.modelfile import make_model
from engine.random_model import random_model
from engine.runtime import ReferenceRuntime

openvino = pytest.importorskip("openvino")


def flat(pad: int) -> tuple[np.ndarray, np.ndarray]:
    """A crop of one colour, where few signs hang on the last bit of a float; ours and the peer's logits."""
    architecture = Architecture(5, width=32, stem=16, side=64, pad=pad)
    model = random_model("m", architecture, seed=3)
    tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
    for name, tensor in tensors.items():
        if name.endswith("norm.scale"):
            np.abs(tensor, out=tensor)  # the peer's thresholds do not turn signs
    graph = build(architecture)
    crop = np.full((64, 64, 3), (200, 30, 90), np.uint8)
    found = peers._compiled(*peers.binary_model(graph, tensors))(crop)
    ours = make_model("m", architecture, model.schema, tensors)
    return found, ReferenceRuntime(ours).run(crop, logits=True)


@pytest.mark.parametrize("pad", [-1, 0])
def test_the_binary_peer_computes_our_network(pad: int) -> None:
    found, expected = flat(pad)
    assert found.shape == expected.shape and np.ptp(expected) > 0.1
    assert np.abs(found - expected).max() < 1e-3


def test_a_graph_without_a_binary_form_is_refused_in_words() -> None:
    graph = build(Architecture(5, width=32, stem=16, side=64, block="multiscale"))
    with pytest.raises(peers.PeerError, match="no form of the operation"):
        peers.binary_model(graph, {})
