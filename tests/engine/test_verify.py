"""`verify` finds nothing where all is well, and a single wrong weight bit wherever it is."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.runtime import PackedRuntime, ReferenceRuntime, available_isas
from engine.verify import differing, random_crops, verify

needs_library = pytest.mark.skipif(not available_isas(), reason="the C library is not built")


@pytest.fixture(scope="module")
def model() -> Model:
    return random_model("m", Architecture(5, width=32, stem=16, side=64), seed=6)


def with_flipped_bit(model: Model, tensor: str, byte: int = 0, bit: int = 0) -> Model:
    changed = model.tensors[tensor].copy()
    changed.reshape(-1)[byte] ^= 1 << bit
    return replace(model, tensors={**model.tensors, tensor: changed})


def test_all_runtimes_of_this_machine_agree(model: Model) -> None:
    found = verify(model, images=2, pictures=False)
    assert found["compared"] > 2 * 5 * 16 * 16 and found["images"] == 2
    assert found["differing"] == 0
    assert found["by"] == dict.fromkeys(available_isas(), 0)
    assert set(available_isas()) | (set(found["absent"]) - {"onnx"}) == {"amx", "avx512", "avx512bw", "avx2", "scalar"}
    if "onnx" in found["absent"]:
        assert found["onnx_max_abs"] is None
    else:
        assert found["onnx_max_abs"] == 0


@needs_library
@pytest.mark.parametrize("layer", ["stem.1.a", "stem.1.skip", "stem.3.c", "hourglass.1.inner.b", "head.last"])
def test_one_wrong_weight_bit_is_reported(model: Model, layer: str) -> None:
    name = f"{layer}.conv.bits"
    for isa in available_isas():
        planted = PackedRuntime(with_flipped_bit(model, name, byte=1, bit=3), isa)
        found = verify(model, images=3, runtimes=[planted], pictures=False)
        assert found["differing"] == found["by"][isa] > 0


def test_onnx_is_absent_where_it_is_not_installed(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    found = verify(model, images=1, pictures=False)
    assert found["onnx_max_abs"] is None and "onnx" in found["absent"]


def test_differing_counts_bits_and_not_values() -> None:
    a = np.array([0.0, 1.0, np.nan], np.float32)
    assert differing(a, a.copy()) == 0
    assert differing(np.array([-0.0, 1.0, np.nan], np.float32), a) == 1
    assert differing(a[:2], a) == 3
    assert differing(a.astype(np.float64), a) == 3


def test_random_crops_differ_and_are_the_same_each_time(model: Model) -> None:
    first, again = random_crops(model, 4), random_crops(model, 4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({crop.tobytes() for crop in first}) == 4
    assert ReferenceRuntime(model).run(first[0]).shape == (5, 16, 16)
