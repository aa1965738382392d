"""The authors' networks, written by the tests in the layout of their files, become models of the same function."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import lower
from engine.errors import UserError
from engine.modelfile import Model, make_model
from engine.runtime import available_isas, open_runtime
from engine.schema import load_schema
from engine.torch7_network import import_torch7
from engine.verify import verify
from tests.engine.blobs import schema_of
from tests.engine.torch7file import Array, Network, Style, Thing, listed, written

SMALL = {"landmarks": 5, "width": 32, "stem": 16}
SCHEMA = schema_of(5)


def same_model(network: Network, model: Model) -> Model:
    """The network's weights as a model, put together by node name and not from the file."""
    tensors: dict[str, np.ndarray] = {}
    for name, drawn in network.drawn.items():
        if name == "stem.conv":
            made = dict(zip(("weight", "scale"), lower.stem_weights(drawn[0]), strict=True)) | {"bias": drawn[1]}
        elif name == "head.conv":
            made = {"weight": drawn[0][:, :, 0, 0].copy(), "bias": drawn[1]}
        elif name.endswith(".conv"):
            signs, alpha = drawn
            bits, _ = lower.binary_weights(signs * np.sign(alpha)[:, None, None, None])
            made = {"bits": bits, "alpha": np.abs(alpha)}
        else:
            mean, variance, gamma, beta = drawn
            made = dict(zip(("scale", "shift"), lower.scale_shift(gamma, beta, mean, variance), strict=True))
        tensors |= {f"{name}.{part}": values for part, values in made.items()}
    return make_model("same", model.architecture, model.schema, tensors)


def imported(tmp_path: Path, network: Network, change: Callable[[Thing], Any] = lambda root: None, **more) -> Model:
    root = network.root()
    change(root)
    path = tmp_path / "net.t7"
    path.write_bytes(written(root))
    return import_torch7(path, "net", **{"schema": SCHEMA, "side": 64} | more).model


def crop(model: Model, seed: int = 0) -> np.ndarray:
    side = model.architecture.side
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.mark.parametrize(("landmarks", "size", "schema"), [(16, 1_298_814, "mpii16"), (68, 1_405_726, "ibug68")])
def test_full_networks_have_the_published_size_and_come_over_whole(
    tmp_path: Path, landmarks: int, size: int, schema: str
) -> None:
    network = Network(landmarks, seed=landmarks)
    model = imported(tmp_path, network, schema=None, side=256)
    assert (tmp_path / "net.t7").stat().st_size == size
    a = model.architecture
    assert (a.landmarks, a.width, a.stem, a.side, a.pad, a.relu) == (landmarks, 256, 64, 256, -1, False)
    assert model.schema == load_schema(schema)
    for name, values in same_model(network, model).tensors.items():
        np.testing.assert_array_equal(model.tensors[name], values, err_msg=name)


@pytest.mark.parametrize(
    "style",
    [Style(), Style("nn", gradients=False), Style(norm_version=1), Style(norm_version=None), Style(join=(1, 3))],
)
def test_logits_are_those_of_the_same_weights(tmp_path: Path, style: Style) -> None:
    network = Network(**SMALL, style=style)
    model = imported(tmp_path, network)
    expected = open_runtime(same_model(network, model), "reference").run(crop(model), logits=True)
    found = open_runtime(model, "reference").run(crop(model), logits=True)
    assert expected.std() > 0.05
    if style.norm_version == 2:
        np.testing.assert_array_equal(found, expected)
    else:  # running_std is rounded in the file
        for name, values in same_model(network, model).tensors.items():
            np.testing.assert_allclose(model.tensors[name], values, rtol=1e-5, atol=1e-6, err_msg=name)


def test_every_runtime_gives_the_same_bits(tmp_path: Path) -> None:
    model = imported(tmp_path, Network(5, width=128, stem=64))  # the narrowest whose rows fill whole words
    result = verify(model, images=1, pictures=False)
    assert result["differing"] == 0 and set(available_isas()) <= set(result["by"])


def test_the_card_says_where_it_came_from(tmp_path: Path) -> None:
    model = imported(tmp_path, Network(**SMALL))
    assert model.card["origin"] == "imported from net.t7" and len(model.card["source sha256"]) == 64
    assert model.card["terms"] == "unknown: the weight files state no licence"
    assert "rounded to int16" in model.card["stem"]


