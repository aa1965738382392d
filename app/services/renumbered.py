"""Files that were renumbered under a project: each is known by its bytes, so that no label moves to a neighbour."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.project.document import Document
from app.project.edits import Link, NewImage
from app.project.values import Image
from app.services.picture_files import is_missing, new_image


def strangers(document: Document) -> dict[int, NewImage]:
    """Images whose files hold other bytes than they did, with what is there now.

    Who deletes a file and numbers the rest anew leaves the last name without a file, and another picture under the
    name before it: only where a file beside a missing one has changed are all of them read.
    """
    images = document.images()
    gone = [is_missing(document, image) for image in images]
    beside = {n + step for n, missing in enumerate(gone) if missing for step in (-1, 1)}
    present = [n for n, missing in enumerate(gone) if not missing]
    if not any(changed(document, images[n]) for n in present if n in beside):
        return {}
    found = ((images[n].id, changed(document, images[n])) for n in present)
    return {id: other for id, other in found if other is not None}


def changed(document: Document, image: Image) -> NewImage | None:
    """What is at an image's place, where that is another picture."""
    there = new_image(document.picture_path(image)) if image.digest else None
    return there if there is not None and there.digest not in ("", image.digest) else None


def making_room(document: Document, links: Iterable[Link]) -> tuple[Link, ...]:
    """Links with those images out of the way whose names others take: their own files are gone."""
    links = tuple(links)
    holders = {str(document.picture_path(image)): image for image in document.images()}
    moving = {link.image for link in links}
    taken = document.known_paths() | set(holders) | {link.path for link in links}
    more = []
    for link in links:
        holder = holders.get(link.path)
        if holder is None or holder.id in moving:
            continue
        name = next(name for name in _names(Path(link.path)) if name not in taken and not os.path.lexists(name))
        taken.add(name)
        more.append(Link(holder.id, name))
    return (*links, *more)


def _names(place: Path) -> Iterator[str]:
    """What may be called so whose file is gone."""
    for n in itertools.count(1):
        yield str(place.with_name(f"{place.stem} (gone{f' {n}' if n > 1 else ''}){place.suffix}"))
