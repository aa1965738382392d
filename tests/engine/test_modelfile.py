"""Model files: whole round trips, and everything hostile refused with one sentence."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import Model, ModelError, halved, make_model, read_model, write_model
from engine.random_model import random_model
from engine.runtime import open_runtime
from tests.engine.blobs import small_model


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.hourbit"
    write_model(path, small_model())
    return path


def parts(path: Path) -> tuple[dict, bytes]:
    """Header and tensor bytes of a model file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: dict | bytes, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def repacked(path: Path, change: Callable[[dict], None]) -> bytes:
    """The file with its tensors changed, without a new digest."""
    tensors = dict(safetensors.numpy.load(path.read_bytes()))
    change(tensors)
    return safetensors.numpy.save(tensors, parts(path)[0]["__metadata__"])


def test_round_trip(tmp_path: Path) -> None:
    model = small_model()
    again = write_model(tmp_path / "人 model.hourbit", model)
    assert again.sha256 == model.sha256 and again.graph == model.graph and again.schema == model.schema
    assert (again.name, again.crop, dict(again.card)) == (model.name, model.crop, dict(model.card))
    for name, tensor in model.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)
        assert not again.tensors[name].flags.writeable
    assert again.size == again.path.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["人 model.hourbit"]
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(
        *(open_runtime(m, "reference").run(crop, logits=True) for m in (model, again))
    )


def test_size_of_the_full_network(tmp_path: Path) -> None:
    model = write_model(tmp_path / "full.hourbit", random_model("full", Architecture(16, side=128)))
    assert model.size <= 950_000


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.2, 0.5, 0.999])
def test_cut(written: Path, tmp_path: Path, share: float) -> None:
    data = written.read_bytes()
    refused(tmp_path, data[: int(len(data) * share)])


def refused(folder: Path, data: bytes, words: str | None = None) -> None:
    """The file is refused with one sentence that names it."""
    path = folder / "bad.hourbit"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=words) as caught:
        read_model(path)
    assert "bad.hourbit" in str(caught.value) and str(caught.value).endswith(".")
    assert isinstance(caught.value, UserError)


@pytest.mark.parametrize("data", [b"", b"x", b"\x80\x04\x95evil", b"PK\x03\x04" * 9, bytes(64), b"\xff" * 64])
def test_not_a_model(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data, "no Hourbit model")


def test_giant_header(tmp_path: Path) -> None:
    refused(tmp_path, struct.pack("<Q", 1 << 60) + b"{}" * 99)
    filler = b'{"__metadata__":{"a":"' + b"x" * (1 << 20) + b'"}}'
    refused(tmp_path, joined(filler, b""))


def test_deep_header(tmp_path: Path) -> None:
    refused(tmp_path, joined(b'{"__metadata__":' + b"[" * 200_000 + b"]" * 200_000 + b"}", b""))


def test_trailing_bytes(written: Path, tmp_path: Path) -> None:
    refused(tmp_path, written.read_bytes() + b"\0")


def test_duplicate_names(written: Path, tmp_path: Path) -> None:
    header, body = parts(written)
    name = next(n for n in header if n != "__metadata__")
    text = json.dumps(header).encode()
    twice = text[:-1] + b"," + json.dumps({name: header[name]}).encode()[1:]
    refused(tmp_path, joined(twice, body), "twice")


def test_no_metadata(written: Path, tmp_path: Path) -> None:
    header, body = parts(written)
    del header["__metadata__"]
    refused(tmp_path, joined(header, body))


@pytest.mark.parametrize(("key", "value"), [
    ("format", "hourbit 9"), ("format", None), ("architecture", None), ("architecture", "{"), ("architecture", "[]"),
    ("architecture", '{"landmarks":3,"width":1}'), ("architecture", '{"landmarks":NaN}'), ("schema", "{}"),
    ("crop", "nan"), ("crop", "1e9"), ("crop", "x"), ("card", "[]"), ("card", '{"a":1,"a":2}'), ("name", ""),
    ("name", "n" * 999), ("architecture", "[" * 100_000), ("sha256", "0" * 64), ("sha256", None),
])  # fmt: skip
def test_wrong_description(written: Path, tmp_path: Path, key: str, value: str | None) -> None:
    header, body = parts(written)
    if value is None:
        del header["__metadata__"][key]
    else:
        header["__metadata__"][key] = value
    refused(tmp_path, joined(header, body))


def test_schema_of_another_size(written: Path, tmp_path: Path) -> None:
    header, body = parts(written)
    other = small_model(4)
    header["__metadata__"]["schema"] = json.dumps(other.schema.to_json())
    refused(tmp_path, joined(header, body), "do not fit")


def test_changed_name_breaks_the_digest(written: Path, tmp_path: Path) -> None:
    header, body = parts(written)
    header["__metadata__"]["name"] = "another"
    refused(tmp_path, joined(header, body), "digest")


def _first(tensors: dict, ending: str) -> str:
    return next(name for name in sorted(tensors) if name.endswith(ending))


def _set(ending: str, value: float) -> Callable[[dict], None]:
    def change(tensors: dict) -> None:
        name = _first(tensors, ending)
        tensors[name] = tensors[name].copy()
        tensors[name].flat[0] = value

    return change


def _replace(ending: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict], None]:
    def change(tensors: dict) -> None:
        name = _first(tensors, ending)
        tensors[name] = np.ascontiguousarray(make(tensors[name]))

    return change


