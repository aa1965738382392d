"""The queue's order on arrays: doubts, filters, samples, and pictures that look alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import AddImages, Fingerprint, NewImage, Predicted
from app.project.index import ImageIndex
from app.project.likeness import BITS_APART, fingerprint, groups_of
from app.project.queue import ALIKE, BY_DOUBT, NEWEST, SAMPLE, STATES, Columns, Wish, packed, unpacked
from app.project.values import Image, State
from app.views.label.pace import PAUSE, Pace
from engine.doubts import CRITERIA
from engine.images import natural_key
from engine.schema import load_schema
from tests.app.views.bench import guessed


def images(count: int) -> list[Image]:
    rng = np.random.default_rng(0)
    states = [State.NEW, State.PREDICTED, State.DONE]
    return [
        Image(1000 - n, f"p{n}.png", 9, 9, states[n % 3], doubts=packed(rng.random(len(CRITERIA))) if n % 5 else "")
        for n in range(count)
    ]


def test_doubts_come_back_to_a_part_in_sixty_thousand() -> None:
    values = np.random.default_rng(1).random((50, len(CRITERIA)))
    values[3, 2] = np.nan
    texts = [packed(row) for row in values]
    np.testing.assert_allclose(unpacked([*texts, "", "12"])[:50], values, atol=1e-5)
    assert np.isnan(unpacked(["", "12"])).all()


def test_orders_are_those_of_a_plain_sort() -> None:
    some = images(60)
    columns, doubts = Columns(some), unpacked([image.doubts for image in some])
    wanted = frozenset({State.NEW, State.DONE})
    passing = [n for n, image in enumerate(some) if image.state in wanted]
    for criterion in range(len(CRITERIA)):
        wish = Wish(wanted, BY_DOUBT, criterion)
        key = np.nan_to_num(doubts[:, criterion], nan=-1)
        assert columns.listed(wish).tolist() == sorted(passing, key=lambda n: -key[n])
        above = columns.listed(Wish(wanted, BY_DOUBT, criterion, 0.5)).tolist()
        assert above == [n for n in sorted(passing, key=lambda n: -key[n]) if key[n] >= 0.5]
    assert columns.listed(Wish(wanted, NEWEST)).tolist() == sorted(passing, key=lambda n: -some[n].id)
    assert columns.listed(Wish(wanted)).tolist() == passing
    assert some[1].id in columns.ids[columns.listed(Wish(wanted), kept=some[1].id)]


def test_samples_are_the_same_for_a_seed_and_differ_between_seeds() -> None:
    columns = Columns(images(60))
    first, again, other = (columns.listed(Wish(order=SAMPLE, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other and sorted(first) == sorted(other) == list(range(60))


def test_histogram_and_limit_are_numpys() -> None:
    some = images(200)
    columns, doubts = Columns(some), unpacked([image.doubts for image in some])
    wish = Wish(frozenset({State.NEW}), BY_DOUBT, 2, above=0.9)
    values = doubts[[image.state is State.NEW for image in some], 2]
    values = values[np.isfinite(values)]
    counts, top = columns.histogram(wish, 10)
    assert counts.sum() == len(values) and top >= values.max()
    assert columns.quantile(wish, 0.2) == pytest.approx(np.quantile(values, 0.8))


def brute_groups(prints: list[int]) -> list[set[int]]:
    """Groups by looking at every pair."""
    groups = [{n} for n in range(len(prints))]
    for a in range(len(prints)):
        for b in range(a):
            if (prints[a] ^ prints[b]).bit_count() <= BITS_APART:
                one, other = (next(g for g in groups if n in g) for n in (a, b))
                if one is not other:
                    groups.remove(other)
                    one |= other
    return [group for group in groups if len(group) > 1]


def test_groups_are_those_of_all_pairs() -> None:
    rng = np.random.default_rng(2)
    prints = [int(x) for x in rng.integers(0, 1 << 63, 40)]
    for _ in range(60):
        start = prints[int(rng.integers(len(prints)))]
        for bit in rng.choice(64, int(rng.integers(0, 9)), replace=False):
            start ^= 1 << int(bit)
        prints.append(start)
    known = np.ones(len(prints), bool)
    known[5] = False
    found = groups_of(np.array(prints, np.uint64), known)
    expected = brute_groups([p for n, p in enumerate(prints) if n != 5])
    places = [n for n in range(len(prints)) if n != 5]
    ours = {frozenset(np.flatnonzero(found == g).tolist()) for g in range(found.max() + 1)}
    assert ours == {frozenset(places[n] for n in group) for group in expected}
    assert found[5] == -1 and found[found >= 0][0] == 0


def test_a_fingerprint_outlasts_size_and_noise_but_not_another_picture() -> None:
    from engine.opencv import cv2
    from engine.samples import sample_people

    pixels = sample_people()[0].pixels
    rng = np.random.default_rng(0)
    smaller = cv2.resize(pixels, (150, 150), interpolation=cv2.INTER_AREA)
    noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)

    def apart(a: np.ndarray, b: np.ndarray) -> int:
        return (int(fingerprint(a), 16) ^ int(fingerprint(b), 16)).bit_count()

    assert apart(pixels, smaller) <= BITS_APART and apart(pixels, noisy) <= BITS_APART
    assert apart(pixels, pixels[:, ::-1]) > 2 * BITS_APART
    assert len(fingerprint(pixels)) == 16


def test_doubts_and_fingerprints_are_kept_and_are_no_step_of_undo(tmp_path: Path) -> None:
    path = tmp_path / "p.hourbit-project"
    document = Document.create(path, load_schema("mpii16"), "P")
    document.apply(AddImages((NewImage("a.png", 160, 120), NewImage("b.png", 160, 120))))
    first, second = (image.id for image in document.images())
    doubts = tuple(np.linspace(0, 1, len(CRITERIA)))
    document.apply(Predicted(first, (guessed(first),), 0.0, doubts=doubts))
    document.apply(Fingerprint(((first, "00ff00ff00ff00ff"), (second, "00ff00ff00ff00fe"))))
    assert document.undo_title == "Add 2 images"
    document.close()
    document = Document.open(path)
    held = document.images()
    np.testing.assert_allclose(unpacked([held[0].doubts])[0], doubts, atol=1e-5)
    assert [image.fingerprint for image in held] == ["00ff00ff00ff00ff", "00ff00ff00ff00fe"]
    columns = Columns(held)
    assert columns.ungrouped and columns.listed(Wish(order=ALIKE)).tolist() == []
    columns.groups = groups_of(columns.prints, columns.has_print)
    assert columns.listed(Wish(order=ALIKE)).tolist() == [0, 1]
    document.close()


def test_the_pace_leaves_out_pauses_and_what_is_taken_back() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.restart(10)
    for done in range(11, 21):
        now[0] += 30
        pace.tell(done)
    assert pace.per_hour == pytest.approx(120) and pace.left(60) == pytest.approx(1800)
    now[0] += 36_000
    pace.tell(21)
    assert pace.per_hour == pytest.approx(3600 * 11 / (300 + PAUSE))
    pace.restart(0)
    assert pace.per_hour is None and pace.left(5) is None


def test_the_index_keeps_natural_order_through_all_that_comes_and_goes() -> None:
    rng, held = np.random.default_rng(0), {}
    index = ImageIndex()
    for step in range(60):
        for _ in range(int(rng.choice([1, 5, 300]))):
            id = int(rng.integers(1, 500))
            if rng.random() < 0.3:
                held.pop(id, None)
                index.drop(id)
                continue
            path = held[id].path if id in held and rng.random() < 0.5 else f"f{rng.integers(9)}/img{id}_{step}.png"
            held[id] = Image(id, path, 9, 9, STATES[int(rng.integers(len(STATES)))])
            index.put(held[id])
        assert index.ordered() == sorted(held.values(), key=lambda image: (natural_key(image.path), image.id))
        assert index.counts() == {state: sum(i.state is state for i in held.values()) for state in State}
    assert all(index.find(image.path) == id for id, image in held.items()) and not index.find("none")
    assert ImageIndex(held.values()).ordered() == index.ordered()
