"""Pictures that were moved, renamed, replaced or are away: labels stay with the bytes that they were made for."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import Link, PutInstance, Refit, Relink
from app.project.values import State
from app.services.projects import Cancelled, open_folder
from app.services.relinking import find_missing
from engine.errors import UserError
from engine.images import encode_png
from tests.app.projects import instance
from tests.app.views.small import write_pictures


def go_on(done: int, total: int) -> bool:
    assert 0 <= done <= total
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "people", 4)
    return tmp_path / "people"


@pytest.fixture
def document(folder: Path) -> Document:
    made = open_folder(folder, "mpii16")
    for n, image in enumerate(made.images()):
        made.apply(PutInstance(instance(image.id, n)))
    yield made
    made.close()


def labels(document: Document) -> dict:
    return {image.digest: document.instances(image.id)[0].points.tolist() for image in document.images()}


def names(document: Document) -> list[str]:
    return [Path(image.path).name for image in document.images()]


def test_files_renamed_in_the_folder_keep_their_labels_when_it_is_opened_again(folder, document) -> None:
    before = labels(document)
    document.close()
    (folder / "picture1.png").rename(folder / "zebra.png")
    (folder / "picture2.png").rename(folder / "picture1.png")  # the name of another
    write_pictures(folder / "new", 1, (60, 40))
    again = open_folder(folder, "mpii16")
    now = {image.digest: again.instances(image.id) for image in again.images()}
    assert {digest: held[0].points.tolist() for digest, held in now.items() if held} == before and len(now) == 5
    for image in again.images():  # what the labels belong to lies where they say
        assert hashlib.sha256(again.picture_path(image).read_bytes()).hexdigest() == image.digest
    again.close()


def test_a_moved_folder_is_found_whatever_its_files_are_called(folder, document, tmp_path) -> None:
    before = labels(document)
    shutil.move(folder, tmp_path / "disk" / "2026")
    (tmp_path / "disk" / "2026" / "picture3.png").rename(tmp_path / "disk" / "x.png")
    found = find_missing(document, tmp_path / "disk", go_on)
    assert (len(found.links), found.missing, found.others) == (4, 0, ())
    document.apply(Relink(found.links))
    assert labels(document) == before and "x.png" in names(document)
    assert all(document.picture_path(image).is_file() for image in document.images())
    document.undo()
    assert names(document) == [f"picture{n}.png" for n in (1, 2, 3, 4)]


def test_another_picture_under_the_name_is_left_alone_and_named(folder, document, tmp_path) -> None:
    shutil.rmtree(folder)
    write_pictures(tmp_path / "others", 2, (30, 30))
    found = find_missing(document, tmp_path / "others", go_on)
    assert found.links == () and found.missing == 4 and found.others == ("picture1.png", "picture2.png")


def renumbered(folder: Path) -> None:
    """The second of four is deleted, and the later ones move up."""
    (folder / "picture2.png").unlink()
    (folder / "picture3.png").rename(folder / "picture2.png")
    (folder / "picture4.png").rename(folder / "picture3.png")


@pytest.mark.parametrize("way", ["folder", "search"])
def test_files_numbered_anew_after_one_was_deleted_keep_their_labels(folder, document, way) -> None:
    before, digests = labels(document), {image.id: image.digest for image in document.images()}
    renumbered(folder)
    if way == "folder":
        document.close()
        document = open_folder(folder, "mpii16")
    else:
        found = find_missing(document, folder, go_on)
        assert found.missing == 1 and found.others == ()
        document.apply(Relink(found.links))
    assert labels(document) == before and len(document.images()) == 4
    assert {image.id: image.digest for image in document.images()} == digests
    assert names(document) == ["picture1.png", "picture2.png", "picture2 (gone).png", "picture3.png"]
    for image in document.images():
        path = document.picture_path(image)
        assert not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() == image.digest
    assert not find_missing(document, folder, go_on).links  # nothing more to do
    document.undo()
    assert names(document) == [f"picture{n}.png" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("way", ["exchanged", "upward"])
def test_files_that_took_each_other_s_names_are_found_though_none_is_missing(folder, document, way) -> None:
    before, digests = labels(document), {image.id: image.digest for image in document.images()}
    files = [folder / f"picture{n}.png" for n in range(1, 6)]
    held = [file.read_bytes() for file in files[:4]]
    order = [1, 0, 2, 3] if way == "exchanged" else [3, 0, 1, 2]
    for file, n in zip(files, order, strict=False):
        file.write_bytes(held[n])
    if way == "upward":
        files[0].rename(files[4])
        write_pictures(folder / "new", 1, (60, 40))[0].rename(files[0])  # another has come before all
    found = find_missing(document, folder, go_on)
    assert found.missing == 0 and found.others == ()
    document.apply(Relink(found.links))
    assert labels(document) == before and {image.id: image.digest for image in document.images()} == digests
    for image in document.images():
        assert hashlib.sha256(document.picture_path(image).read_bytes()).hexdigest() == image.digest
    document.undo()
    assert names(document) == [f"picture{n}.png" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("relative", [True, False])
def test_images_make_room_under_names_that_nothing_has_yet(folder, document, relative) -> None:
    """A missing image and a file are called as the one would be that makes room."""
    base = "people" if relative else str(folder)
    places = ["picture2 (gone).png", "picture2.png", "picture3.png", "picture4.png"]
    (folder / "picture1.png").unlink()
    links = (Link(image.id, f"{base}/{name}") for image, name in zip(document.images(), places, strict=True))
    document.apply(Relink(tuple(links)))
    before = labels(document)
    renumbered(folder)
    (folder / "picture2 (gone 2).png").write_bytes(b"somebody's own")
    document.close()
    document = open_folder(folder, "mpii16")
    held = {i.digest: document.instances(i.id) for i in document.images() if document.instances(i.id)}
    assert {digest: i[0].points.tolist() for digest, i in held.items()} == before
    assert {"picture2 (gone).png", "picture2 (gone 2).png", "picture2 (gone 3).png"} < {*names(document)}
    document.close()


def test_a_search_can_be_cancelled_and_needs_something_missing(folder, document, tmp_path) -> None:
    with pytest.raises(UserError, match="No picture"):
        find_missing(document, folder, go_on)
    shutil.move(folder, tmp_path / "gone")
    with pytest.raises(Cancelled):
        find_missing(document, tmp_path / "gone", lambda done, total: False)


def test_two_images_never_share_a_path(document: Document) -> None:
    first, second = document.images()[:2]
    with pytest.raises(UserError, match="already"):
        document.apply(Relink((Link(first.id, second.path),)))
    document.apply(Relink((Link(first.id, "a.png"), Link(second.id, first.path))))  # but they may change places
    assert document.image(second.id).path == first.path


def test_labels_are_fitted_to_a_picture_of_another_size_and_back(document: Document) -> None:
    image = document.images()[0]
    (before,) = document.instances(image.id)
    document.apply(Refit(image.id, image.width * 2, image.height * 2))
    (after,) = document.instances(image.id)
    assert np.allclose(after.points, before.points * 2 + 0.5)  # the edge of the picture is at -0.5
    assert after.box.side == before.box.side * 2 and document.image(image.id).width == 320
    document.undo()
    assert document.instances(image.id) == (before,) and document.image(image.id).width == 160


def test_a_thousand_changes_of_the_folder_lose_and_move_no_label(folder, document, tmp_path) -> None:
    """Renamed, moved, deleted and come back, replaced, new ones: labels stay with the bytes they were made for."""
    before, dice = labels(document), np.random.default_rng(4)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    path = document.path
    for round in range(25):
        for n in range(40):
            files = sorted(file for file in folder.rglob("*.png"))
            file = files[dice.integers(len(files))] if files else None
            match dice.integers(5):
                case 0 if file is not None:
                    file.rename(file.with_name(f"renamed {round} {n}.png"))
                case 1 if file is not None:
                    (folder / f"sub {dice.integers(3)}").mkdir(exist_ok=True)
                    file.rename(folder / f"sub {dice.integers(1)}" / file.name) if (folder / "sub 0").exists() else None
                case 2 if file is not None:
                    file.unlink()
                case 3:
                    pixels = dice.integers(0, 256, (20, 30, 3), np.uint8)
                    (folder / f"new {round} {n}.png").write_bytes(encode_png(pixels))
                case _:
                    name = sorted(whole)[dice.integers(len(whole))]
                    (folder / name).write_bytes(whole[name])
        (folder / "picture1.png").write_bytes(whole["picture1.png"])
        document.close()
        document = open_folder(folder, "mpii16")
        held = {i.digest: document.instances(i.id) for i in document.images() if document.instances(i.id)}
        assert {digest: i[0].points.tolist() for digest, i in held.items()} == before
    assert document.path == path and document.check() == []
    assert all(image.state is not State.BROKEN for image in document.images())
    document.close()
