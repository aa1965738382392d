"""The models at hand: shipped and own, which one is in use, and what may be done to them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import app.library
from app.library import LATENTS, Entry, Library
from engine.errors import UserError
from engine.modelfile import make_model, read_model, write_model
from tests.app.small import small_model
from tests.engine.torch7file import Network, written

SCHEMA = "first5"


def write(folder: Path, name: str, seed: int = 1, count: int = 5, latents: bytes | None = None) -> Path:
    """A model file called after its model."""
    folder.mkdir(parents=True, exist_ok=True)
    model = small_model(count, seed)
    path = folder / f"{name.replace('/', '-')[:40]}.hourbit"
    write_model(path, make_model(name, model.architecture, model.schema, model.tensors, {"date": "2026-01-02"}))
    if latents is not None:
        path.with_name(path.stem + LATENTS).write_bytes(latents)
    return path


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A resources folder of this test's own, with one model."""
    write(tmp_path / "resources" / "models", "basis", seed=9)
    monkeypatch.setattr(app.library, "resources", SimpleNamespace(files=lambda _: tmp_path / "resources"))
    return tmp_path / "resources" / "models"


@pytest.fixture
def library(shipped: Path, tmp_path: Path) -> Library:
    return Library(tmp_path / "home")


def add(library: Library, folder: Path, name: str, seed: int = 1, **more) -> Entry:
    return library.import_file(write(folder, name, seed, **more))


def titles(library: Library, schema: str | None = None) -> list[str]:
    return [entry.title for entry in library.entries(schema)]


def test_a_shipped_model_comes_before_its_variants_and_is_the_one_in_use(library: Library, shipped: Path) -> None:
    write(shipped, "basis-fast", 2)
    write(shipped, "basis2", 3)
    assert titles(library) == ["basis", "basis-fast", "basis2"]
    assert library.in_use(SCHEMA).title == "basis"


def test_shipped_models_come_first_then_ones_own_by_age(library: Library, tmp_path: Path) -> None:
    zebra, ant = add(library, tmp_path, "zebra"), add(library, tmp_path, "ant", 2)
    other = add(library, tmp_path, "other kind", count=4)
    for age, entry in enumerate((zebra, ant, other)):
        os.utime(entry.path, ns=(age * 10**9, age * 10**9))
    assert titles(library) == ["basis", "zebra", "ant", "other kind"]
    assert titles(library, SCHEMA) == ["basis", "zebra", "ant"]
    assert titles(library, "first4") == ["other kind"]
    assert [entry.origin for entry in library.entries()] == ["shipped"] + 3 * ["imported"]
    assert [entry.size for entry in library.entries()] == [entry.path.stat().st_size for entry in library.entries()]
    assert zebra.created == "2026-01-02"


def test_the_shipped_model_is_in_use_until_another_is_adopted(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine")
    assert library.in_use(SCHEMA).title == "basis" and not library.can_roll_back(SCHEMA)
    library.adopt(mine)
    assert library.in_use(SCHEMA).path == mine.path
    again = Library(tmp_path / "home")  # as after a restart
    assert again.in_use(SCHEMA).path == mine.path and again.can_roll_back(SCHEMA)
    assert again.roll_back(SCHEMA).title == "basis"
    assert again.in_use(SCHEMA).title == "basis" and not again.can_roll_back(SCHEMA)
    with pytest.raises(UserError, match="no earlier model"):
        again.roll_back(SCHEMA)


def test_rolling_back_retraces_the_way(library: Library, tmp_path: Path) -> None:
    first, second = add(library, tmp_path, "first"), add(library, tmp_path, "second", 2)
    for entry in (first, second, first, first):
        library.adopt(entry)
    assert library.roll_back(SCHEMA).title == "second"
    assert library.roll_back(SCHEMA).title == "basis"


def test_adopting_the_model_in_use_leaves_nothing_to_roll_back_to(library: Library) -> None:
    library.adopt(library.in_use(SCHEMA))
    assert not library.can_roll_back(SCHEMA)


def test_rolling_back_passes_over_models_that_are_gone(library: Library, tmp_path: Path) -> None:
    first, second = add(library, tmp_path, "first"), add(library, tmp_path, "second", 2)
    library.adopt(first)
    library.adopt(second)
    library.remove(first)
    assert library.roll_back(SCHEMA).title == "basis"
    assert not library.can_roll_back(SCHEMA)


def test_schemas_do_not_disturb_each_other(library: Library, tmp_path: Path) -> None:
    four, five = add(library, tmp_path, "four", count=4), add(library, tmp_path, "five")
    library.adopt(five)
    assert library.in_use("first4").path == four.path and library.in_use(SCHEMA).path == five.path
    with pytest.raises(UserError, match="no model for cats"):
        library.in_use("cats")


def test_import_takes_the_latents_along_and_finds_free_names(library: Library, tmp_path: Path) -> None:
    first = add(library, tmp_path / "a", "A face/model: 2", latents=b"one")
    second = add(library, tmp_path / "b", "A face/model: 2", 2, latents=b"two")
    bare = add(library, tmp_path / "c", "A face/model: 2", 3)
    assert [entry.path.name for entry in (first, second, bare)] == [
        "A-face-model-2.hourbit", "A-face-model-2-2.hourbit", "A-face-model-2-3.hourbit",
    ]  # fmt: skip
    assert {entry.path.parent for entry in (first, second, bare)} == {library.folder}
    assert first.latents.read_bytes() == b"one" and second.latents.read_bytes() == b"two" and bare.latents is None
    assert first.model.sha256 == small_copy(first) and len({e.model.sha256 for e in (first, second, bare)}) == 3


def small_copy(entry: Entry) -> str:
    return read_model(entry.path).sha256


@pytest.mark.parametrize("name", ["../../up", "...", "模" * 200, ".hidden", "CON/aux"])
def test_odd_names_stay_in_the_folder(library: Library, tmp_path: Path, name: str) -> None:
    source = write(tmp_path / "odd", "plain", latents=b"real weights")
    model = read_model(source)
    write_model(source, make_model(name, model.architecture, model.schema, model.tensors, {}))
    entry = library.import_file(source)
    assert entry.path.parent == library.folder and not entry.path.name.startswith(".")
    assert entry.title == name and entry.latents is not None
    assert entry in library.entries()


def test_import_refuses_what_is_no_model(library: Library, tmp_path: Path) -> None:
    bad = tmp_path / "bad.hourbit"
    bad.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="bad.hourbit"):
        library.import_file(bad)
    with pytest.raises(UserError, match="cannot be read"):
        library.import_file(tmp_path / "absent.hourbit")
    assert titles(library) == ["basis"]


