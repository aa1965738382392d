"""Data sets in their original layouts, from disk, as the one value of labels (`engine.labels`).

`sniff` says which layout a file or folder has, `read` reads it, `pixels` loads one of its pictures, and
`in_schema` brings its landmarks into another schema's. h5py and SciPy are loaded when a layout needs them.
"""

from __future__ import annotations

from pathlib import Path

from engine.label_files import FormatError
from engine.labels import LabelSet
from engine.layouts import aflw, coco, lp, lsp, mpii, mpii_h5, mpii_json, packs, pifa, pts, wflw
from engine.layouts.conversions import convert_table, in_schema
from engine.layouts.packs import pixels
from engine.layouts.values import Layout, Options, head_of, merge

__all__ = [
    "LAYOUTS", "Layout", "FormatError", "Options", "convert_table", "in_schema", "pixels", "read", "sniff",
]  # fmt: skip

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        mpii.MAT, mpii_h5.H5, mpii_json.JSON, mpii_json.POSE_JSON, lsp.LSP, lsp.EXTENDED, coco.COCO, pts.PTS, lp.LP,
        lp.AFLW2000, aflw.SQLITE, aflw.FULL, pifa.PIFA, wflw.LIST, packs.PACK,
    )
}  # fmt: skip
SUBFOLDERS = ("", "annot", "annotations", "WFLW_annotations")


def sniff(path: str | Path) -> tuple[str, ...]:
    """Names of the layouts that a file or folder looks like: one where it is clear, none where it is unknown.

    Raises OSError where there is nothing at the path.
    """
    path = Path(path)
    if path.is_dir():
        return tuple(name for name, layout in LAYOUTS.items() if _files(layout, path) or layout.claims(path, b""))
    head = head_of(path)
    return tuple(name for name, layout in LAYOUTS.items() if layout.claims(path, head))


def read(path: str | Path, form: str | None = None, options: Options = Options()) -> LabelSet:  # noqa: B008
    """Everything that a data set says; form: a name of LAYOUTS, else what `sniff` finds.

    A folder that holds several files of one layout, such as those of two splits, is read as one. Raises
    FormatError (or PackError) for what cannot be read or told, OSError where there is nothing.
    """
    path = Path(path)
    if form is not None and form not in LAYOUTS:
        raise FormatError(f"There is no layout {form!r}; choose one of: {', '.join(LAYOUTS)}.")
    found = (form,) if form else sniff(path)
    if not found:
        raise FormatError(f"{path.name} is of no known layout; name one of: {', '.join(LAYOUTS)}.")
    if len(found) > 1:
        raise FormatError(f"{path.name} may be {' or '.join(found)}; say which one it is.")
    layout = LAYOUTS[found[0]]
    files = _files(layout, path) if path.is_dir() else []
    if path.is_dir() and not files and not layout.claims(path, b""):
        raise FormatError(f"The folder {path.name} holds no file of {layout.title}; choose the file itself.")
    if not path.exists():
        raise FileNotFoundError(path)
    return merge([layout.read(file, options) for file in files or [path]])


def _files(layout: Layout, folder: Path) -> list[Path]:
    """The files of a layout in a folder, or in the usual folder of labels below it."""
    return next((found for sub in SUBFOLDERS if (found := layout.files(folder / sub))), [])
