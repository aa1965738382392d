"""The registry of formats and the loading of plugins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import plugins
from app import api
from app.plugins import load_plugins
from engine.errors import UserError

GOOD = "from app.api import register_exporter\nclass Mine:\n name = 'mine'\ndef register(): register_exporter(Mine())\n"
BAD = {
    "raises": "raise OSError('no such device')",
    "syntax": "def register(:",
    "exits": "import sys; sys.exit(3)",
    "no_register": "x = 1",
    "fails_late": "def register(): raise ValueError('late')",
    "takes_a_name": "from app.api import register_exporter\nclass Other:\n name = 'coco'\n"
    "def register(): register_exporter(Other())\n",
}


@pytest.fixture
def registry(monkeypatch) -> dict:
    """An empty registry for this test."""
    made: dict = {}
    monkeypatch.setattr(api, "_EXPORTERS", made)
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A second folder of plugins."""
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith("plugins.") and n != "plugins.csv_export"]:
        del sys.modules[name]
        vars(plugins).pop(name.split(".")[1], None)


def test_shipped_formats_are_all_there_however_often_they_are_loaded(registry: dict) -> None:
    assert load_plugins() == {} == load_plugins()
    assert {"coco", "snapshot", "csv"} <= {e.name for e in api.exporters()}
    assert len({e.name for e in api.exporters()}) == len(api.exporters())
    for exporter in api.exporters():
        assert exporter.title and exporter.suffix[:1] in (".", "")
        assert api.exporter(exporter.name).title == exporter.title


def test_an_unknown_format_is_a_sentence_that_names_the_others(registry: dict) -> None:
    load_plugins()
    with pytest.raises(UserError, match="no format 'klingon'; choose one of: .*coco, csv, "):
        api.exporter("klingon")


@pytest.mark.parametrize("name", BAD)
def test_a_plugin_that_fails_is_named_and_the_rest_works(registry: dict, folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text(BAD[name])
    (folder / "zz_good.py").write_text(GOOD)
    failed = load_plugins()
    assert list(failed) == [name] and f"The plugin {name} could not be loaded" in failed[name]
    assert {"coco", "snapshot", "csv", "mine"} <= {e.name for e in api.exporters()}
    assert api.exporter("coco").title == "COCO keypoints"
