"""Labels in which there is nothing to take, and a disk that takes nothing: a sentence, and no project is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.project.document import Document
from app.project.imports.draft import Draft
from app.project.places import homes_of
from app.services.importing import look
from engine.errors import UserError
from engine.images import encode_png
from tests.app.cli_runner import hourbit
from tests.app.projects import SCHEMA

IMAGE = {"id": 1, "file_name": "a.png", "width": 60, "height": 40}
ONE = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2, 3, 4, 2]}
NONE = "These labels hold no landmarks; choose another file."


def coco(folder: Path, **other: Any) -> Path:
    path, fly = folder / "labels.json", {"id": 1, "name": "fly", "keypoints": ["head", "tail"]}
    path.write_text(json.dumps({"images": [IMAGE], "annotations": [ONE], "categories": [fly], **other}))
    return path


@pytest.mark.parametrize("other", [
    {"images": [IMAGE | {"width": 10**12}]}, {"images": [IMAGE | {"id": [1]}]}, {"images": [1, None, {}]},
    {"annotations": [1, None, "a", [], {}]}, {"annotations": [ONE | {"keypoints": "abc"}]}, {"annotations": []},
    {"annotations": [ONE | {"keypoints": [1e300, 0, 2, 3, 4, 2]}]}, {"images": [], "annotations": []},
])  # fmt: skip
def test_a_file_without_a_single_label_is_refused_and_leaves_no_project(tmp_path: Path, other: dict[str, Any]) -> None:
    labels, project = coco(tmp_path, **other), tmp_path / "p.hourbit-project"
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((40, 60, 3), np.uint8)))
    ran = hourbit("import", labels, project)
    assert ran.code == 2 and ran.err.strip() == NONE
    with pytest.raises(UserError, match=NONE):
        look(labels, "coco", None, lambda done, total: True, project)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "labels.json"]


def test_labels_of_pictures_that_are_nowhere_make_no_empty_project(tmp_path: Path) -> None:
    labels, project = coco(tmp_path), tmp_path / "p.hourbit-project"
    ran = hourbit("import", labels, project)
    assert ran.code == 2 and ran.err.strip() == (
        "No picture of these labels was found, so that no project was made; name their folder with --pictures."
    )
    assert list(tmp_path.iterdir()) == [labels]
    Document.create(project, SCHEMA, "P").close()  # one that is there stays as it is
    ran = hourbit("import", labels, project, "--map", f"head={SCHEMA.landmarks[0]}")
    assert ran.code == 0 and "Imported 0 instances" in ran.out and "1 picture not found" in ran.out


def test_pictures_that_a_person_left_empty_come_in_and_it_is_said(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(encode_png(np.zeros((40, 60, 3), np.uint8)))
    assert hourbit("new", tmp_path / "one.hourbit-project", pictures, "--schema", "mpii16").code == 0
    ran = hourbit("import", tmp_path / "one.hourbit-project", tmp_path / "two.hourbit-project")
    assert ran.code == 0 and "1 picture added" in ran.out
    assert "These labels hold no landmarks; their pictures alone count" in ran.out
    document = Document.open(tmp_path / "two.hourbit-project")
    assert len(document.images()) == 1
    document.close()


def test_a_full_disk_names_the_project_and_not_what_is_made_beside_it(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(UserError) as told:
        Draft(tmp_path / "p.hourbit-project", SCHEMA)
    assert str(told.value) == (f"{tmp_path / 'p.hourbit-project'} cannot be made ([Errno 28] No space left on device); "
                               "choose another place or free space.")  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_project_remembers_its_place_and_not_where_it_was_made(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "p.hourbit-project", SCHEMA)
    homes = homes_of(draft.document._store.meta())
    draft.keep()
    assert list(homes) == [str(tmp_path)]