def test_the_stem_is_as_near_as_the_remark_says(tmp_path: Path) -> None:
    network = Network(**SMALL)
    (tmp_path / "net.t7").write_bytes(written(network.root()))
    found = import_torch7(tmp_path / "net.t7", "net", SCHEMA, 64)
    weight, tensors = network.drawn["stem.conv"][0], found.model.tensors
    step = tensors["stem.conv.scale"].astype(np.float64) * 255
    snapped = tensors["stem.conv.weight"].transpose(0, 3, 1, 2) * step[:, None, None, None]
    change = np.abs(snapped - weight).max((1, 2, 3)) / np.abs(weight).max((1, 2, 3))
    assert found.stem_change == pytest.approx(change.max(), rel=1e-3) and 0 < found.stem_change < 1.6e-5
    assert f"{found.stem_change:.1e}" in found.remark


def layers(root: Any, kind: str) -> list[Thing]:
    """All layers of a kind, in the file's order."""
    if isinstance(root, Thing):
        return [root] * (root.kind == kind) + layers(root.fields, kind)
    values = root.values() if isinstance(root, dict) else ()
    return [found for value in values for found in layers(value, kind)]


def test_a_negative_alpha_is_the_opposite_filter(tmp_path: Path) -> None:
    network = Network(**SMALL)

    def turn(root: Thing) -> None:
        network.drawn["head.last.conv"][1][::2] *= -1
        layers(root, "bnn.SpatialConvolution")[-1].fields["alphas"].values[::2] *= -1

    model = imported(tmp_path, network, turn)
    for name, values in same_model(network, model).tensors.items():
        np.testing.assert_array_equal(model.tensors[name], values, err_msg=name)


def test_filters_without_a_scale_are_told(tmp_path: Path) -> None:
    def empty(root: Thing) -> None:
        layers(root, "bnn.SpatialConvolution")[3].fields["alphas"].values[1:3, 0, 0, 0] = 0, -1e-12

    assert imported(tmp_path, Network(**SMALL), empty).card["filters"].startswith("2 with a scale below 1e-08")


def test_faint_and_empty_stem_filters_are_kept(tmp_path: Path) -> None:
    network = Network(**SMALL)

    def fade(root: Thing) -> None:
        weight = layers(root, "cudnn.SpatialConvolution")[0].fields["weight"].values
        weight[0] *= 1e-6
        weight[1] = 0
        network.drawn["stem.conv"][0][:2] = weight[:2]

    model = imported(tmp_path, network, fade)
    expected = lower.stem_weights(network.drawn["stem.conv"][0])[1]
    np.testing.assert_array_equal(model.tensors["stem.conv.scale"], expected)
    assert not model.tensors["stem.conv.weight"][1].any() and model.tensors["stem.conv.weight"][0].any()


def test_crops_follow_the_authors_unless_told(tmp_path: Path) -> None:
    faces = Network(68, 32, 16)
    assert imported(tmp_path, faces, schema=None).crop == 2.1
    assert imported(tmp_path, faces, schema=None, crop=1.7).crop == 1.7
    assert imported(tmp_path, Network(**SMALL)).crop == SCHEMA.crop


def test_landmarks_must_be_as_many_as_the_schemas(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="finds 5 landmarks and ibug68 has 68"):
        imported(tmp_path, Network(**SMALL), schema=load_schema("ibug68"))
    with pytest.raises(UserError, match="finds 5 landmarks, of which no schema is known"):
        imported(tmp_path, Network(**SMALL), schema=None)


def field(kind: str, name: str, value: Any, which: int = 0) -> Callable[[Thing], None]:
    def change(root: Thing) -> None:
        layers(root, kind)[which].fields[name] = value

    return change


def endless(root: Thing) -> None:
    root.fields["modules"][4.0] = root


def doubling(root: Thing) -> None:
    """Sixty layers that run the one before twice: 2 ** 60 in all."""
    inner = Thing("nn.Identity")
    for _ in range(60):
        inner = Thing("nn.Sequential", {"modules": listed(inner, inner)})
    root.fields["modules"][4.0] = inner


def swapped(root: Thing) -> None:
    modules = root.fields["modules"]
    modules[8.0], modules[9.0] = modules[9.0], modules[8.0]


def without_pool(root: Thing) -> None:
    root.fields["modules"][5.0] = Thing("nn.Identity")


def shallow(root: Thing) -> None:
    """The innermost level of the hourglass is left out."""
    up = layers(root, "nn.SpatialUpSamplingNearest")[-1]
    low = next(s for s in layers(root, "nn.Sequential") if up in s.fields["modules"].values())
    low.fields["modules"] = listed(Thing("nn.Identity"))


