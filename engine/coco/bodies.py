"""Landmark names that COCO's own files leave to their documents: people, and whole bodies."""

from __future__ import annotations

_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")

PERSON = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
_FOOT = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
_FACE = tuple(f"face_{n + 1}" for n in range(68))


def _hand(side: str) -> tuple[str, ...]:
    return (f"{side}_hand_root", *(f"{side}_{finger}{n}" for finger in _FINGERS for n in (1, 2, 3, 4)))


# Field of an annotation -> its landmarks, in the order in which COCO-WholeBody counts them after the 17.
PARTS: dict[str, tuple[str, ...]] = {
    "foot_kpts": _FOOT, "face_kpts": _FACE, "lefthand_kpts": _hand("left"), "righthand_kpts": _hand("right"),
}  # fmt: skip
VALID = {name: name.replace("_kpts", "_valid") for name in PARTS}
PART_NAMES = tuple(name for names in PARTS.values() for name in names)


def is_whole_body(landmarks: tuple[str, ...]) -> bool:
    """Whether the last landmarks are those of feet, face and hands."""
    return len(landmarks) > len(PART_NAMES) and landmarks[-len(PART_NAMES) :] == PART_NAMES
