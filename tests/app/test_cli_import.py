"""hourbit model import: the authors' networks from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.modelfile import read_model
from tests.app.cli_runner import hourbit
from tests.engine.torch7file import Network, Thing, written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "pose.t7"
    path.write_bytes(written(Network(16, 32, 16).root()))
    return path


def test_import_writes_a_model_that_verifies(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "pose.hourbit"
    ran = hourbit("model", "import", source, out, "--schema", "mpii16", "--input", 64, "--json")
    value = ran.json
    assert ran.code == 0 and "The stem was rounded to the engine's grid" in ran.err
    assert value == hourbit("model", "info", out, "--json").json
    assert (value["schema"], value["width"], value["stem"], value["input"], value["pad"]) == ("mpii16", 32, 16, 64, -1)
    assert value["card"]["origin"] == "imported from pose.t7" and read_model(out).crop == 1.25
    assert hourbit("model", "verify", out, "--images", 1, "--json").json["differing"] == 0


def test_import_tells_people_the_same(source: Path, tmp_path: Path) -> None:
    ran = hourbit("model", "import", source, tmp_path / "pose.hourbit", "--crop", 1.4)
    assert ran.code == 0 and "Wrote" in ran.out and "the weight files state no licence" in ran.out
    assert read_model(tmp_path / "pose.hourbit").crop == 1.4


@pytest.mark.parametrize(("more", "words"), [
    (("--schema", "ibug68"), "finds 16 landmarks and ibug68 has 68"), (("--input", "100"), "multiple of 64"),
    (("--crop", "99"), "crop"), (("--schema", "nobody"), "nobody"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_and_writes_nothing(
    source: Path, tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    ran = hourbit("model", "import", source, tmp_path / "out.hourbit", *more)
    assert ran.code == 2 and words in ran.err and "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == [source]


def test_odd_files_and_names(source: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.t7"
    bad.write_bytes(written(Thing("nn.Sequential")))
    for names in ((bad, tmp_path / "x.hourbit"), (tmp_path / "absent.t7", tmp_path / "x.hourbit"),
                  (source, tmp_path / "x.model"), (tmp_path, tmp_path / "x.hourbit")):  # fmt: skip
        ran = hourbit("model", "import", *names)
        assert ran.code == 2 and ran.err.strip() and "Traceback" not in ran.err
    assert not (tmp_path / "x.hourbit").exists()
