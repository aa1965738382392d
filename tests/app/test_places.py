"""Pictures of a project that was moved or copied, with them or without: each is found, none twice, none mistaken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app.project.backups import backups
from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage
from app.project.imports.draft import Draft
from app.project.places import Places, homes_of
from app.project.store import Store
from app.project.values import Image
from app.services.picture_files import is_missing
from app.services.projects import open_folder
from engine.errors import UserError
from engine.regular import digest_of
from tests.app.projects import SCHEMA
from tests.app.views.small import write_pictures


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with pictures and, beside it, their project."""
    write_pictures(tmp_path / "a" / "pictures", 3)
    open_folder(tmp_path / "a" / "pictures", "mpii16").close()
    return tmp_path / "a"


def files_of(document: Document) -> list[Path]:
    found = [document.picture_path(image) for image in document.images()]
    document.close()
    return found


def pictures(folder: Path) -> list[Path]:
    return sorted((folder / "pictures").iterdir())


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "copied"])
def test_a_folder_with_its_project_has_its_own_pictures_and_none_twice(data: Path, moved: bool) -> None:
    there = data.with_name("b")
    (shutil.move if moved else shutil.copytree)(data, there)
    assert files_of(open_folder(there / "pictures", "mpii16")) == pictures(there)
    again = data.with_name("c")
    (shutil.move if moved else shutil.copytree)(there, again)
    write_pictures(again / "pictures", 4)
    assert files_of(open_folder(again / "pictures", "mpii16")) == pictures(again)
    if not moved:
        assert files_of(open_folder(data / "pictures", "mpii16")) == pictures(data)


