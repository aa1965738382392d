"""Background prediction: order, cancelling, broken pictures, no model, and its end."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from app.services.pictures import PictureCache, Pictures, equalised, make_picture, thumbnail
from app.services.stills import Answer, Stills
from engine.errors import UserError
from engine.images import encode_png
from engine.runtime import open_runtime
from engine.schema import load_schema
from engine.types import Box
from tests.app.views.small import small_model, write_pictures

SCHEMA = load_schema("mpii16")  # a body: the whole picture is the first box, so something is always found
BOX = Box(80.0, 60.0, 70.0)


class Listener:
    """Collects what a Stills says."""

    def __init__(self, stills: Stills) -> None:
        self.answers: list[Answer] = []
        self.failures: list[tuple[int, str]] = []
        self.progress: list[tuple[int, int]] = []
        self.unavailable: list[str] = []
        stills.predicted.connect(lambda image, answer: self.answers.append(answer))
        self.missing: list[tuple[int, str]] = []
        stills.failed.connect(lambda image, text: self.failures.append((image, text)))
        stills.missing.connect(lambda image, text: self.missing.append((image, text)))
        stills.progress.connect(lambda done, total: self.progress.append((done, total)))
        stills.unavailable.connect(self.unavailable.append)


class Gate:
    """A runtime that waits until it is let go, so that requests pile up behind the first."""

    def __init__(self, runtime: object) -> None:
        self._runtime = runtime
        self.opened = threading.Event()
        self.started = threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._runtime, name)

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        self.started.set()
        assert self.opened.wait(20)
        return self._runtime.run(crop, logits)


@pytest.fixture
def runtime() -> object:
    return open_runtime(small_model(SCHEMA), "reference")


@pytest.fixture
def stills(qtbot: object, runtime: object) -> object:
    service = Stills(lambda schema: runtime)
    service.set_schema(SCHEMA)
    yield service
    assert service.close(), "the thread did not end in time"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_pictures(tmp_path / "pictures", 6)


def test_a_box_gives_the_landmarks_in_it_and_heatmaps_only_when_asked(stills, files, qtbot):
    heard = Listener(stills)
    stills.request(1, files[0], BOX, heatmaps=True, token="with")
    stills.request(2, files[1], BOX, token="without")
    qtbot.waitUntil(lambda: len(heard.answers) == 2, timeout=20000)
    by_token = {a.request.token: a for a in heard.answers}
    (found,) = by_token["with"].predictions
    assert found.landmarks.shape == (len(SCHEMA), 3)
    assert found.box == BOX
    assert found.heatmaps is not None
    assert by_token["without"].predictions[0].heatmaps is None
    assert 0.0 <= by_token["with"].doubt <= 1.0


def test_doubt_is_the_same_whether_heatmaps_are_kept_or_not(stills, files, qtbot):
    heard = Listener(stills)
    for token, kept in (("with", True), ("without", False)):
        stills.request(1, files[0], BOX, heatmaps=kept, token=token)
    qtbot.waitUntil(lambda: len(heard.answers) == 2, timeout=20000)
    assert heard.answers[0].doubt == heard.answers[1].doubt


def held_up(runtime, file: Path, image: int) -> tuple[Gate, Stills, Listener]:
    """Stills with one picture under way that waits at the gate."""
    gate = Gate(runtime)
    stills = Stills(lambda schema: gate)
    stills.set_schema(SCHEMA)
    heard = Listener(stills)
    stills.request(image, file, BOX, token=image)
    assert gate.started.wait(20)
    return gate, stills, heard


def test_the_newest_request_comes_first_and_single_requests_before_the_batch(qtbot, runtime, files):
    gate, stills, heard = held_up(runtime, files[0], 1)
    stills.predict_all([5, 6], lambda n: files[n - 1])
    for n in (2, 3, 4):
        stills.request(n, files[n - 1], BOX, token=n)
    gate.opened.set()
    qtbot.waitUntil(lambda: len(heard.answers) == 6, timeout=20000)
    assert [a.image for a in heard.answers] == [1, 4, 3, 2, 5, 6]
    qtbot.waitUntil(lambda: heard.progress[-1] == (0, 0), timeout=5000)
    assert (2, 2) in heard.progress
    assert stills.close()


def test_heatmaps_of_a_picture_that_left_the_screen_are_not_made(qtbot, runtime, files):
    gate, stills, heard = held_up(runtime, files[0], 1)
    stills.request(2, files[1], BOX, heatmaps=True)  # for the screen only
    stills.request(3, files[2], BOX, heatmaps=True)
    gate.opened.set()
    qtbot.waitUntil(lambda: len(heard.answers) == 2, timeout=20000)
    assert [a.image for a in heard.answers] == [1, 3]
    assert stills.close()


def test_cancel_drops_the_batch(qtbot, runtime, files):
    gate, stills, heard = held_up(runtime, files[0], 9)
    stills.predict_all(range(1, len(files) + 1), lambda n: files[n - 1])
    stills.cancel()
    gate.opened.set()
    qtbot.waitUntil(lambda: len(heard.answers) == 1, timeout=20000)
    stills.request(10, files[0], BOX, token=10)
    qtbot.waitUntil(lambda: len(heard.answers) == 2, timeout=20000)
    assert [a.image for a in heard.answers] == [9, 10]
    assert heard.progress[-1] == (0, 0)
    assert stills.close()


def test_broken_and_missing_pictures_fail_with_a_sentence_and_the_batch_goes_on(stills, files, tmp_path, qtbot):
    heard = Listener(stills)
    broken = tmp_path / "broken.png"
    broken.write_bytes(files[0].read_bytes()[:60])
    stills.predict_all([1, 2, 7, 3], {1: broken, 2: tmp_path / "gone.png", 3: files[2]}.get)
    qtbot.waitUntil(lambda: len(heard.answers) == 1 and len(heard.failures) == 1, timeout=20000)
    assert [image for image, _ in heard.failures] == [1] and [image for image, _ in heard.missing] == [2]
    assert "gone.png" in heard.missing[0][1]
    assert all(text.strip().endswith(".") for _, text in heard.failures + heard.missing)
    assert heard.answers[0].image == 3


def test_a_picture_without_a_face_is_a_normal_answer(qtbot, tmp_path):
    face = load_schema("ibug68")
    model = open_runtime(small_model(face), "reference")
    stills = Stills(lambda schema: model)
    stills.set_schema(face)
    heard = Listener(stills)
    path = tmp_path / "black.png"
    path.write_bytes(encode_png(np.zeros((90, 120, 3), np.uint8)))
    stills.request(1, path)
    qtbot.waitUntil(lambda: len(heard.answers) == 1, timeout=20000)
    assert heard.answers[0].predictions == ()
    assert heard.answers[0].doubt is None
    assert heard.failures == []
    assert stills.close()


def test_without_a_model_it_says_so_once_and_can_start_later(qtbot, runtime, files):
    there: list[object] = []

    def runtime_for(schema: object) -> object:
        if not there:
            raise UserError("No model for this schema; import one.")
        return there[0]

    stills = Stills(runtime_for)
    stills.set_schema(SCHEMA)
    heard = Listener(stills)
    stills.predict_all(range(1, len(files) + 1), lambda n: files[n - 1])
    qtbot.waitUntil(lambda: bool(heard.unavailable), timeout=20000)
    there.append(runtime)
    stills.request(1, files[0], BOX, token=1)
    qtbot.waitUntil(lambda: len(heard.answers) == 1, timeout=20000)
    assert heard.unavailable == ["No model for this schema; import one."]
    assert stills.close()


def test_another_model_is_used_from_the_next_picture_on(stills, files, qtbot):
    heard = Listener(stills)
    stills.request(1, files[0], BOX, token=1)
    qtbot.waitUntil(lambda: len(heard.answers) == 1, timeout=20000)
    other = small_model(SCHEMA, seed=7)
    stills.set_runtime(open_runtime(other, "reference"))
    stills.request(1, files[0], BOX, token=2)
    qtbot.waitUntil(lambda: len(heard.answers) == 2, timeout=20000)
    assert [a.predictions[0].model for a in heard.answers] == ["small-0", "small-7"]


def test_closing_during_work_ends_the_thread_and_says_nothing_more(qtbot, runtime, files):
    stills = Stills(lambda schema: runtime)
    stills.set_schema(SCHEMA)
    heard = Listener(stills)
    stills.predict_all(range(200), lambda n: files[n % 6])
    qtbot.waitUntil(lambda: len(heard.answers) > 0, timeout=20000)
    assert stills.close()
    said = len(heard.answers)
    qtbot.wait(50)
    assert len(heard.answers) <= said + 1  # one that was on its way
    assert not [t for t in threading.enumerate() if t.name == "stills"]


def test_pictures_come_with_a_pyramid_and_thumbnails_are_square(qtbot, files):
    pictures = Pictures(PictureCache(), 96)
    shown, small, failed = [], [], []
    pictures.loaded.connect(lambda image, picture: shown.append((image, picture)))
    pictures.thumbnailed.connect(lambda image, pixels: small.append((image, pixels)))
    pictures.no_thumbnail.connect(lambda image, text: failed.append(image))
    pictures.show(1, files[0])
    pictures.want_thumbnail(2, lambda: files[1])
    pictures.want_thumbnail(3, lambda: files[1].with_name("gone.png"))
    qtbot.waitUntil(lambda: len(shown) == 1 and len(small) == 1 and failed == [3], timeout=10000)
    assert shown[0][1].size == (160, 120)
    assert small[0][1].shape == (96, 96, 4)
    assert pictures.cache.peek(files[0]) is shown[0][1]
    assert pictures.close()


def test_a_changed_file_is_read_again(tmp_path):
    cache = PictureCache()
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    before = cache.load(path)
    path.write_bytes(encode_png(np.full((9, 7, 3), 200, np.uint8)))
    after = cache.load(path)
    assert before.size == (8, 8)
    assert after.size == (7, 9)
    assert int(after.pixels.max()) == 200


def test_the_pyramid_halves_large_pictures_and_colours_stay_in_order():
    pixels = np.zeros((3200, 2000, 3), np.uint8)
    pixels[..., 0] = 250  # red
    picture = make_picture(pixels)
    assert [level.shape[:2] for level in picture.levels] == [(3200, 2000), (1600, 1000), (800, 500)]
    assert picture.levels[-1][0, 0, :3].tolist() == [0, 0, 250]  # blue, green, red in memory
    assert thumbnail(pixels, 48)[0, 0, :3].tolist() == [0, 0, 250]


def test_equalising_spreads_lightness_and_leaves_the_picture_alone():
    rng = np.random.default_rng(0)
    pixels = rng.integers(100, 116, (64, 64, 3), np.uint8)
    picture = make_picture(pixels)
    seen = equalised(picture).pixels
    assert np.ptp(seen.mean(2)) > np.ptp(pixels.mean(2))
    assert np.array_equal(picture.pixels, pixels)
