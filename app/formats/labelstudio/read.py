"""Reading Label Studio's exports."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from app.formats.labelstudio.places import picture_names, picture_of
from app.formats.labelstudio.regions import Regions
from app.formats.loose import Loose, together
from app.formats.registry import ReadOptions
from engine.label_pictures import Finder, size_of
from engine.label_reading import load_json, refuse, shown
from engine.labels import LabelSet, Picture, Problems

FOLDERS = ("images", "..")
MIN_WORDS = ("keypointlabels", "rectanglelabels")


def read_label_studio(path: Path, options: ReadOptions) -> LabelSet:
    """All tasks of an export; raises FormatError."""
    return _Reading(path, options).run()


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.offset, self.problems = path, options.offset or 0.0, Problems(path.name)
        self.finder = Finder(path, options, self.problems, FOLDERS)
        self.loose, self.left_out = Loose(), Counter()
        self.pictures: list[Picture] = []
        self.numbers: dict[str, int] = {}
        self.progress = options.progress

    def run(self) -> LabelSet:
        data = load_json(self.path, self.problems)
        tasks = data if isinstance(data, list) else [data]
        for n, task in enumerate(tasks):
            if not isinstance(task, dict):
                refuse(self.path, f"[{n}]", f"{shown(task)} is no task")
        latest = self._latest(tasks)
        for n, task in enumerate(tasks):
            where = f"[{n}]"
            if isinstance(task.get("task"), dict) and "result" in task:  # one annotation, as a storage holds it
                task = task["task"] | {"annotations": [{key: task[key] for key in task if key != "task"}]}
            if isinstance(task.get("data"), dict):
                self._task(task, where)
            elif latest.get(picture_of(task), n) == n:
                self._min(task, where)
            else:
                self.problems.add(where, "a later annotation of the same picture was taken")
            if self.progress is not None:
                self.progress(n + 1, len(tasks))
        tables = self.loose.tables()
        left = {what: count for what, count in (self.left_out + self.loose.left_out).items() if count}
        return LabelSet(tuple(self.pictures), tables, self.problems.values(), {"left_out": left} if left else {})

    def _latest(self, tasks: list[dict[str, Any]]) -> dict[str | None, int]:
        """Of each picture the task of JSON-MIN with its latest annotation; there is one for each annotation."""
        found: dict[str | None, tuple[str, int]] = {}
        for n, task in enumerate(tasks):
            if "annotation_id" in task and not isinstance(task.get("data"), dict):
                when = str(task.get("updated_at") or task.get("created_at") or "")
                name = picture_of(task)
                found[name] = max(found.get(name, ("", -1)), (when, n))
        return {name: n for name, (_, n) in found.items()}

    def _task(self, task: dict[str, Any], where: str) -> None:
        name, path = self._found(task["data"], where)
        size = size_of(path) if path is not None else None
        annotations = self._list(task, "annotations" if "annotations" in task else "completions", where)
        done = [one for one in annotations if not (one[0].get("was_cancelled") or one[0].get("skipped"))]
        if len(done) < len(annotations):
            self.problems.add(where, f"{len(annotations) - len(done)} cancelled annotations were left out")
        if len(done) > 1:
            done.sort(key=lambda one: str(one[0].get("updated_at") or one[0].get("created_at") or ""))
            self.problems.add(where, f"it has {len(done)} annotations; the latest was taken")
        read = [self._regions(one, place, size, True) for one, place in done[-1:]]
        predictions = self._list(task, "predictions", where)
        if len(predictions) > 1:
            self.problems.add(where, f"it has {len(predictions)} predictions; the last was taken")
        read += [self._regions(one, place, size, False) for one, place in predictions[-1:]]
        if done and predictions and all(one.marks for one in read):
            self.problems.add(where, "it has predictions besides annotations; both were read")
        stated = next((one.size for one in read if one.size), None)
        picture = self._picture(name, path, stated, bool(done), where)
        for one in read:
            subjects = together(one.marks, one.shapes, where, self.problems)
            self.loose.add_subjects(picture, subjects, named=False)

    def _regions(self, one: dict[str, Any], where: str, size: tuple[int, int] | None, hand: bool) -> Regions:
        regions = Regions(self.path, self.offset, self.problems, self.left_out)
        regions.read([] if one.get("result") is None else one["result"], f"{where}.result", size, hand)
        return regions

    def _min(self, task: dict[str, Any], where: str) -> None:
        """JSON-MIN: regions by the name of their control; without ids, parents and relations."""
        name, path = self._found(task, where)
        result = []
        for value in task.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and any(word in one for word in (*MIN_WORDS, "original_width")):
                    kind = next((word for word in MIN_WORDS if word in one), "")
                    kind = kind or ("rectangle" if "height" in one else "keypoint" if "x" in one else "other")
                    result.append({**one, "type": kind, "value": one, "id": one.get("id")})
        regions = Regions(self.path, self.offset, self.problems, self.left_out)
        regions.read(result, where, size_of(path) if path is not None else None, True)
        picture = self._picture(name, path, regions.size, True, where)
        self.loose.add_subjects(picture, together(regions.marks, regions.shapes, where, self.problems), named=False)

    def _found(self, data: dict[str, Any], where: str) -> tuple[str, Path | None]:
        """A picture's name and its file."""
        word = picture_of(data)
        if word is None:
            refuse(self.path, where, "it names no picture", "choose an export of a project with pictures")
        if word.startswith("data:"):
            self.problems.add(where, "its picture stands in the file itself and was left out")
            return f"task{where}", None
        names = picture_names(word)
        for name in names:
            if (path := self.finder.find(name)) is not None:
                return name, path
        return names[0], None

    def _picture(
        self, name: str, path: Path | None, size: tuple[int, int] | None, visited: bool, where: str
    ) -> int:
        if name in self.numbers:
            self.problems.add(where, f"{shown(name)} was in a task before; labels were joined")
            return self.numbers[name]
        self.numbers[name] = len(self.pictures)
        self.pictures.append(self.finder.picture(name, size, visited=visited))
        return self.numbers[name]

    def _list(self, task: dict[str, Any], key: str, where: str) -> list[tuple[dict[str, Any], str]]:
        held = task.get(key)
        if held is None:
            return []
        if not isinstance(held, list):
            refuse(self.path, f"{where}.{key}", f"{shown(held)} is no list")
        made = []
        for n, one in enumerate(held):
            if isinstance(one, dict):
                made.append((one, f"{where}.{key}[{n}]"))
            elif key != "predictions":  # some exports hold only their ids
                refuse(self.path, f"{where}.{key}[{n}]", f"{shown(one)} is no annotation")
        return made
