"""What readers of label files share: encodings, numbers, JSON and XML under limits, pictures, folders as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.files import atomic_file, atomic_folder
from app.formats.registry import FormatError, ReadOptions
from app.formats.xmls import Placed, stream_xml
from engine.errors import UserError
from engine.images import encode_jpeg, encode_png
from engine.label_pictures import Finder, size_of
from engine.label_reading import csv_rows, load_json, number, read_text, whole
from engine.labels import Problems

EXIF = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def picture(path: Path, width: int = 6, height: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((height, width, 3), np.uint8)
    return write(path, encode_png(pixels) if path.suffix.lower() == ".png" else encode_jpeg(pixels))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_usual_encodings(tmp_path: Path, encoding: str) -> None:
    problems = Problems("a.txt")
    assert read_text(write(tmp_path / "a.txt", "é 人\r\n".encode(encoding)), problems) == "é 人\r\n"
    assert not len(problems)


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    problems = Problems("a.txt")
    assert read_text(write(tmp_path / "a.txt", "x\né".encode("latin-1")), problems) == "x\né"
    assert [p.where for p in problems.values()] == ["a.txt, line 2"] and "Latin-1" in problems.values()[0].what


@pytest.mark.parametrize("value, found", [(3, 3.0), (2.5, 2.5), ("2.5", 2.5), (" -1e2 ", -100.0), ("7", 7.0)])
def test_numbers_may_stand_as_text(value: object, found: float) -> None:
    assert number(value, Path("a.json"), "x") == found


@pytest.mark.parametrize(
    "value", [True, None, [], {}, "", "a", "nan", "inf", "1_0", "٣", float("nan"), 1e300, 10**400, "0x10"]
)
def test_what_is_no_number_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(FormatError, match=r"a\.json, landmark 3"):
        number(value, Path("a.json"), "landmark 3")


def test_a_decimal_comma_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line 4: '3,5' has a decimal comma"):
        number("3,5", tmp_path / "a.csv", "line 4")
    with pytest.raises(FormatError, match="no whole number"):
        whole(2.5, tmp_path / "a.csv", "line 4")


@pytest.mark.parametrize(
    "text, place",
    [
        ('{"a": 1,\n "a": 2}', "'a' stands twice"), ('{"b": 1,\n "a": NaN}', "line 2"), ("[1,\n2,", "line 2"),
        ("[" * 200_000 + "]" * 200_000, "nested deeper"), ("[" * 70 + "]" * 70, "nested deeper"),
        ("1" * 5000, "no strict JSON"), ("", "line 1"),
    ],
)  # fmt: skip
def test_json_that_is_not_strict_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(FormatError, match=place):
        load_json(write(tmp_path / "a.json", text))
    assert load_json(write(tmp_path / "b.json", "\ufeff" + "[" * 60 + "]" * 60)) is not None


def test_xml_bombs_and_broken_xml_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    outside = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'
    for text, place in ((bomb, "entities"), (outside, "entities"), ("<a>\n<b></a>", "line 2"), ("", "line 1"),
                        ("<a>" * 100 + "</a>" * 100, "nested deeper"),
                        ('<?xml version="1.0" encoding="klingon"?><a/>', "line 1")):  # fmt: skip
        with pytest.raises(FormatError, match=place):
            parts(write(tmp_path / "a.xml", text))
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<?xml-stylesheet href="x.xsl"?><a n="é"/>'.encode("latin-1")
    assert parts(write(tmp_path / "b.xml", latin))[0].get("n") == "é"
    inner = parts(write(tmp_path / "c.xml", "<a>\n<b><b/></b>\n<c/><b n='2'/></a>"), "b")
    assert [(one.tag, one.line, len(one)) for one in inner] == [("b", 2, 1), ("b", 3, 0)]
    with pytest.raises(FormatError, match="line 1: it begins with 'c'"):
        parts(write(tmp_path / "d.xml", "<c/>"))


def parts(path: Path, wanted: str = "a") -> list[Placed]:
    return list(stream_xml(path, "a", frozenset({wanted})))


def test_tables_are_read_with_their_line_numbers(tmp_path: Path) -> None:
    rows = list(csv_rows('a,"b\nc"\r\n\r\n1,2\r\n', tmp_path / "a.csv"))
    assert rows == [(2, ["a", "b\nc"]), (4, ["1", "2"])]
    with pytest.raises(FormatError, match="line 1"):
        list(csv_rows("x" * 200_000, tmp_path / "a.csv"))


def test_pictures_are_found_however_the_file_names_them(tmp_path: Path) -> None:
    own = picture(tmp_path / "sub dir" / "é [1].JPG")
    problems = Problems()
    finder = Finder(tmp_path / "labels.json", ReadOptions(), problems, ("sub dir",))
    for name in ("sub dir/é [1].JPG", "sub dir\\é [1].jpg", "é [1].jpg", str(own), "é [1]"):
        assert finder.find(name) == own, name
    assert finder.find("C:\\elsewhere\\sub dir\\é [1].jpg") == own
    for name in ("no.jpg", "", "a\0b.jpg", "x" * 5000 + ".jpg", "é [1]/x.jpg"):
        assert finder.find(name) is None, name
    assert not len(problems)


def test_a_folder_that_was_chosen_is_looked_in_first_and_without_folders(tmp_path: Path) -> None:
    chosen, beside = picture(tmp_path / "chosen" / "a.png"), picture(tmp_path / "a.png")
    finder = Finder(tmp_path / "labels.json", ReadOptions(pictures=tmp_path / "chosen"), Problems())
    assert finder.find("a.png") == finder.find("deep/a.png") == chosen
    assert Finder(tmp_path / "labels.json", ReadOptions(), Problems()).find("a.png") == beside


def test_one_file_is_never_taken_for_two_pictures_with_cut_names(tmp_path: Path) -> None:
    problems = Problems()
    file = picture(tmp_path / "flat" / "1.png")
    finder = Finder(tmp_path / "labels.json", ReadOptions(pictures=tmp_path / "flat"), problems)
    assert finder.find("a/1.png") == file and finder.find("b/1.png") is None and finder.find("a/1.png") == file
    assert len(problems) == 1


def test_pictures_of_a_data_set_are_found_wherever_they_lie_if_one_alone_can_be_meant(tmp_path: Path) -> None:
    one = picture(tmp_path / "Images" / "Part 1" / "A.PNG")
    for folder in ("x", "y"):
        picture(tmp_path / folder / "twice.png")
    labels, problems = tmp_path / "labels.json", Problems()
    finder = Finder(labels, ReadOptions(), problems, deep=True)
    assert finder.find("images/part 1/a.png") == one and finder.find("images/part 1/a.png") == one
    assert finder.find("elsewhere/a.png") is None and len(problems) == 0  # the file has a name already
    assert finder.find("twice.png") is None and finder.find("far/x/TWICE.png") is None
    assert finder.find("far/x/twice.png") == tmp_path / "x" / "twice.png"
    assert Finder(labels, ReadOptions(), problems).find("images/part 1/a.png") is None


def test_pictures_of_one_stem_are_told_apart(tmp_path: Path) -> None:
    jpg, png = picture(tmp_path / "a.jpg"), picture(tmp_path / "a.png")
    problems = Problems()
    finder = Finder(tmp_path / "labels.json", ReadOptions(), problems)
    assert (finder.find("a.jpg"), finder.find("a.png"), finder.find("a.JPG")) == (jpg, png, jpg)
    assert finder.find("a") is None and finder.find("a.bmp") is None
    assert "several pictures" in problems.values()[0].what


def test_sizes_are_as_displayed_and_differences_are_said(tmp_path: Path) -> None:
    data = picture(tmp_path / "a.jpg", 6, 4).read_bytes()
    turned = write(tmp_path / "turned.jpg", data[:2] + EXIF + data[2:])
    assert size_of(tmp_path / "a.jpg") == (6, 4) and size_of(turned) == (4, 6)
    write(tmp_path / "text.png", "no picture")
    problems = Problems()
    finder = Finder(tmp_path / "labels.json", ReadOptions(), problems)
    assert finder.picture("a.jpg", (6, 4)).size == (6, 4) and not len(problems)
    assert finder.picture("turned.jpg", (6, 4)).size == (4, 6) and "EXIF" in problems.values()[0].what
    assert finder.picture("gone.jpg", (6, 4)).size == (6, 4) and finder.picture("gone.jpg").size is None
    assert finder.picture("text.png").size is None and "cannot be read" in problems.values()[-1].what


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "out") as folder:
        write(folder / "a.txt", "a")
        assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"] and (tmp_path / "out" / "a.txt").read_text() == "a"
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "other") as folder:
        write(folder / "a.txt", "a")
        raise KeyboardInterrupt
    with pytest.raises(UserError, match="not empty"), atomic_folder(tmp_path / "out"):
        raise AssertionError("never entered")
    with pytest.raises(UserError, match="no such folder"), atomic_folder(tmp_path / "no" / "out"):
        raise AssertionError("never entered")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_file_is_written_piece_by_piece_or_stays_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with atomic_file(path) as file:
        file.write(b"ne")
        file.write(b"w")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]