def test_pictures_in_a_folder_next_to_the_project_s_own_go_with_it(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a" / "pictures", 2)
    (tmp_path / "a" / "work").mkdir()
    document = Document.create(tmp_path / "a" / "work" / "p.hourbit-project", SCHEMA, "P")
    document.apply(AddImages(tuple(NewImage(str(p), 160, 120) for p in pictures(tmp_path / "a"))))
    document.close()
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert files_of(Document.open(tmp_path / "b" / "work" / "p.hourbit-project")) == pictures(tmp_path / "b")


def test_a_copy_of_the_project_alone_keeps_to_the_pictures_it_was_made_for(data: Path) -> None:
    """Also where other pictures of the same names lie beside it."""
    other = data.with_name("other")
    write_pictures(other / "pictures", 4)
    for file, way in zip(pictures(other), reversed(pictures(other)), strict=True):
        file.write_bytes(way.read_bytes())
    document = Document.open(*data.glob("*.hourbit-project"))
    copy = document.copy_to(other / "copy.hourbit-project")
    document.close()
    assert files_of(Document.open(copy)) == pictures(data)


@pytest.fixture
def others(data: Path) -> Path:
    """A copy of the project beside other pictures of the same names."""
    there = data.with_name("b")
    shutil.copytree(data, there)
    for n, file in enumerate(pictures(there)):
        file.write_bytes(file.read_bytes() + b" another" * (n + 1))
    return there


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_missing_picture_sends_neither_itself_nor_the_rest_to_others_of_their_names(
    data: Path, others: Path, gone: int
) -> None:
    files = pictures(data)
    files[gone].unlink()
    document = Document.open(*others.glob("*.hourbit-project"))
    assert [document.picture_path(image) for image in document.images()] == files
    assert [is_missing(document, image) for image in document.images()] == [n == gone for n in range(3)]
    assert files_of(document) == files


def test_where_all_are_missing_only_those_of_the_same_bytes_have_moved(data: Path, others: Path) -> None:
    pictures(others)[1].write_bytes(pictures(data)[1].read_bytes())
    shutil.rmtree(data / "pictures")
    document = Document.open(*others.glob("*.hourbit-project"))
    first, second, _ = document.images()
    assert is_missing(document, first)
    assert document.picture_path(second) == pictures(others)[1]
    document.close()


def test_of_a_copied_folder_a_picture_that_is_another_now_stays_where_its_own_is(data: Path, others: Path) -> None:
    for n in (0, 2):
        pictures(others)[n].write_bytes(pictures(data)[n].read_bytes())
    there, here = pictures(others), pictures(data)
    assert files_of(Document.open(*others.glob("*.hourbit-project"))) == [there[0], here[1], there[2]]


def test_names_of_another_system_alone_make_no_picture_the_same(data: Path) -> None:
    file = pictures(data)[0]
    places = Places(data / "p.hourbit-project", ())
    for folder, digest, found in (("old", digest_of(file), True), ("new", "0" * 64, False)):
        place = places.path(Image(1, f"C:\\{folder}\\pictures\\{file.name}", 1, 1, digest=digest))
        assert place.is_file() == found == (place == file)


def test_an_imported_project_has_only_its_own_folder_as_home(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "p.hourbit-project", SCHEMA)
    path = draft.keep()
    store = Store.open(path)
    assert homes_of(store.meta()) == [str(tmp_path)]
    store.close()
    write_pictures(tmp_path / "pictures", 3)
    write_pictures(tmp_path.parent / "pictures", 3)
    document = Document.open(path)
    document.apply(AddImages(tuple(NewImage(str(p), 160, 120, digest_of(p)) for p in pictures(tmp_path))))
    files = pictures(tmp_path)
    files[0].unlink()
    assert files_of(document) == files


def test_relative_paths_of_a_copy_are_looked_for_where_the_original_was(data: Path, tmp_path: Path) -> None:
    document = Document.create(data / "relative.hourbit-project", SCHEMA, "Relative")
    document.apply(AddImages(tuple(NewImage(f"pictures/{p.name}", 160, 120) for p in pictures(data))))
    (tmp_path / "elsewhere").mkdir()
    copy = document.copy_to(tmp_path / "elsewhere" / "copy.hourbit-project")
    assert files_of(document) == files_of(Document.read(copy)) == files_of(Document.open(copy)) == pictures(data)


def test_paths_of_another_system_are_found_by_their_ends(data: Path) -> None:
    name = pictures(data)[0].name
    places = Places(data / "p.hourbit-project", ())
    assert places.path(Image(1, f"C:\\old disk\\me\\pictures\\{name}", 1, 1)) == data / "pictures" / name
    assert places.path(Image(1, f"/media/old/pictures/{name}", 1, 1)) == data / "pictures" / name
    assert places.path(Image(1, "/media/old/pictures/nowhere.png", 1, 1)) == Path("/media/old/pictures/nowhere.png")


@pytest.mark.parametrize("name", ["n" * 300 + ".png", "nul\0.png", ""])
def test_paths_that_no_disk_can_have_are_missing_pictures(data: Path, name: str) -> None:
    document = Document.open(*data.glob("*.hourbit-project"))
    document.apply(AddImages((NewImage(str(data / "pictures" / name), 160, 120), NewImage(f"{name}x", 160, 120))))
    assert [is_missing(document, image) for image in document.images()].count(True) == 2
    assert len(document.known_paths()) >= 5
    document.close()


ODD = {"braces": "a{b} {0} {", "long": "n" * 250, "wide": "\u4eba" * 80, "bytes": os.fsdecode(b"no text \xff")}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_folders_of_odd_names_get_a_project_with_its_backups(tmp_path: Path, name: str) -> None:
    try:
        write_pictures(tmp_path / name, 1)
    except (OSError, UnicodeError):
        pytest.skip("this disk has no such names")
    document = open_folder(tmp_path / name)
    document.apply(Accept(document.images()[0].id))
    document.close()
    assert document.path.parent == tmp_path
    again = open_folder(tmp_path / name)
    again.back_up()
    assert again.path == document.path and len(again.images()) == 1 and len(backups(again.path)) == 1
    again.close()


def test_where_no_project_can_be_kept_a_sentence_says_so(tmp_path: Path, data_folder: Path, monkeypatch) -> None:
    """B16: neither the folder's surroundings nor the program's own folder can be written."""
    write_pictures(tmp_path / "faces", 1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    data_folder.mkdir(parents=True, exist_ok=True)
    (data_folder / "projects").write_text("in the way")
    with pytest.raises(UserError, match=r"There is no place for the project of faces: .* make a new project elsewhere"):
        open_folder(tmp_path / "faces")
