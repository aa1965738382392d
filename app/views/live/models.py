"""The model that the live view runs: chosen from the library, opened in the background, told truly."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.library import Entry
from app.services.live import Live
from app.views.context import Context
from app.views.live.detectors import DetectorChoice
from app.views.live.model_controls import RUNTIMES
from app.views.live.panel import SidePanel
from app.views.sample import runtime_truth
from app.views.words import told
from engine.runtime import Runtime, open_runtime
from engine.squares import NAME

KEY, RUNTIME = "live/model", "live/runtime"


class ModelChoice(QObject):
    """Keeps the panel's list, the live service's runtime and the detectors on offer in step with the library."""

    def __init__(self, context: Context, live: Live, panel: SidePanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.live = live
        self.panel = panel
        self.detectors = DetectorChoice(context, live, panel.source, self)
        panel.model.chosen.connect(self.choose)
        panel.model.second.connect(self.choose_second)
        panel.model.runtime.connect(self.choose_runtime)
        panel.model.set_runtime(self.runtime)
        self._second = ""
        live.model_ready.connect(self._ready)
        live.model_failed.connect(lambda sentence: panel.model.set_truth(told(sentence), False))
        context.model_changed.connect(self.refresh)
        context.document_changed.connect(self.refresh)
        self.refresh()

    def entries(self) -> list[Entry]:
        """What the library has to find landmarks with."""
        return [e for e in self.context.library.entries() if not e.problem and e.schema != NAME]

    def refresh(self, *_: object) -> None:
        """Read the library again; run the model in use for the open project's landmarks, else the last one chosen."""
        entries = self.entries()
        current = self._preferred(entries)
        shown = [(str(entry.path), entry.title) for entry in entries]
        self.panel.model.set_models(shown, str(current.path) if current is not None else "")
        self._offer_seconds(str(current.path) if current is not None else "")
        if current is None:
            self.live.set_runtime(None)
            self.panel.model.set_truth(self.tr("No model is here; import one in Models."), False)
        elif self._running(current) is None:
            self._open(current)

    def choose(self, path: str) -> None:
        """Run another model."""
        entry = next((e for e in self.entries() if str(e.path) == path), None)
        if entry is not None and path == self._second and self.live.second is not None:
            self.swap()
        elif entry is not None:
            self.context.settings.set(KEY, path)
            self._offer_seconds(path)
            self._open(entry)

    def swap(self) -> bool:
        """Make the model beside the first one the first, and the first the one beside it; False without one."""
        first = self.panel.model.models.currentData()
        if not self._second or self.live.second is None or self.live.runtime is None:
            return False
        path, self._second = self._second, first
        self.context.settings.set(KEY, path)
        self.live.swap(self.detectors.name_for(self.live.second.model.schema))
        self.panel.model.choose(path)
        self._offer_seconds(path)
        self._ready(self.live.runtime)
        return True

    def _offer_seconds(self, first: str) -> None:
        """Any model but the first can run beside it."""
        rows = [(str(e.path), e.title) for e in self.entries() if str(e.path) != first]
        self._second = self._second if self._second in [path for path, _ in rows] else ""
        self.panel.model.set_seconds(rows, self._second)
        if not self._second:
            self.live.set_second(None)

    def choose_second(self, path: str) -> None:
        """Run another model beside the first, on the same frames; "" for none."""
        entry = next((e for e in self.entries() if str(e.path) == path), None)
        self._second = path if entry is not None else ""
        if entry is None:
            self.live.set_second(None)
        else:
            runtime = self.runtime
            self.live.load_second(lambda: open_runtime(entry.model, runtime), self.detectors.name_for)
        self.panel.model.seconds.setCurrentIndex(max(0, self.panel.model.seconds.findData(self._second)))

    @property
    def has_second(self) -> bool:
        """Whether another model looks too."""
        return bool(self._second)

    def next_second(self) -> None:
        """None beside the first, then each model in turn."""
        box = self.panel.model.seconds
        self.choose_second(box.itemData((box.currentIndex() + 1) % max(box.count(), 1)) or "")

    @property
    def runtime(self) -> str:
        """What shall compute: packed, reference or onnx."""
        name = self.context.settings.get(RUNTIME, "packed")
        return name if name in RUNTIMES else "packed"

    def choose_runtime(self, name: str) -> None:
        """Compute by other means; the frames go on meanwhile."""
        self.context.settings.set(RUNTIME, name)
        self.panel.model.set_runtime(name)
        path = self.panel.model.models.currentData()
        entry = next((e for e in self.entries() if str(e.path) == path), None)
        if entry is not None:
            self._open(entry)
        if self._second:
            self.choose_second(self._second)

    def _preferred(self, entries: list[Entry]) -> Entry | None:
        document = self.context.document
        last = self.context.settings.get(KEY, "")
        wanted = next((entry for entry in entries if str(entry.path) == last), None)
        first = wanted or (entries[0] if entries else None)
        schema = document.schema.name if document is not None else first.schema if first is not None else ""
        fitting = [entry for entry in entries if entry.schema == schema]
        if fitting:
            # A model that was adopted since counts more than an older choice made here.
            return self.context.library.in_use(schema)
        return first

    def _running(self, entry: Entry) -> Runtime | None:
        runtime = self.live.runtime
        return runtime if runtime is not None and runtime.model.path == entry.path else None

    def _open(self, entry: Entry) -> None:
        # A runtime of its own: the one for stills would make live frames wait for whole batches.
        self.panel.model.set_truth(self.tr("Opening {0}").format(entry.title), None)
        runtime = self.runtime
        self.live.load(lambda: open_runtime(entry.model, runtime), self.detectors.name_for)

    def _ready(self, runtime: Runtime) -> None:
        self.panel.model.set_truth(*runtime_truth(runtime))
        self.detectors.offer(runtime.model.schema)
