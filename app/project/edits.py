"""Edits: everything that can happen to a project, as values. `Document.apply` is the one door for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.project.values import Instance, State
from engine.errors import UserError
from engine.schema import Schema


class Outdated(UserError):
    """An edit that was worked out before others came."""


class ReadOnly(UserError):
    """An edit of a project that is open to read alone."""


@dataclass(frozen=True)
class NewImage:
    """A picture to add: its path, size in pixels as displayed, and a digest of its bytes."""

    path: str
    width: int
    height: int
    digest: str = ""


@dataclass(frozen=True)
class AddImages:
    """Add pictures; those whose path the project has already are left as they are."""

    images: tuple[NewImage, ...]

    @property
    def title(self) -> str:
        return "Add an image" if len(self.images) == 1 else f"Add {len(self.images)} images"


@dataclass(frozen=True)
class PutInstance:
    """Store an instance: a new one where its id is 0, else in place of the one with that id.

    In a Batch an image of 0 means the image that the batch added last.
    """

    instance: Instance
    title: str = "Edit landmarks"


@dataclass(frozen=True)
class RemoveInstance:
    """Delete an instance."""

    id: int
    title: str = "Delete the instance"


@dataclass(frozen=True)
class SetState:
    """Set an image's state, with a reason where it is broken or rejected; 0 in a Batch as in PutInstance."""

    image: int
    state: State
    reason: str = ""

    @property
    def title(self) -> str:
        return f"Mark as {self.state.value}"


@dataclass(frozen=True)
class Accept:
    """A person agrees with what an image shows: done, or done and empty."""

    image: int
    title: str = "Accept"


@dataclass(frozen=True)
class Reject:
    """A person leaves an image out."""

    image: int
    title: str = "Reject"


@dataclass(frozen=True)
class SetTags:
    """Give an image these tags and no others."""

    image: int
    tags: tuple[str, ...]
    title: str = "Tag"


@dataclass(frozen=True)
class RemoveImages:
    """Take images out of the project with their instances; the files stay where they are."""

    images: tuple[int, ...]

    @property
    def title(self) -> str:
        return "Remove an image" if len(self.images) == 1 else f"Remove {len(self.images)} images"


@dataclass(frozen=True)
class Link:
    """Where an image's file lies now; an empty digest leaves the one that is known."""

    image: int
    path: str
    digest: str = ""


@dataclass(frozen=True)
class Relink:
    """Images whose files were moved or renamed; their labels stay. A path that another image has is refused."""

    links: tuple[Link, ...]

    @property
    def title(self) -> str:
        return "Find a picture again" if len(self.links) == 1 else f"Find {len(self.links)} pictures again"


@dataclass(frozen=True)
class Refit:
    """An image's file was replaced by one of another size: its labels are scaled to fit."""

    image: int
    width: int
    height: int
    digest: str = ""
    title: str = "Fit the labels to the picture"


Source = int | tuple[int, ...] | None  # where a landmark of another schema comes from


@dataclass(frozen=True)
class Migrate:
    """Another schema: source[k] is the present index of the new landmark k, None where it is new.

    Several indices are merged: the new landmark is in the middle of those that are there. New landmarks are absent
    until somebody places them; accepted images with such go back into work if `reopen`.
    """

    schema: Schema
    source: tuple[Source, ...]
    reopen: bool = True
    title: str = "Change the schema"


class Onto(StrEnum):
    """Where a model's findings may go; a landmark or box that a hand has made stays in any case."""

    NEW = "new"  # images that nobody has worked on: what a model found there before makes room
    EMPTY = "empty"  # images without an instance, accepted as empty or not
    MODEL = "model"  # all that are neither accepted nor rejected: what only a model made makes room


@dataclass(frozen=True)
class Predicted:
    """What a model found in an image; without effect where `onto` does not let it in.

    Where nobody has worked on the image it is no step of undo; elsewhere it is. doubt is 0 to 1 or unknown. In a
    Batch, which can be undone, an image of 0 is as in PutInstance. What was found on one `order` (a number, 0 for
    none) is one step of undo, as long as nothing else comes in between.
    """

    image: int
    instances: tuple[Instance, ...]
    doubt: float | None = None
    title: str = "Adopt predictions"
    onto: Onto = Onto.NEW
    doubts: tuple[float, ...] = ()  # by criterion, NaN where one cannot tell
    order: int = 0


@dataclass(frozen=True)
class Fingerprint:
    """What pictures look like, (image, 16 hexadecimal digits) each, found out by the program; no step of undo."""

    prints: tuple[tuple[int, str], ...]
    title: str = "Look for pictures that are alike"


@dataclass(frozen=True)
class Batch:
    """Several edits as one: all of them happen or none."""

    edits: tuple[Edit, ...]
    title: str


Edit = (
    AddImages | PutInstance | RemoveInstance | SetState | SetTags | Accept | Reject | RemoveImages | Relink | Refit
    | Migrate | Predicted | Fingerprint | Batch
)  # fmt: skip