@pytest.mark.parametrize(("change", "words"), [
    (_set(".scale", np.nan), "finite"), (_set(".shift", np.inf), "finite"), (_set("head.conv.bias", np.nan), "finite"),
    (_set(".alpha", 0.0), "scale outside"), (_set(".alpha", -1.0), "scale outside"), (_set(".alpha", 1e9), "outside"),
    (_set("stem.conv.scale", 0.0), "scale outside"),
    (_replace(".alpha", lambda t: t[:-1]), "must be"), (_replace(".bits", lambda t: t.T), "must be"),
    (_replace(".alpha", lambda t: t.astype(np.float64)), "must be"),
    (_replace(".bits", lambda t: t.astype(np.int8)), "must be"),
    (lambda t: t.update(extra=np.zeros(3, np.float32)), "lacks or adds"),
    (lambda t: t.pop(_first(t, ".bits")), "lacks or adds"),
    (_replace(".bits", lambda t: t ^ 1), "digest"), (_set(".alpha", 0.5), "digest"),
])  # fmt: skip
def test_hostile_tensors(written: Path, tmp_path: Path, change: Callable[[dict], None], words: str) -> None:
    refused(tmp_path, repacked(written, change), words)


def test_mutations(written: Path, tmp_path: Path) -> None:
    """Any changed byte is refused, with our own error: nothing else comes out."""
    rng = np.random.default_rng(0)
    whole, path = written.read_bytes(), tmp_path / "bad.hourbit"
    header = 8 + int.from_bytes(whole[:8], "little")
    for n in range(120):
        data = bytearray(whole)
        at = rng.integers(0, header if n % 2 else len(data))
        data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(data))
        with pytest.raises(ModelError):
            read_model(path)


def real_model(**numbers) -> Model:
    return random_model("real", Architecture(5, width=32, stem=16, side=64, real=True, **numbers))


def test_real_weights_take_32_or_16_bits(tmp_path: Path) -> None:
    model = real_model(block="wider", mid=20, stacks=2)
    whole = write_model(tmp_path / "whole.hourbit", model)
    half = write_model(tmp_path / "half.hourbit", halved(model))
    assert whole.architecture == half.architecture == model.architecture
    name = "head.last.conv.kernel"
    assert (whole.tensors[name].dtype, half.tensors[name].dtype) == (np.float32, np.float16)
    assert half.tensors["head.conv.weight"].dtype == np.float32 and half.size < 0.6 * whole.size
    assert half.sha256 != whole.sha256


def test_real_weights_must_be_finite_and_of_a_known_kind() -> None:
    model, name = real_model(), "stem.1.a.conv.kernel"
    kernel = model.tensors[name]
    large, lost = (np.where(np.arange(kernel.size).reshape(kernel.shape) == 7, v, kernel) for v in (1e6, np.nan))
    for wrong, words in ((lost.astype(np.float32), "finite"), (kernel.astype(np.float64), "must be"),
                         (kernel.astype(np.int16), "must be"), (kernel[:-1], "must be")):  # fmt: skip
        with pytest.raises(ModelError, match=words):
            make_model("bad", model.architecture, model.schema, dict(model.tensors) | {name: wrong})
    held = dict(model.tensors) | {name: large.astype(np.float32)}
    with pytest.raises(ModelError, match="finite"):
        halved(make_model("large", model.architecture, model.schema, held))
    alpha = small_model()
    name = _first(dict(alpha.tensors), ".alpha")
    with pytest.raises(ModelError, match="must be"):  # nothing but real convolutions
        tensors = dict(alpha.tensors) | {name: alpha.tensors[name].astype(np.float16)}
        make_model("bad", alpha.architecture, alpha.schema, tensors)


def test_bits_beyond_the_weights_are_refused() -> None:
    """4 channels, 1 x 1: a filter's only byte has 4 bits to spare."""
    model = random_model("m", Architecture(5, width=32, stem=16, side=64, block="bottleneck", mid=4))
    name = "stem.1.c.conv.bits"
    assert model.tensors[name].shape == (32, 1) and (model.tensors[name] < 16).all()
    with pytest.raises(ModelError, match="more bits than weights"):
        make_model("bad", model.architecture, model.schema, dict(model.tensors) | {name: model.tensors[name] | 16})


def test_networks_too_large_for_a_file_are_refused_before_they_are_drawn() -> None:
    with pytest.raises(ModelError, match="MB of weights"):
        random_model("m", Architecture(16, width=1024, real=True, stacks=8))


def test_older_files_name_their_architecture_as_ever(written: Path) -> None:
    header, _ = parts(written)
    fields = {"landmarks", "width", "stem", "side", "pad", "relu", "block"}
    assert set(json.loads(header["__metadata__"]["architecture"])) == fields


def test_models_in_memory_are_checked_too() -> None:
    model = small_model()
    tensors = dict(model.tensors)
    name = _first(tensors, ".alpha")
    tensors[name] = np.full_like(tensors[name], np.nan)
    with pytest.raises(ModelError, match="finite"):
        make_model("bad", model.architecture, model.schema, tensors)


def test_failed_write_keeps_the_old_file(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.hourbit"
    path.write_bytes(written.read_bytes())

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("engine.modelfile.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_model(path, small_model(seed=2))
    monkeypatch.undo()
    assert path.read_bytes() == written.read_bytes() and len(list(tmp_path.iterdir())) == 1


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "none.hourbit")
