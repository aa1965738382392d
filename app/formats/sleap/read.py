"""Reading SLEAP's files through h5py: their layout is plain, and sleap-io would bring dozens of packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.formats.extras import needs
from app.formats.registry import ReadOptions
from app.formats.sleap.parts import Video, array, attribute, skeletons, texts
from engine.label_pictures import Finder
from engine.label_reading import refuse, shown
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Problems
from engine.rows import Rows

OLD, CORNER = 1.1, -0.5  # before this format, what users placed counts from the corner of the top-left pixel
USER, PREDICTED = 0, 1
WRONG = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError, OverflowError, IndexError)
FAR = 1e9


def read_sleap(path: Path, options: ReadOptions) -> LabelSet:
    """All labelled frames of a file; raises FormatError."""
    with needs("h5py", f"Reading {path.name}"):
        import h5py
    try:
        with h5py.File(path, "r") as file:
            return _Reading(file, path, options).run()
    except WRONG as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        refuse(path, "", f"it is no SLEAP file that can be read ({reason})", "save the project again with SLEAP")


class _Reading:
    def __init__(self, file: Any, path: Path, options: ReadOptions) -> None:
        self.file, self.path, self.options, self.problems = file, path, options, Problems(path.name)
        self.finder = Finder(path, options, self.problems)
        if "metadata" not in file:
            refuse(path, "metadata", "it is missing", "choose a .slp file")
        metadata = file["metadata"]
        self.version = float(np.asarray(metadata.attrs.get("format_id", 1.0)).ravel()[0])
        self.skeletons = skeletons(attribute(metadata, "json", path), path)
        self.rows = [Rows(skeleton) for skeleton in self.skeletons]
        self.videos = [Video(entry, file, path) for entry in texts(file, "videos_json", path)]
        self.tracks = [self._track(entry) for entry in texts(file, "tracks_json", path)]
        self.pictures: list[Picture] = []
        self.numbers: dict[tuple[int, int], int] = {}

    def _track(self, entry: Any) -> str:
        return str(entry[1]) if isinstance(entry, list) and len(entry) > 1 else str(entry)

    def run(self) -> LabelSet:
        frames = array(self.file, "frames", ("video", "frame_idx", "instance_id_start", "instance_id_end"), self.path)
        held = array(self.file, "instances", ("instance_type", "skeleton", "track", "point_id_start", "point_id_end"),
                     self.path)  # fmt: skip
        user, predicted = (self._points(name) for name in ("points", "pred_points"))
        positions = self._positions(frames["video"])
        taken = np.zeros(len(held["track"]), bool)
        columns = (column.tolist() for column in frames.values())
        for n, (video, frame, start, end) in enumerate(zip(*columns, strict=True)):
            where = f"frame {n + 1}"
            if positions.get(int(video)) is None:
                refuse(self.path, where, f"it is of video {int(video)}, and there are {len(self.videos)}")
            picture = self._picture(positions[int(video)], int(frame))
            if not 0 <= start <= end <= len(taken):
                refuse(self.path, where, f"its instances {int(start)} to {int(end)} are not all there")
            for row in range(int(start), int(end)):
                taken[row] = True
                kind = int(held["instance_type"][row])
                if kind not in (USER, PREDICTED):
                    self.problems.add(f"instance {row + 1}", f"its kind {kind} is unknown; it was left out")
                    continue
                self._instance(row, picture, held, predicted if kind == PREDICTED else user, kind == USER)
        if not taken.all():
            self.problems.add("instances", f"{int((~taken).sum())} belong to no frame and were left out")
        inside = sum(video.embedded for video in self.videos)
        if inside:
            self.problems.add("", f"pictures of {inside} videos are inside the file; they were not unpacked")
        return LabelSet(tuple(self.pictures), tuple(rows.table() for rows in self.rows), self.problems.values())

    def _points(self, name: str) -> dict[str, np.ndarray]:
        if name not in self.file:
            return {"x": np.zeros(0), "y": np.zeros(0), "visible": np.zeros(0, bool)}
        found = array(self.file, name, ("x", "y", "visible"), self.path)
        if "score" in (self.file[name].dtype.names or ()):
            score = array(self.file, name, ("score",), self.path)["score"].astype(np.float64)
            found["score"] = np.where(np.abs(score) < FAR, score, np.nan)
        return found

    def _positions(self, used: np.ndarray) -> dict[int, int]:
        """Place in the list of each video's number: that of its group where pictures are embedded."""
        made = {n: n for n in range(len(self.videos))}
        numbered = {video.number: n for n, video in enumerate(self.videos) if video.number is not None}
        return {**made, **numbered} if set(used.tolist()) - set(made) or numbered else made

    def _picture(self, video: int, frame: int) -> int:
        if (video, frame) not in self.numbers:
            held = self.videos[video]
            name, single = held.picture(frame)
            size = held.size_of(frame)
            # A list of pictures has one shape, that of the first.
            picture = self.finder.picture(name) if single else Picture(
                name, None, size, "", False, {"video": held.name, "frame": frame}
            )  # fmt: skip
            if single and picture.size is None:
                picture = Picture(name, picture.path, size)
            self.numbers[video, frame] = len(self.pictures)
            self.pictures.append(picture)
        return self.numbers[video, frame]

    def _instance(
        self, row: int, picture: int, held: dict[str, np.ndarray], points: dict[str, np.ndarray], user: bool
    ) -> None:
        where = f"instance {row + 1}"
        kind, track = int(held["skeleton"][row]), int(held["track"][row])
        start, end = int(held["point_id_start"][row]), int(held["point_id_end"][row])
        if not 0 <= kind < len(self.skeletons):
            refuse(self.path, where, f"it is of skeleton {kind + 1}, and there are {len(self.skeletons)}")
        count = len(self.skeletons[kind])
        if not 0 <= start <= end <= len(points["x"]) or end - start != count:
            refuse(self.path, where, f"it has {end - start} landmarks where its skeleton has {count}")
        if not -1 <= track < len(self.tracks):
            self.problems.add(where, f"its track {shown(track)} is unknown; it has no subject")
            track = -1
        places = np.stack([points["x"][start:end], points["y"][start:end]], 1).astype(np.float64)
        if (np.abs(np.nan_to_num(places, posinf=np.inf, neginf=-np.inf)) > FAR).any():
            refuse(self.path, where, "it lies where no picture is")
        offset = self.options.offset
        if offset is None:
            offset = CORNER if user and self.version < OLD else 0.0
        seen = np.where(points["visible"][start:end].astype(bool), VISIBLE, OCCLUDED)
        seen[np.isnan(places).any(1)] = ABSENT
        score = points["score"][start:end] if not user and "score" in points else None
        subject = self.tracks[track] if track >= 0 else ""
        self.rows[kind].add(picture, places + offset, seen, score=score, hand=user, subject=subject)