def test_import_takes_the_authors_files(library: Library, tmp_path: Path) -> None:
    source = tmp_path / "faces.t7"
    source.write_bytes(written(Network(68, 32, 16).root()))
    source.with_name(f"faces{LATENTS}").write_bytes(b"of another model")
    entry = library.import_file(source)
    assert (entry.title, entry.schema, entry.origin, entry.latents) == ("faces", "ibug68", "imported", None)
    assert entry.card["terms"] == "unknown: the weight files state no licence" and entry in library.entries()
    assert entry.model.architecture.side == 256
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"faces\.t7"):
        library.import_file(source)
    assert titles(library, "ibug68") == ["faces"]


def test_fine_tuned_models_keep_their_origin(library: Library, tmp_path: Path) -> None:
    library.import_file(write(tmp_path, "tuned"), "fine-tuned")
    assert [entry.origin for entry in Library(tmp_path / "home").entries()] == ["shipped", "fine-tuned"]


def test_rename_keeps_file_latents_and_use(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine", latents=b"real")
    library.adopt(mine)
    renamed = library.rename(mine, "  Better one ")
    assert renamed.title == renamed.model.name == "Better one"
    assert renamed.path == mine.path and renamed.latents.read_bytes() == b"real"
    assert library.in_use(SCHEMA).title == "Better one"
    assert all((renamed.model.tensors[n] == t).all() for n, t in small_model(5).tensors.items())
    for name in ("", "   ", "x" * 201):
        with pytest.raises(UserError):
            library.rename(renamed, name)
    assert titles(library) == ["basis", "Better one"]


def test_remove_takes_file_and_latents(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine", latents=b"real")
    library.remove(mine)
    assert titles(library) == ["basis"] and not list(library.folder.iterdir())


def test_the_model_in_use_and_shipped_ones_stay(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine")
    library.adopt(mine)
    with pytest.raises(UserError, match="in use"):
        library.remove(mine)
    basis = library.entries()[0]
    for forbidden in (lambda: library.remove(basis), lambda: library.rename(basis, "ours")):
        with pytest.raises(UserError, match="ship"):
            forbidden()
    assert titles(library) == ["basis", "mine"] and mine.path.is_file()
    library.roll_back(SCHEMA)
    library.remove(mine)
    assert titles(library) == ["basis"]


def test_a_broken_file_is_listed_with_its_problem(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine")
    library.adopt(mine)
    os.utime(mine.path, ns=(0, 0))
    mine.path.write_bytes(mine.path.read_bytes()[:-100])
    broken = library.entries()[1]
    assert broken.problem and "mine.hourbit" in broken.problem and broken.schema == ""
    assert library.in_use(SCHEMA).title == "basis"
    with pytest.raises(UserError):
        library.adopt(broken)
    with pytest.raises(UserError):
        library.rename(broken, "mended")
    library.remove(broken)
    assert titles(library) == ["basis"]


def test_a_damaged_memory_of_choices_is_no_obstacle(library: Library, tmp_path: Path) -> None:
    mine = add(library, tmp_path, "mine")
    library.adopt(mine)
    (tmp_path / "home" / "library.json").write_text("{")
    assert Library(tmp_path / "home").in_use(SCHEMA).title == "basis"