NAN = np.full(16, np.nan, np.float32)
CONV, BINARY, NORM = "cudnn.SpatialConvolution", "bnn.SpatialConvolution", "nn.SpatialBatchNormalization"
WRONG = {
    "endless": (endless, "without end"),
    "doubling": (doubling, "without end"),
    "swapped": (swapped, "stands"),
    "without pool": (without_pool, "max-pooling"),
    "shallow": (shallow, "stands"),
    "no sigmoid": (lambda root: root.fields["modules"].pop(14.0), "sigmoid"),
    "not a layer": (lambda root: root.fields["modules"].update({4.0: 3.0}), "a layer is expected"),
    "hole in the list": (lambda root: root.fields["modules"].pop(4.0), "no list of layers"),
    "unknown layer": (lambda root: setattr(layers(root, "bnn.Binary")[0], "kind", "nn.Tanh"), "nn.Tanh is a kind"),
    "long name": (lambda root: setattr(layers(root, "bnn.Binary")[0], "kind", "n" * 250), r"n\.\.\. is a kind"),
    "strided": (field(BINARY, "dW", 2, 5), "dW of a bnn"),
    "odd kernel": (field(BINARY, "kW", 5, 5), "kW of a bnn"),
    "pad": (field(BINARY, "padH", 0, 5), "padH of a bnn"),
    "half a size": (field(BINARY, "kW", 1.5, 5), "whole number"),
    "infinite size": (field(CONV, "nOutputPlane", float("inf")), "whole number"),
    "giant stem": (field(CONV, "nOutputPlane", 2**30), "stem must be"),
    "giant head": (field(CONV, "nInputPlane", 2**30, 1), "width must be"),
    "negative landmarks": (field(CONV, "nOutputPlane", -1, 1), "landmarks must be"),
    "no pooling size": (lambda root: layers(root, "cudnn.SpatialMaxPooling")[0].fields.pop("kW"), "kW of a cudnn"),
    "scale 3": (field("nn.SpatialUpSamplingNearest", "scale_factor", 3), "scale_factor"),
    "joins rows": (field("nn.JoinTable", "dimension", 3), "does not join channels"),
    "groups": (field(CONV, "groups", 3), "groups"),
    "weights that are text": (field(CONV, "weight", "none"), "real numbers"),
    "weights of another size": (field(CONV, "weight", Array(NAN)), "real numbers"),
    "weights not packed": (field(BINARY, "weight", Array(NAN)), "packed integers"),
    "no alphas": (field(BINARY, "alphas", None), "alphas of a bnn"),
    "alphas that are no numbers": (field(BINARY, "alphas", Array(NAN)), "not finite|real numbers"),
    "a binary bias": (field(BINARY, "bias", Array(NAN)), "has a bias"),
    "batch-norm of nothing": (field(NORM, "running_mean", None), "running_mean"),
    "a negative variance": (field(NORM, "running_var", Array(np.full(16, -1, np.float32))), "variance"),
    "variance that is no number": (field(NORM, "running_var", Array(NAN)), "not finite"),
    "eps that is text": (field(NORM, "eps", "small"), "eps"),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", WRONG)
def test_other_networks_are_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    change, words = WRONG[name]
    with pytest.raises(UserError, match=words) as caught:
        imported(tmp_path, Network(**SMALL), change)
    assert "net.t7" in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.filterwarnings("error")
def test_numbers_that_overflow_are_refused(tmp_path: Path) -> None:
    giant = Array(np.full(16, 1e308), cuda=False)
    with pytest.raises(UserError, match="cannot be used: stem.norm.scale holds values that are not finite"):
        imported(tmp_path, Network(**SMALL), field(NORM, "weight", giant))


@pytest.mark.parametrize("value", [None, 1.0, {"modules": {}}, Thing("nn.Sequential"), Thing("nn.Identity")])
def test_other_objects_are_refused(tmp_path: Path, value: Any) -> None:
    (tmp_path / "odd.t7").write_bytes(written(value))
    with pytest.raises(UserError, match=r"odd\.t7 holds another network"):
        import_torch7(tmp_path / "odd.t7", "odd", SCHEMA, 64)


@pytest.mark.filterwarnings("error")
def test_mutated_networks_are_imported_or_refused(tmp_path: Path) -> None:
    rng, path, base = np.random.default_rng(3), tmp_path / "net.t7", written(Network(**SMALL).root())
    extremes = [-1, 0, 1, 2, 3, 4, 2**31 - 1, -(2**31)]
    refused = 0
    for _ in range(60):
        data = bytearray(base)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data) - 4))
            data[at : at + 4] = struct.pack("<i", extremes[rng.integers(len(extremes))])
        path.write_bytes(data[: rng.integers(len(data))] if rng.random() < 0.1 else data)
        try:
            import_torch7(path, "net", SCHEMA, 64)
        except UserError:
            refused += 1
    assert refused > 10
