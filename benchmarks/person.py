"""A person who labels on the real canvas: where the hand goes, how long that takes; see labelling.py for the model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.project.edits import Accept
from app.views.label.canvas import Canvas

VIEW = (776, 720)  # the canvas of a window of 1440 x 900
EFFECTIVE = 4.133
LOOK, DECIDE, BUTTON, KEY, MENTAL = 0.23, 0.17, 0.1, 0.2, 1.35
FOVEA, GRAB, NARROWEST = 79.0, 24.0, 4.0
NOTHING, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
TRIES = 6
TABLE_AWAY, TABLE_ROW = 500.0, 26.0


@dataclass
class Person:
    """A hand on the mouse and one on the keys, and how long they took."""

    canvas: Canvas
    rng: np.random.Generator
    at: np.ndarray = field(default_factory=lambda: np.array(VIEW) / 2)
    seconds: float = 0.0
    clicks: int = 0
    keys: int = 0

    def look(self, times: int = 1) -> None:
        self.seconds += LOOK * times + DECIDE

    def point(self, target: np.ndarray, width: float) -> None:
        """Move to a place; (2,) viewport pixels."""
        bits = np.log2(np.hypot(*(target - self.at)) / width + 1)
        self.seconds += max(-0.107 + 0.223 * bits, 0.0)
        self.at = target + self.rng.normal(0.0, width / EFFECTIVE, 2)
        self._send(QEvent.Type.MouseMove, NONE, NONE)

    def press(self, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NOTHING) -> None:
        self.clicks += 1
        self.seconds += BUTTON + (KEY if held != NOTHING else 0.0)
        self._send(QEvent.Type.MouseButtonPress, button, button, held)

    def release(self, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NOTHING) -> None:
        self.seconds += BUTTON
        self._send(QEvent.Type.MouseButtonRelease, button, NONE, held)

    def drag(self, target: np.ndarray, deviation: float) -> None:
        """Move with the button held to where the cursor wants to be."""
        bits = np.log2(np.hypot(*(target - self.at)) / (EFFECTIVE * deviation) + 1)
        self.seconds += 0.135 + 0.249 * bits
        start, self.at = self.at, target + self.rng.normal(0.0, deviation, 2)
        for share in (0.5, 1.0):
            self._send(QEvent.Type.MouseMove, NONE, LEFT, place=start + (self.at - start) * share)

    def pick_row(self) -> None:
        """Click a row of the table beside the canvas, and come back."""
        self.clicks += 1
        self.seconds += 2 * BUTTON - 0.107 + 0.223 * np.log2(TABLE_AWAY / TABLE_ROW + 1)
        self.at = np.array([float(VIEW[0]), self.at[1]])

    def key(self) -> None:
        self.keys += 1
        self.seconds += KEY

    def _send(
        self, kind: QEvent.Type, button: Qt.MouseButton, buttons: Qt.MouseButton,
        held: Qt.KeyboardModifier = NOTHING, place: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        view, spot = self.canvas.viewport(), QPointF(*(self.at if place is None else place))
        QApplication.sendEvent(view, QMouseEvent(kind, spot, view.mapToGlobal(spot), button, buttons, held))


@dataclass(frozen=True)
class Task:
    """One subject: truth (K, 2) picture pixels, which landmarks count (K,) bool, and lengths in picture pixels."""

    truth: np.ndarray
    counts: np.ndarray
    normaliser: float
    threshold: float
    precision: float

    def errors(self, points: np.ndarray) -> np.ndarray:
        """(K,) distances in pixels, 0 where none is known."""
        return np.where(self.counts, np.hypot(*(points - self.truth).T), 0.0)


class Session:
    """A person who labels one picture after the other in one way."""

    def __init__(self, canvas: Canvas, way: str, seed: int) -> None:
        self.canvas, self.editing, self.guesses = canvas, canvas.editing, canvas.guesses
        self.way, self.rng = way, np.random.default_rng(seed)

    def label(self, task: Task) -> dict[str, float]:
        """Label the picture on screen; what it took, and the mean error at the end in per cent."""
        person = Person(self.canvas, self.rng)
        deviation = max(task.precision * self.canvas.zoom, 1.0)
        if self.way == "scratch":
            person.key()
            self._place(person, task, deviation)
        self._check(person)
        if self.way == "fix with aids":
            self._move_groups(person, task, deviation)
        fixed = self._fix(person, task, deviation)
        person.seconds += MENTAL
        person.key()
        self.editing.apply(Accept(self.editing.image.id))
        left = task.errors(self.editing.current.points)[task.counts]
        return {
            "seconds": person.seconds, "clicks": person.clicks, "keys": person.keys, "fixed": fixed,
            "error": float(left.mean() / task.normaliser * 100),
        }  # fmt: skip

    def _place(self, person: Person, task: Task, deviation: float) -> None:
        self.canvas.set_tool("place")
        for k in np.arange(len(task.truth)):
            person.look()
            if task.counts[k]:
                person.point(self.canvas.to_view(task.truth[k]), EFFECTIVE * deviation)
                person.press()
                person.release()
            else:
                person.press(RIGHT)
                person.release(RIGHT)
        if self.canvas.tool != "select":
            raise RuntimeError("not every landmark was placed")

    def _marks(self) -> np.ndarray:
        """(K, 2) viewport pixels of the marks, NaN where there is none."""
        return self.canvas.places(self.editing.current)

    def _check(self, person: Person) -> None:
        """Look at all marks: discs of the eye's sharp field, laid greedily."""
        left, looks = self._marks(), 0
        left = left[np.isfinite(left).all(1)]
        while len(left):
            near = np.hypot(*(left[:, None] - left[None]).transpose(2, 0, 1)) <= FOVEA / 2
            left, looks = left[~near[near.sum(1).argmax()]], looks + 1
        person.look(looks)

    def _fix(self, person: Person, task: Task, deviation: float) -> int:
        fixed = 0
        for _ in range(TRIES):
            off = set(np.flatnonzero(task.errors(self.editing.current.points) > task.threshold).tolist())
            while off:
                marks = self._marks()
                k = min(off, key=lambda k: np.hypot(*(marks[k] - person.at)))
                off.remove(k)
                fixed += 1
                person.look()
                if self.way == "fix with aids" and self._take_peak(person, task, k):
                    continue
                if self._grab(person, k):
                    grip = person.at - self._marks()[k]
                    person.drag(self.canvas.to_view(task.truth[k]) + grip, deviation)
                    person.release()
        return fixed

    def _grab(self, person: Person, k: int, held: Qt.KeyboardModifier = NOTHING) -> bool:
        """Press on a landmark's mark; whether that took the right one."""
        for tries in range(TRIES):
            if tries == 2:  # another mark lies right on it: its row in the table selects it
                person.pick_row()
                self.editing.select(k)
            marks = self._marks()
            away = np.hypot(*(np.delete(marks, k, 0) - marks[k]).T)
            person.point(marks[k], float(np.clip(np.nanmin(away, initial=GRAB), NARROWEST, GRAB)))
            person.press(held=held)
            if self.editing.landmark == k and self.canvas.gesture is not None:
                return True
            person.release(held=held)
            person.look()
        return False

    def _take_peak(self, person: Person, task: Task, k: int) -> bool:
        """Take the further peak that is right, where there is one: a click and a number."""
        before, chosen = self.editing.landmark, self.editing.chosen
        self.editing.choose((k,))
        peaks = self.guesses.peaks()[:, :2]
        self.editing.choose(chosen, before)
        good = np.flatnonzero(np.hypot(*(peaks - task.truth[k]).T) <= task.threshold)
        if not len(good) or not self._grab(person, k):
            return False
        person.release()
        person.look()
        person.key()
        self.guesses.take_peak(int(good[0]) + 1)
        return True

    def _move_groups(self, person: Person, task: Task, deviation: float) -> None:
        for members in self.canvas.shaping.groups().values():
            held = [k for k in members if task.counts[k]]
            points = self.editing.current.points
            if len(held) < 3:
                continue
            by = np.median(task.truth[held] - points[held], 0)
            now = np.hypot(*(task.truth[held] - points[held]).T) > task.threshold
            then = np.hypot(*(task.truth[held] - points[held] - by).T) > task.threshold
            if now.sum() - then.sum() < 3:
                continue
            person.look()
            if not self._grab(person, held[0], CTRL):
                continue
            person.release(held=CTRL)
            if not self._grab(person, held[0]):
                continue
            person.drag(person.at + by * self.canvas.zoom, deviation)
            person.release()
            self.editing.select(-1)
