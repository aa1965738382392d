"""Every format: what it wrote is what it reads, to a thousandth of a pixel. HOURBIT_ROUND_TRIPS documents a format."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from app.formats.builtin import BUILT_IN
from app.formats.landmark_table import COLUMNS
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.report import fitting, losses
from engine.labels import Picture
from plugins.csv_export import Csv
from tests.app.formats.documents import assert_same, make_pictures, random_labels, seeds

DOCUMENTS = int(os.environ.get("HOURBIT_ROUND_TRIPS", "15"))
# Layouts with landmarks of their own: test_layout_writers.py.
WRITERS = [*(form for form in BUILT_IN if form.writes and not form.named), Csv()]
NUMBERS = count()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Picture, ...]]:
    yield make_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("form", WRITERS, ids=lambda form: form.name)
def test_what_was_written_is_read(form, pictures: tuple[Picture, ...]) -> None:
    folder = pictures[0].path.parent

    @settings(max_examples=DOCUMENTS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(seeds())
    def check(seed: int) -> None:
        labels = random_labels(seed, pictures, form.holds)
        try:
            wanted = fitting(labels, form)
        except FormatError:
            return
        assert losses(wanted, form) == ()
        if not wanted.instances:
            return
        out = folder / f"labels {next(NUMBERS)}{form.suffix}"
        try:
            form.write(wanted, out, WriteOptions())
            found = form.read(out, ReadOptions(pictures=folder))
        finally:
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
        assert_same(found, wanted, form.holds)

    check()


@pytest.mark.parametrize("form", WRITERS, ids=lambda form: form.name)
def test_what_was_written_is_recognised_as_this_and_nothing_else(form, pictures, tmp_path: Path) -> None:
    seed = next(n for n in range(100) if _writable(form, random_labels(n, pictures, form.holds)))
    out = tmp_path / f"out{form.suffix}"
    form.write(fitting(random_labels(seed, pictures, form.holds), form), out, WriteOptions())
    head = b"" if out.is_dir() else out.read_bytes()[: 1 << 16]
    assert [each.name for each in (*BUILT_IN, Csv()) if each.claims(out, head)] == [form.name]


def _writable(form, labels) -> bool:
    try:
        return fitting(labels, form).instances > 3
    except FormatError:
        return False


def test_names_and_titles_are_those_of_the_formats() -> None:
    assert len({form.name for form in BUILT_IN}) == len(BUILT_IN)
    for form in BUILT_IN:
        assert (form.form.name, form.form.title, form.form.suffix) == (form.name, form.title, form.suffix)
        assert form.writes == (form.holds is not None) and type(form.form).__doc__


def test_every_format_and_column_is_documented() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text("utf-8")
    assert all(f"`{form.name}`" in text for form in (*BUILT_IN, Csv()))
    assert all(f"| `{name}` | {what} |" in text for name, what in COLUMNS.items())
