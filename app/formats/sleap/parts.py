"""The parts of a .slp file: arrays and JSON texts in HDF5, skeletons, and what each frame shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.headers import HeaderError, read_header
from engine.label_reading import parse_json, refuse, shown
from engine.labels import Skeleton

MAX_BYTES = 1 << 30
EDGE, MIRROR = 1, 2  # kinds of links


def array(file: Any, name: str, fields: tuple[str, ...], path: Path) -> dict[str, np.ndarray]:
    """Columns of a compound data set; raises FormatError where one is missing or holds no numbers."""
    held = _data_set(file, name, path)
    if held is None:
        refuse(path, name, "it is missing", "save the project again with SLEAP")
    missing = [field for field in fields if field not in (held.dtype.names or ())]
    if missing or len(held.shape) != 1:
        refuse(path, name, f"it has no column {missing[0] if missing else ''}", "save the project again with SLEAP")
    values = held[()]
    if any(values[field].dtype.kind not in "buif" for field in fields):
        refuse(path, name, "it holds no numbers")
    return {field: values[field] for field in fields}


def texts(file: Any, name: str, path: Path) -> list[Any]:
    """The JSON values of a data set of texts, [] where there is none; raises FormatError."""
    held = _data_set(file, name, path)
    if held is None or held.dtype.kind not in "OS" or len(held.shape) != 1:
        return []
    return [parse_json(_text(one), path, f"{name}[{n}]") for n, one in enumerate(held[()])]


def attribute(group: Any, name: str, path: Path) -> Any:
    """A JSON value of an attribute; raises FormatError."""
    if name not in group.attrs:
        refuse(path, f"{group.name} {name}", "it is missing", "save the project again with SLEAP")
    return parse_json(_text(group.attrs[name]), path, f"{group.name} {name}")


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, np.void)) else str(value)


def _data_set(file: Any, name: str, path: Path) -> Any:
    held = file.get(name)
    if held is None or not hasattr(held, "dtype"):
        return None
    if held.size * max(held.dtype.itemsize, 1) > MAX_BYTES:
        refuse(path, name, f"it claims more than {MAX_BYTES >> 30} GB", "check that the file is complete")
    return held


def skeletons(metadata: Any, path: Path) -> list[Skeleton]:
    """All skeletons, landmarks in their own order, which goes through ids into the list of all nodes."""
    if not isinstance(metadata, dict):
        refuse(path, "metadata", "it is no object")
    nodes = metadata.get("nodes")
    made = []
    try:
        names = [str(node["name"]) for node in nodes]
        for n, one in enumerate(metadata["skeletons"]):
            one = one.get("nx_graph", one)
            ids = [_id(node["id"]) for node in one["nodes"]]
            if any(not 0 <= i < len(names) for i in ids):
                refuse(path, f"skeleton {n + 1}", f"a node has the id {shown(max(ids))}, which is not in the list")
            edges, flip = _links(one.get("links", ()), ids)
            name = str(one.get("graph", {}).get("name", "")) or f"skeleton{n + 1}"
            landmarks = tuple(names[i] for i in ids)
            if len(set(landmarks)) != len(landmarks):
                refuse(path, f"skeleton {n + 1}", "a landmark stands in it twice")
            made.append(Skeleton(name, landmarks, edges, flip))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        refuse(path, "metadata", f"a skeleton in it is damaged ({type(error).__name__} {shown(error)})")
    return made


def _id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("an id is no whole number")
    return value


def _links(links: Any, ids: list[int]) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Lines and mirror pairs; a kind is written out once and referred to by the order of its writing later."""
    kinds: list[int] = []
    edges, flip = [], set()
    for link in links:
        kind = link.get("type", {})
        if "py/reduce" in kind:
            kinds.append(kind["py/reduce"][1]["py/tuple"][0])
            value = kinds[-1]
        else:
            number = kind.get("py/id", EDGE)
            value = kinds[number - 1] if 1 <= number <= len(kinds) else number
        pair = ids.index(link["source"]), ids.index(link["target"])
        if value == MIRROR and pair[0] != pair[1]:
            flip.add((min(pair), max(pair)))
        elif value == EDGE:
            edges.append(pair)
    return tuple(edges), tuple(sorted(flip))


class Video:
    """One entry of videos_json: a list of pictures, a video, or pictures inside this file."""

    def __init__(self, entry: Any, file: Any, path: Path) -> None:
        held = entry if isinstance(entry, dict) else {}
        backend = held.get("backend") if isinstance(held.get("backend"), dict) else held
        self.number: int | None = None  # of the group in which embedded pictures are
        self._data: Any = None
        self._rows: dict[int, int] = {}
        self._pictures, self.name = _source(held, backend)
        shape = backend.get("shape")
        self.size = _size(shape[1:3]) if isinstance(shape, list) and len(shape) == 4 else None
        dataset = backend.get("dataset")
        if isinstance(dataset, str) and backend.get("filename") == "." and hasattr(file.get(dataset), "dtype"):
            self._embedded(file, dataset, path)

    def _embedded(self, file: Any, dataset: str, path: Path) -> None:
        group = dataset.rpartition("/")[0]
        digits = group.rpartition("/")[2].removeprefix("video")
        self.number = int(digits) if digits.isdecimal() and len(digits) < 10 else None
        self._data = file[dataset]
        frames = file.get(f"{group}/frame_numbers")
        if hasattr(frames, "dtype") and frames.dtype.kind in "iu" and frames.size < 10_000_000:
            self._rows = {int(frame): row for row, frame in enumerate(np.ravel(frames[()]))}
        source = file.get(f"{group}/source_video")
        if source is not None and "json" in source.attrs:
            entry = attribute(source, "json", path)
            if isinstance(entry, dict):
                backend = entry.get("backend") if isinstance(entry.get("backend"), dict) else entry
                self._pictures, self.name = _source(entry, backend)
        if self.name == ".":
            self.name = path.name

    @property
    def embedded(self) -> bool:
        """Whether its pictures are inside the file."""
        return self._data is not None

    def picture(self, frame: int) -> tuple[str, bool]:
        """The name of a frame, and whether it is that of a picture of its own."""
        if self._pictures and 0 <= frame < len(self._pictures):
            return self._pictures[frame], True
        return f"{self.name}#{frame}", False

    def size_of(self, frame: int) -> tuple[int, int] | None:
        """(width, height) of a frame where anything says it."""
        row = self._rows.get(frame)
        if self._data is None or row is None or row >= len(self._data):
            return self.size
        try:
            return read_header(np.asarray(self._data[row]).astype(np.uint8).tobytes(), whole=False).upright
        except (HeaderError, ValueError, TypeError, OSError):
            return self.size


def _source(entry: dict[str, Any], backend: dict[str, Any]) -> tuple[list[str], str]:
    """Names of single pictures, and the name of the video."""
    for names in (backend.get("filenames"), backend.get("filename"), entry.get("filename")):
        if isinstance(names, list):
            kept = [name for name in names if isinstance(name, str)]
            return kept, kept[0] if kept else "video"
    name = backend.get("filename", entry.get("filename"))
    return [], name if isinstance(name, str) and name else "video"


def _size(values: list[Any]) -> tuple[int, int] | None:
    high, wide = values
    return (wide, high) if all(type(v) is int and 0 < v < 1 << 20 for v in values) else None
