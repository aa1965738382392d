"""Every format: a damaged file is refused with its name, or read with a list of what was not; never anything else.

HOURBIT_MUTATIONS sets how many files a format are damaged.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from app.formats.builtin import BUILT_IN
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.report import fitting
from engine.labels import LabelSet
from plugins.csv_export import Csv
from tests.app.formats.documents import make_pictures, random_labels

MUTATIONS = int(os.environ.get("HOURBIT_MUTATIONS", "60"))
SLOWEST = 10.0  # seconds a file; mostly a thousandth of that
WORDS = (
    b"NaN", b"true", b"null", b"-1", b"1e999", b"9" * 400, b"1,5", b'"x"', b"[[[[", b"{}", b"\xff\xfe", b"\0", b"",
    b"-0", b"0.0000001", b"&x;", b"<a>", b"\xef\xbb\xbf", b"\r", b"..", b"a" * 5000, b"[" * 2000,
)  # fmt: skip
# Layouts with landmarks of their own: test_layout_writers.py.
WRITERS = [*(form for form in BUILT_IN if form.writes and not form.named), Csv()]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one to three changes."""
    for _ in range(rng.integers(1, 4)):
        at, length = int(rng.integers(0, len(data) + 1)), int(rng.integers(1, 40))
        kind = rng.integers(6)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + data[at : at + length] + data[at:]
        elif kind == 3:
            data = data[:at] + rng.bytes(int(rng.integers(1, 4))) + data[at + 1 :]
        elif kind == 4:
            data = data[:at] + WORDS[rng.integers(len(WORDS))] + data[at:]
        else:  # a number or word for another
            found = list(re.finditer(rb"[\w.+-]+", data[:20_000]))
            if found:
                word = found[rng.integers(len(found))]
                data = data[: word.start()] + WORDS[rng.integers(len(WORDS))] + data[word.end() :]
    return data


@pytest.mark.parametrize("form", WRITERS, ids=lambda form: form.name)
def test_damaged_files_are_refused_or_read_with_a_list(form, tmp_path: Path) -> None:
    pictures = make_pictures(tmp_path)
    rng = np.random.default_rng(1)
    whole = tmp_path / f"whole{form.suffix}"
    form.write(fitting(_labels(form, pictures), form), whole, WriteOptions())
    files = [f for f in sorted(whole.rglob("*")) if f.is_file()] if whole.is_dir() else [whole]
    out = tmp_path / f"damaged{form.suffix}"
    refused = listed = 0
    for _ in range(MUTATIONS):
        chosen = files[rng.integers(len(files))]
        if whole.is_dir():
            shutil.copytree(whole, out)
        target = out / chosen.relative_to(whole) if whole.is_dir() else out
        target.write_bytes(mutated(chosen.read_bytes(), rng))
        begin = time.perf_counter()
        try:
            head = b"" if out.is_dir() else out.read_bytes()[: 1 << 16]
            assert form.claims(out, head) in (True, False)
            found = form.read(out, ReadOptions(pictures=tmp_path))
            assert isinstance(found, LabelSet)
            listed += bool(found.problems)
            assert all(problem.what and "\n" not in problem.what for problem in found.problems)
        except FormatError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 600, error
        assert time.perf_counter() - begin < SLOWEST
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    assert refused + listed > 0


def _labels(form, pictures) -> LabelSet:
    for seed in range(100):
        labels = random_labels(seed, pictures, form.holds)
        try:
            if fitting(labels, form).instances > 3:
                return labels
        except FormatError:
            continue
    raise AssertionError("no labels fit")
