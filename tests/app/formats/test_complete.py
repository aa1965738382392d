"""Complete exports: pictures, splits that no group straddles, a README with counts and a hash, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.formats.builtin import BUILT_IN
from app.formats.coco import Coco
from app.formats.complete import Wishes, export_complete
from app.formats.describing import LABELS
from app.formats.registry import ReadOptions
from app.formats.splits import group_of, shares_of, split
from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage
from app.project.values import Origin
from app.services.projects import Cancelled
from engine.errors import UserError
from engine.images import encode_png
from tests.app.cli_runner import hourbit
from tests.app.projects import SCHEMA, put


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """Ten accepted pictures, five of each of two subjects; two of them have one name in two folders."""
    made = Document.create(tmp_path / "bodies.hourbit-project", SCHEMA, "Bodies")
    for n in range(10):
        path = tmp_path / "photos" / f"subject{n % 2 + 1}" / f"{n // 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.full((120, 160, 3), n, np.uint8)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        image = made.apply(AddImages((NewImage(str(path), 160, 120, digest),))).created
        put(made, image, n, Origin.HAND)
        made.apply(Accept(image))
    yield made
    made.close()


@pytest.mark.parametrize("how", ["copy", "link"])
def test_other_pictures_of_the_names_are_left_out_and_named(document: Document, tmp_path: Path, how: str) -> None:
    one, two = (tmp_path / "photos" / "subject1" / f"{n}.png" for n in (1, 2))
    one.write_bytes(two.read_bytes())
    out = tmp_path / "set"
    wishes = Wishes(pictures=how, shares=shares_of("train=0.5,val=0.5"), names=True)
    report = export_complete(document, Coco(), out, wishes)
    assert report.images == report.instances == 9
    assert report.lost[0] == {
        "what": "images", "count": 1, "why": "other pictures than those that were labelled: 1.png",
    }  # fmt: skip
    assert not (out / "pictures" / "subject1" / "1.png").exists() and len([*(out / "pictures").rglob("*.png")]) == 9
    assert "subject1/1.png" not in (out / "annotators.csv").read_text()
    assert "subject1/1.png" not in "".join(file.read_text() for file in out.glob("*.json"))


def test_where_all_are_others_nothing_is_exported(document: Document, tmp_path: Path) -> None:
    for file in (tmp_path / "photos").rglob("*.png"):
        file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(UserError, match="put the labelled ones back"):
        export_complete(document, Coco(), tmp_path / "set", Wishes())
    assert not (tmp_path / "set").exists()
    assert export_complete(document, Coco(), tmp_path / "set", Wishes(pictures="reference")).images == 10


def test_pictures_are_copied_and_labels_lead_to_them(document: Document, tmp_path: Path) -> None:
    out = tmp_path / "set"
    report = export_complete(document, Coco(), out, Wishes(licence="CC BY 4.0"))
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert names[:3] == ["README.md", "SHA256SUMS", "labels.json"] and "pictures/subject2/4.png" in names
    assert len(names) == 14 and report.instances == 10 and not any(path.is_symlink() for path in out.rglob("*"))
    labels = Coco().read(out / "labels.json", ReadOptions())
    assert {picture.path for picture in labels.pictures} == set((out / "pictures").rglob("*.png"))
    for picture, row in zip(labels.pictures, labels.tables[0].points, strict=True):
        subject, n = picture.path.parent.name, int(picture.path.stem)
        original = next(i for i in document.images() if i.path.endswith(f"{subject}/{n}.png"))
        assert np.abs(document.instances(original.id)[0].points - row).max() < 1e-4
    readme = (out / "README.md").read_text()
    assert "| pictures | 10 |" in readme and "| visible landmarks | 160 |" in readme and "Licence: CC BY 4.0" in readme
    assert hashlib.sha256((out / "SHA256SUMS").read_bytes()).hexdigest() in readme
    assert "| 0 | Right ankle | Left ankle | 10 |" in readme and str(tmp_path) not in readme
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=out, check=False).returncode == 0
    assert json.loads((out / "schema.json").read_text())["name"] == "mpii16"


def test_names_stay_in_unless_asked_for(document: Document, tmp_path: Path) -> None:
    export_complete(document, Coco(), tmp_path / "without", Wishes())
    assert not any(b'"ann"' in p.read_bytes() or b",ann" in p.read_bytes() for p in (tmp_path / "without").glob("*.*"))
    export_complete(document, Coco(), tmp_path / "with", Wishes(names=True))
    rows = (tmp_path / "with" / "annotators.csv").read_text().splitlines()
    assert rows[:2] == ["image,instance,annotator", "subject1/0.png,1,ann"] and len(rows) == 11


@pytest.mark.parametrize("how", ["link", "reference"])
def test_pictures_are_linked_or_stay(how: str, document: Document, tmp_path: Path) -> None:
    out = tmp_path / "set"
    export_complete(document, Coco(), out, Wishes(pictures=how))
    labels = Coco().read(out / "labels.json", ReadOptions())
    found = sorted(picture.path.resolve() for picture in labels.pictures)
    assert found == sorted((tmp_path / "photos").rglob("*.png"))
    links = [path for path in out.rglob("*") if path.is_symlink()]
    assert len(links) == (10 if how == "link" else 0)


def test_a_split_is_a_file_of_its_own_and_no_subject_straddles(document: Document, tmp_path: Path) -> None:
    shares = shares_of("train=0.5,val=0.5")
    for seed in range(3):
        out = tmp_path / f"set{seed}"
        export_complete(document, Coco(), out, Wishes(shares=shares, seed=seed, group=r"subject(\d)"))
        held = {}
        for part in ("train", "val"):
            read = Coco().read(out / f"labels-{part}.json", ReadOptions())
            held[part] = {picture.name.split("/")[1] for picture in read.pictures}
            assert len(read.pictures) == 5 and read.instances == 5
        assert len(held["train"]) == 1 and not held["train"] & held["val"]
        assert f"seed {seed}" in (out / "README.md").read_text()


def test_shares_are_met_and_the_seed_decides() -> None:
    groups = [f"g{n // 2}" for n in range(100)]
    parts = split(groups, shares_of("train=0.7,val=0.2,test=0.1"))
    assert Counter(parts) == {"train": 70, "validation": 20, "test": 10}
    assert all(parts[n] == parts[n + 1] for n in range(0, 100, 2))
    assert split(groups, {"train": 0.7, "validation": 0.3}, 1) == split(groups, {"train": 0.7, "validation": 0.3}, 1)
    assert split(groups, {"train": 0.7, "validation": 0.3}, 1) != split(groups, {"train": 0.7, "validation": 0.3}, 2)
    assert group_of("a/b.png", "abc", "picture") == "abc" and group_of("a\\b.png", "abc", "folder") == "a"
    assert group_of("x/s07_001.png", "", r"s(\d+)_") == "07"
    for wrong in ("train=0.5", "train=0.5,train=0.5", "dev=1", "train=x", "train=-1,val=2"):
        with pytest.raises(UserError):
            shares_of(wrong)
    with pytest.raises(UserError, match="no pattern"):
        group_of("a", "", "(")


def test_nothing_is_left_where_an_export_is_stopped_or_a_picture_is_gone(document: Document, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    ticks = 0

    def stop(done: float, total: float | None) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 6:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_complete(document, Coco(), tmp_path / "set", Wishes(progress=stop))
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "photos" / "subject1" / "3.png").unlink()
    with pytest.raises(UserError, match=r"3\.png is not there any more"):
        export_complete(document, Coco(), tmp_path / "set", Wishes())
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_writes_data_sets(document: Document, tmp_path: Path) -> None:
    project, out = document.path, tmp_path / "yolo"
    document.close()
    ran = hourbit("export", project, out, "--format", "yolo-pose", "--split", "train=0.8,val=0.2", "--group", "picture")
    assert ran.code == 0, ran.err
    counts = {part: len(list((out / "images" / part).rglob("*.png"))) for part in ("train", "val")}
    assert counts == {"train": 8, "val": 2} and (out / "README.md").is_file() and (out / "data.yaml").is_file()
    assert hourbit("export", project, out, "--format", "yolo-pose").code == 2  # it is not empty
    ran = hourbit("export", project, tmp_path / "x", "--format", "yolo-pose", "--pictures", "reference")
    assert ran.code == 2 and "copy or link" in ran.err
    ran = hourbit("export", project, tmp_path / "x", "--format", "snapshot", "--pictures", "copy")
    assert ran.code == 2 and "one file" in ran.err and not (tmp_path / "x").exists()
    linked = hourbit("export", project, tmp_path / "y", "--format", "yolo-pose", "--pictures", "link")
    assert linked.code == 0 and all(path.is_symlink() for path in (tmp_path / "y").rglob("*.png"))


@pytest.mark.parametrize("name", ["labelme", "300w", "sleap", "cvat", "deeplabcut", "mpii-h5", "label-studio"])
def test_every_format_leads_to_the_copies(name: str, document: Document, tmp_path: Path) -> None:
    """Also those that are folders, with the pictures in them or without."""
    form = next(form for form in BUILT_IN if form.name == name)
    out = tmp_path / "set"
    export_complete(document, form, out, Wishes())
    place = next(iter(out.glob(f"{LABELS}*")), out)
    found = form.read(place, ReadOptions(pictures=out))
    assert len(found.pictures) == 10 == found.instances and (out / "README.md").is_file()
    assert all(picture.path is not None and out in picture.path.parents for picture in found.pictures)
