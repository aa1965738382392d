"""MATLAB files: agreement with SciPy's reader on sound ones, a sentence for damaged ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from engine.layouts import FormatError
from engine.layouts.mat5 import Struct
from engine.layouts.matlab import load_mat, number, text, variables
from tests.engine.layouts import writers

DTYPES = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


def same(ours: Any, theirs: Any) -> None:
    """SciPy's value, squeezed, and ours say the same."""
    if isinstance(ours, Struct):
        assert sorted(ours.fields) == sorted(theirs._fieldnames)
        for name, value in ours.fields.items():
            same(value, getattr(theirs, name))
    elif isinstance(ours, np.ndarray) and ours.dtype == object:
        theirs = np.asarray(theirs, object)
        assert ours.shape == theirs.shape
        for one, other in zip(ours.flat, theirs.flat, strict=True):
            same(one, other)
    elif isinstance(ours, np.ndarray) and ours.dtype.kind == "U":
        assert list(ours) == list(theirs) or (list(ours) == [""] and not len(theirs))
    else:
        np.testing.assert_array_equal(np.asarray(ours).reshape(np.shape(theirs)), theirs)


@pytest.mark.parametrize("packed", [False, True])
def test_agreement_with_scipy(tmp_path: Path, packed: bool) -> None:
    rng = np.random.default_rng(3)
    held: dict[str, Any] = {f"n_{d}": (rng.random((3, 4, 2)) * 100).astype(d) for d in DTYPES}
    held |= {"one": 2.5, "few": np.array([[1, 2]], np.uint8), "none": np.zeros((0, 3))}
    held |= {"letter": np.array([["x"]])}  # SciPy writes a third axis
    held["flag"] = np.array([[True, False]])
    held |= {"word": "Zürich é", "words": np.array(["abc", "de "]), "no_word": ""}
    held["cell"] = writers.cells("a", np.arange(6.0).reshape(2, 3), writers.cells(1.0, "b"))
    held["tree"] = writers.structs({"x": 1.0, "y": writers.structs({"z": "deep"}, {"z": 2.0})}, {"x": "t"})
    savemat(tmp_path / "a.mat", held, do_compression=packed)
    theirs = loadmat(tmp_path / "a.mat", struct_as_record=False)
    ours = load_mat(tmp_path / "a.mat")
    assert set(ours) == set(held) and variables(tmp_path / "a.mat")["n_f8"] == (3, 4, 2)
    for name in held:
        same(ours[name], theirs[name])
    assert load_mat(tmp_path / "a.mat", "one") == {"one": 2.5}


def test_the_other_order_of_bytes(tmp_path: Path) -> None:
    def element(kind: int, data: bytes) -> bytes:
        return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    inner = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 1, 2)) + element(1, b"pt")
    inner += element(9, struct.pack(">dd", 1.5, -2))
    path = tmp_path / "a.mat"
    path.write_bytes(b"x".ljust(124) + b"\x01\x00MI" + element(14, inner))
    assert load_mat(path)["pt"].tolist() == [[1.5, -2]]


def damaged(data: bytes) -> dict[str, bytes]:
    inner = data[136:]
    bomb = zlib.compress(struct.pack("<II", 14, 1 << 30) + bytes(1 << 22))
    return {
        "cut": data[:-9], "cut in a name": data + b"\x0e\0\0", "empty": b"", "other": b"x" * 300,
        "negative": data[:152] + struct.pack("<II", 5, 8) + struct.pack("<ii", -1, 2) + data[168:],
        "claims": data[:152] + struct.pack("<II", 5, 8) + struct.pack("<ii", 1 << 30, 2) + data[168:],
        "class": data[:144] + struct.pack("<I", 17) + data[148:],
        "no matrix": data[:128] + struct.pack("<II", 9, 8) + bytes(8),
        "unpacked too short": data[:128] + struct.pack("<II", 15, len(bomb)) + bomb,
        "no zlib": data[:128] + struct.pack("<II", 15, 8) + bytes(8), "no flags": data[:136] + bytes(len(inner)),
        "version 7.3": data[:124] + b"\x00\x02IM" + data[128:],
    }  # fmt: skip


@pytest.mark.parametrize("what", damaged(b"\0" * 200))
def test_damage_is_a_sentence(tmp_path: Path, what: str) -> None:
    path = writers.mat(tmp_path / "a.mat", pt=np.arange(6.0).reshape(3, 2))
    path.write_bytes(damaged(path.read_bytes())[what])
    with pytest.raises(FormatError, match="a.mat") as told:
        load_mat(path, "pt")
    assert str(told.value).endswith(".")


def test_nesting_has_an_end(tmp_path: Path) -> None:
    value: Any = 1.0
    for _ in range(30):
        value = writers.cells(value)
    with pytest.raises(FormatError, match="too deeply"):
        load_mat(writers.mat(tmp_path / "a.mat", value=value))


def test_single_values() -> None:
    assert [number(v) for v in (np.array([["2.5"]]), " ", np.nan, np.zeros((0, 0)), True)] == [2.5, None, None, None, 1]
    assert text(np.array(["abc"])) == "abc" and text(3.0) == ""
