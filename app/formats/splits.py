"""Splitting pictures into parts of a data set by group and seed: a group is in one part as a whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePath

from engine.errors import UserError

PARTS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
SHORT = {"train": "train", "validation": "val", "test": "test"}


def shares_of(text: str) -> dict[str, float]:
    """ "train=0.8,val=0.2" as shares by the names that labels have; raises UserError."""
    made: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition("="))
        if name not in PARTS:
            raise UserError(f"There is no split {name!r}; write --split train=0.8,val=0.2 (and test).")
        try:
            value = float(share)
        except ValueError:
            raise UserError(f"{share!r} is no share of the pictures; write --split train=0.8,val=0.2.") from None
        if PARTS[name] in made or not 0 < value <= 1:
            raise UserError(f"The share of {name} must be said once and be above 0, at most 1.")
        made[PARTS[name]] = value
    if abs(sum(made.values()) - 1) > 1e-6:
        raise UserError(f"The shares of the splits add up to {sum(made.values()):g}; let them add up to 1.")
    return made


def group_of(name: str, digest: str, how: str) -> str:
    """What a picture belongs to. how: picture (its bytes, whatever its name), folder, or a pattern whose first group
    is searched for in the name. Raises UserError where a pattern does not fit."""
    plain = name.replace("\\", "/")
    if how == "picture":
        return digest or plain
    if how == "folder":
        return PurePath(plain).parent.as_posix()
    try:
        found = re.search(how, plain)
        return found.group(1) if found else f"\0{digest or plain}"
    except (re.error, IndexError) as error:
        raise UserError(f"{how!r} is no pattern with a group ({error}); write for example 'subject(\\d+)'.") from None


def split(groups: Sequence[str], shares: dict[str, float], seed: int = 0) -> list[str]:
    """A split for each picture, by the group of each. The groups come in an order that the seed says, the large ones
    first, and each goes where most is missing; the same groups and seed give the same splits."""
    members: dict[str, int] = {}
    for group in groups:
        members[group] = members.get(group, 0) + 1
    order = sorted(members, key=lambda group: (-members[group], _drawn(group, seed)))
    held = dict.fromkeys(shares, 0.0)
    placed: dict[str, str] = {}
    for group in order:
        part = max(shares, key=lambda name: (shares[name] * len(groups) - held[name], shares[name]))
        placed[group] = part
        held[part] += members[group]
    return [placed[group] for group in groups]


def _drawn(group: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{group}".encode("utf-8", "surrogateescape")).hexdigest()
