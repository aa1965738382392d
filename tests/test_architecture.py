"""The rooms of the program and who may import whom; sizes of files; what must never be loaded at start-up."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import OURS, PACKAGES, ROOT, functions, imports, module_name, python_files, tree

BASE = tuple(
    f"engine.{name}" for name in (
        "errors", "types", "schema", "opencv", "images", "headers", "heif", "av1", "frames", "crop", "heatmaps",
        "architecture", "blocks", "parts", "graph", "metrics", "packs", "labels", "rows", "regular", "naming",
        "label_files", "label_reading", "label_pictures", "coco",
    )
)  # fmt: skip
ENGINE = ("engine",)  # all of it but train, which NEVER names
VALUES = (*BASE, "numpy", "resources")

# Room -> modules that it may import besides itself and the standard library. The longest name that fits a module
# is its room; names stand for everything below them.
ROOMS: dict[str, tuple[str, ...]] = {
    "resources": (),
    **dict.fromkeys(BASE, VALUES),
    "engine.opencv": ("cv2",),
    "engine.images": (*VALUES, "_pi_heif"),
    "engine": (*ENGINE, "numpy", "resources"),
    "engine.modelfile": (*VALUES, "safetensors"),
    "engine.layouts": (*ENGINE, "numpy", "scipy", "h5py"),
    "engine.precision": (*ENGINE, "numpy", "pycocotools"),
    "engine.runtime.onnx": (*ENGINE, "numpy", "onnx", "onnxruntime"),
    "engine.peers": (*ENGINE, "numpy", "onnxruntime", "openvino"),
    "engine.train": (*ENGINE, "numpy", "resources", "torch", "safetensors"),
    "engine.train.gpu": (*ENGINE, "engine.train", "numpy", "torch", "triton"),
    "app": (),
    "app.files": ("engine.errors", "platformdirs"),
    "app.settings": ("app.files", "engine.errors"),
    "app.crash": ("app.files", "engine.errors"),
    "app.overlay": (*VALUES, "engine.persons"),
    "app.library": (
        *VALUES, "engine.modelfile", "engine.external", "engine.models", "engine.torch7_network", "app.files",
        "app.settings",
    ),
    "app.project": (*VALUES, "app.files", "msgspec"),
    "app.formats": (
        *VALUES, "app.files", "app.project", "engine.layouts", "defusedxml", "pyarrow", "yaml", "h5py", "pandas",
        "tables",
    ),
    "app.sources": (*VALUES, "app.files", "cv2_enumerate_cameras", "av"),
    "app.api": (*VALUES, "app.files", "app.project", "app.formats", "app.sources", "engine.detect"),
    "app.plugins": ("app.api", "app.formats", "app.sources", "engine.errors", "plugins"),
    "app.services": (
        *ENGINE, "numpy", "app.files", "app.library", "app.project", "app.formats", "app.sources", "PySide6.QtCore",
        "av",
    ),
    "app.views": (
        *ENGINE, "numpy", "app.files", "app.settings", "app.library", "app.project", "app.api", "app.services",
        "app.sources", "resources", "PySide6", "qtawesome", "pyqtgraph", "fontpkg_inter", "polib",
    ),
    "app.main": ("app", "engine", "PySide6", "numpy", "fontpkg_inter", "fontpkg"),
    "app.cli": ("app", "engine", "typer"),
    "app.commands": ("app", "engine", "numpy", "typer", "rich", "PySide6"),
    "plugins": ("app.api",),
}  # fmt: skip

# What a room never imports, whatever the table above allows.
NEVER: dict[str, tuple[str, ...]] = {
    "": ("PySide6.QtWebEngine", "cv2.gapi"),
    "engine": ("app", "PySide6"),
    "app": ("engine.train", "torch"),
    "app.project": ("PySide6",),
    "app.views": ("app.project.store", "sqlite3", "onnxruntime"),
    "plugins": ("engine.train", "torch"),
}
TORCH_ROOM = "engine.train"
LONGEST_FILE, LONGEST_FUNCTION = 300, 60


def below(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def room_of(module: str) -> str:
    return max((room for room in ROOMS if below(module, (room,))), key=len)


def is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


PRODUCT = python_files(*PACKAGES)


@pytest.mark.parametrize("path", PRODUCT, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_room_imports_only_what_its_row_names(path: Path) -> None:
    module = module_name(path)
    room = room_of(module)
    wrong = []
    for found in imports(path):
        name = found.module
        assert not name.startswith("."), f"{path.name}:{found.line} imports relatively"
        allowed = is_standard(name) or below(name, (room, *ROOMS[room]))
        never = [n for scope, names in NEVER.items() if not scope or below(module, (scope,)) for n in names]
        if not room.startswith(TORCH_ROOM):
            never.append(TORCH_ROOM)
        if not allowed or below(name, tuple(never)):
            wrong.append(f"line {found.line}: {name}")
    assert not wrong, f"{module} (room {room}) imports {wrong}"


def test_qt_rooms_without_widgets_take_only_qtcore() -> None:
    for path in python_files("app/services"):
        for found in imports(path):
            assert not below(found.module, ("PySide6",)) or found.module == "PySide6.QtCore", f"{path}:{found.line}"


def big_room(module: str) -> str:
    """Rooms for cycles: the engine is one, and what starts the program is one."""
    if module.split(".")[0] != "app":
        return module.split(".")[0]
    return "start" if below(module, ("app.main", "app.cli", "app.commands")) else ".".join(module.split(".")[:2])


def test_no_cycle_between_rooms() -> None:
    needs: dict[str, set[str]] = {}
    for path in PRODUCT:
        here = big_room(module_name(path))
        needs.setdefault(here, set())
        for found in imports(path):
            if found.module.split(".")[0] in PACKAGES and not found.typing_only and found.module != "app":
                needs[here] |= {big_room(found.module)} - {here}
    while needs:
        free = [room for room, wanted in needs.items() if not wanted & set(needs)]
        assert free, f"a cycle among {sorted(needs)}: {needs}"
        for room in free:
            del needs[room]


def test_start_up_loads_nothing_heavy() -> None:
    heavy = ("torch", "onnxruntime", "onnx", "pyqtgraph")
    code = f"import sys, app.main, app.cli; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_help_loads_no_engine_and_no_window() -> None:
    heavy = ("torch", "onnxruntime", "cv2", "PySide6")
    code = (
        "import sys, app.cli; code = app.cli.run(['--help']); "
        f"print(code, [n for n in {heavy} if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stderr.strip() == "0 []", done.stderr


@pytest.mark.parametrize("path", [*python_files(*OURS), ROOT / "main.py"], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_and_functions_fit_a_sitting(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{lines} lines"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} has {length} lines"


def test_native_files_fit_a_sitting() -> None:
    for path in (ROOT / "engine" / "native").iterdir():
        if path.suffix in (".cpp", ".h"):
            assert len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE, path.name


def test_opencv_comes_through_one_door_and_reads_no_files() -> None:
    for path in [*python_files(*OURS), ROOT / "main.py"]:
        if module_name(path) != "engine.opencv":
            assert not any(below(found.module, ("cv2",)) for found in imports(path)), path
        for node in ast.walk(tree(path)):
            file_access = isinstance(node, ast.Attribute) and node.attr in ("imread", "imwrite", "imshow", "waitKey")
            assert not file_access, f"{path}:{node.lineno} uses cv2's {node.attr}"


def test_no_bare_except() -> None:
    for path in [*python_files(*OURS), ROOT / "main.py"]:
        for node in ast.walk(tree(path)):
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{path}:{node.lineno}"


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_path_of_one_machine_in_any_file() -> None:
    home = re.compile(rb"(?<![\w.])/(?:work|root|home|Users)/\w|[A-Z]:\\\\?Users\\")
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            found = home.search(data)
            assert found is None, f"{path.relative_to(ROOT)}: {found[0]!r}"


def test_each_room_of_the_table_is_used() -> None:
    known = {room_of(module_name(path)) for path in PRODUCT}
    assert "engine.train" in known and room_of("engine.train.fit") == "engine.train"
    assert room_of("app.views.label.canvas") == "app.views" and room_of("engine.runtime") == "engine"
