"""The reader of Torch7's serialization: everything that such files hold, and nothing that they should not."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from engine.torch7 import (
    ELEMENTS,
    MAX_DEPTH,
    MAX_FILE,
    MAX_OBJECTS,
    Torch7Error,
    Torch7Object,
    parse_torch7,
    read_torch7,
)
from tests.engine.torch7file import Array, Stored, Thing, Writer, listed, written


def number(value: int) -> bytes:
    return struct.pack("<i", value)


def text(words: str) -> bytes:
    return number(len(words)) + words.encode("latin-1")


def tensor(
    sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 1, count: int = 6, name: str = "Float",
    storage: str = "Float", held: int | None = None,
) -> bytes:  # fmt: skip
    """A tensor of a storage that says it has `count` elements and holds `held` (as many by default)."""
    longs = struct.pack(f"<{2 * len(sizes) + 1}q", *sizes, *strides, offset)
    values = np.arange(count if held is None else held, dtype=np.float32).tobytes()
    body = number(4) + number(2) + text("V 1") + text(f"torch.{storage}Storage") + struct.pack("<q", count) + values
    return number(4) + number(1) + text("V 1") + text(f"torch.{name}Tensor") + number(len(sizes)) + longs + body


@pytest.mark.parametrize("value", [None, 0.0, -2.5, 1e300, "", "words", "\xe9\0", True, False])
def test_plain_values(value: Any) -> None:
    found = parse_torch7(written(value))
    assert found == value and type(found) is type(value)


def test_tables_keep_words_and_numbers_as_keys() -> None:
    assert parse_torch7(written({"a": 1.0, 2.0: "b", "c": {}})) == {"a": 1.0, 2.0: "b", "c": {}}
    assert parse_torch7(written({True: 1.0, "a": 2.0})) == {"a": 2.0}


@pytest.mark.parametrize("version", [None, 0, 1, 2, 17])
def test_versions_and_old_headers(version: int | None) -> None:
    found = parse_torch7(written(Thing("nn.Whatever", {"x": 1.0}, version)))
    assert (found.kind, found.version, found.fields) == ("nn.Whatever", version or 0, {"x": 1.0})


@pytest.mark.parametrize("name", sorted(ELEMENTS))
def test_every_kind_of_tensor_and_storage(name: str) -> None:
    values = (np.arange(24) % 7).astype(ELEMENTS[name]).reshape(2, 3, 4)
    array = Array(values, cuda=name.startswith("Cuda"))
    assert array.name == name
    found, alone = parse_torch7(written(listed(array, Stored(values, name)))).values()
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(alone, values.reshape(-1))
    assert found.dtype == values.dtype == alone.dtype and not found.flags.writeable


def test_strides_offsets_and_empty_tensors() -> None:
    np.testing.assert_array_equal(parse_torch7(tensor((2, 3), (1, 2))), [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(parse_torch7(tensor((2,), (2,), 4)), [3, 5])
    np.testing.assert_array_equal(parse_torch7(tensor((4, 2), (0, 1), 5)), [[4, 5]] * 4)
    np.testing.assert_array_equal(parse_torch7(tensor((1, 6), (2**62, 1))), [range(6)])
    assert parse_torch7(tensor((), ())).size == parse_torch7(written(Array(np.empty(0, np.float32)))).size == 0
    assert parse_torch7(tensor((2**40, 0, 2**40), (1, 1, 1))).size == 0


def test_what_is_shared_stays_shared() -> None:
    thing, storage, table = Thing("nn.A"), Stored(np.arange(6, dtype=np.float32), "Float"), {"x": 1.0}
    arrays = [Array(np.arange(6, dtype=np.float32), False, storage) for _ in range(2)]
    found = parse_torch7(written(listed(thing, thing, table, table, *arrays)))
    assert found[1.0] is found[2.0] and found[3.0] is found[4.0]
    assert np.shares_memory(found[5.0], found[6.0])


def test_what_holds_itself_is_read() -> None:
    table: dict[str, Any] = {}
    thing = Thing("nn.A", table)
    table |= {"self": thing, "fields": table}
    found = parse_torch7(written(thing))
    assert isinstance(found, Torch7Object) and found.fields["self"] is found and found.fields["fields"] is found.fields


def deep(levels: int) -> bytes:
    head = b"".join(number(3) + number(n) + number(1) + number(1) + struct.pack("<d", 1) for n in range(levels))
    return head + number(0)


def test_depth_has_a_limit_that_python_does_not_reach() -> None:
    found = parse_torch7(deep(MAX_DEPTH))
    for _ in range(MAX_DEPTH):
        found = found[1.0]
    assert found is None


REF = number(4) + number(1) + text("V 1")
HOSTILE = {
    "deep": (deep(MAX_DEPTH + 1), "deep in each other"),
    "very deep": (deep(100_000), "deep in each other"),
    "nothing": (b"", "ends too early"),
    "trailing bytes": (written(1.0) + b"\0", "1 bytes follow"),
    "unknown kind": (number(9), "no kind of object"),
    "negative kind": (number(-1), "no kind of object"),
    "giant text": (number(2) + number(2**31 - 1), "too early"),
    "negative text": (number(2) + number(-1), "-1 bytes long"),
    "odd truth": (number(5) + number(7), "truth value is 7"),
    "giant table": (number(3) + number(1) + number(2**31 - 1), "too early"),
    "negative table": (number(3) + number(1) + number(-5), "-5 entries"),
    "key twice": (number(3) + number(1) + number(2) + 2 * written("a") + 2 * written("a"), "twice"),
    "giant class name": (REF + number(10_000) + b"x" * 10_000, "10000 bytes long"),
    "no class name": (REF + text(""), "no name"),
    "class name of control letters": (REF + text("nn.\n"), "no name"),
    "object without fields": (REF + text("nn.A") + number(0), "no table of fields"),
    "object of a tensor": (REF + text("nn.A") + tensor((2,), (1,)).replace(number(1), number(8), 1), "no table"),
    "giant storage": (tensor((2,), (1,), count=2**60, held=6), "too early"),
    "storage that overflows": (tensor((2,), (1,), count=2**62, held=6), "too early"),
    "negative storage": (tensor((2,), (1,), count=-1, held=0), "-1 elements"),
    "storage of another kind": (tensor((2,), (1,), storage="Int"), "another kind"),
    "too many dimensions": (tensor((1,) * 17, (1,) * 17), "17 dimensions"),
    "negative size": (tensor((-1,), (1,)), "negative"),
    "negative stride": (tensor((2,), (-1,), 2), "negative"),
    "negative offset": (tensor((2,), (1,), -1), "negative"),
    "offset 0": (tensor((2,), (1,), 0), "beyond"),
    "one too many": (tensor((7,), (1,)), "beyond"),
    "stride too long": (tensor((2, 3), (4, 1)), "beyond"),
    "offset too far": (tensor((2,), (1,), 6), "beyond"),
    "sizes that overflow": (tensor((2**40, 2**40), (0, 0)), "beyond"),
    "giant view of one number": (tensor((2**20, 2**20), (0, 0)), "beyond"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused_in_a_sentence(name: str) -> None:
    data, words = HOSTILE[name]
    with pytest.raises(Torch7Error, match=words) as caught:
        parse_torch7(data)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [6, 7, 8])
def test_functions_are_refused_unread(kind: int) -> None:
    with pytest.raises(Torch7Error, match="Lua function"):
        parse_torch7(number(kind) + number(1) + text("\x1bLua") + number(0))


def test_a_number_means_one_kind_of_object() -> None:
    table = number(3) + number(1) + number(0)
    both = number(3) + number(9) + number(2) + written(1.0) + table + written(2.0)
    with pytest.raises(Torch7Error, match="another kind"):
        parse_torch7(both + number(4) + number(1))
    assert parse_torch7(both + number(3) + number(1)) == {1.0: {}, 2.0: {}}


def test_a_tensor_is_not_its_own_storage() -> None:
    data = REF + text("torch.FloatTensor") + number(1) + struct.pack("<3q", 2, 1, 1) + number(4) + number(1)
    with pytest.raises(Torch7Error, match="holds itself"):
        parse_torch7(data)


def test_too_many_objects() -> None:
    writer = Writer()
    writer.pack("iii", 3, 1, MAX_OBJECTS)
    for n in range(MAX_OBJECTS):
        writer.data += number(1) + struct.pack("<d", n) + number(0)
    with pytest.raises(Torch7Error, match="more than 200,000 objects"):
        parse_torch7(bytes(writer.data))


def test_a_giant_file_is_not_read(tmp_path) -> None:
    path = tmp_path / "giant.t7"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(Torch7Error, match="larger than 128 MB"):
        read_torch7(path)


def many_kinds() -> bytes:
    shared = Thing("nn.Shared", {"bias": Array(np.arange(3, dtype=np.float32))}, 2)
    items = [Array((np.arange(6) + 1).astype(kind).reshape(2, 3), cuda=name.startswith("Cuda"))
             for name, kind in ELEMENTS.items()]  # fmt: skip
    return written({"a": listed(*items), "b": shared, "c": listed(shared, None, True, "text", -1.5, {})})


def test_cut_at_every_byte() -> None:
    data = many_kinds()
    for size in range(len(data)):
        with pytest.raises(Torch7Error):
            parse_torch7(data[:size])


def test_thousands_of_mutated_files_are_read_or_refused() -> None:
    """Bytes and whole ints and longs are changed, pieces moved; nothing but a value or a Torch7Error comes out."""
    rng, base = np.random.default_rng(7), many_kinds()
    extremes = [-(2**63), -1, 0, 1, 2, 3, 4, 5, 8, 255, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1]
    refused = 0
    for _ in range(6000):
        data = bytearray(base)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data) - 8))
            way = rng.integers(4)
            if way == 0:
                data[at] = rng.integers(256)
            elif way == 1:
                data[at : at + 4] = struct.pack("<q", extremes[rng.integers(len(extremes))])[:4]
            elif way == 2:
                data[at : at + 8] = struct.pack("<q", extremes[rng.integers(len(extremes))])
            else:
                piece = data[at : at + int(rng.integers(1, 60))]
                data[(to := int(rng.integers(len(data)))) : to] = piece
        try:
            parse_torch7(bytes(data))
        except Torch7Error:
            refused += 1
    assert 2000 < refused < 6000
