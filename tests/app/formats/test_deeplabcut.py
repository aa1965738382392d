"""DeepLabCut and Lightning Pose: values worked out by hand, and every trap of the formats."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from app.formats.deeplabcut import DeepLabCut, LightningPose
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

SINGLE = "scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n"
MANY = (
    "scorer,,,me,me,me,me,me,me\nindividuals,,,m1,m1,m2,m2,single,single\n"
    "bodyparts,,,nose,nose,nose,nose,door,door\ncoords,,,x,y,x,y,x,y\n"
)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    return path


def read(path: Path, form: object = None, **options: object) -> LabelSet:
    return (form or DeepLabCut()).read(path, ReadOptions(**options))


@pytest.mark.parametrize("index", ["labeled-data/v/1.png", "labeled-data\\v\\1.png"])
def test_one_animal(tmp_path: Path, index: str) -> None:
    file = picture(tmp_path / "labeled-data/v/1.png")
    text = f"\ufeff{SINGLE}{index},0,0,1.5,2.25\nb.png,,,NaN,".replace("\n", "\r\n")
    csv = write(tmp_path / "labeled-data/v/CollectedData_me.csv", text)
    labels = read(csv)
    one = labels.tables[0]
    assert one.points.tolist() == [[[0, 0], [1.5, 2.25]]] and one.visibility.tolist() == [[2, 2]] and one.hand.all()
    assert one.skeleton.landmarks == ("nose", "tail") and one.subject.tolist() == [""]
    assert [p.path for p in labels.pictures] == [file, None] and labels.pictures[0].size == (30, 20)
    assert not labels.problems and labels.info["scorer"] == "me"
    assert read(csv, offset=-0.5).tables[0].points[0, 1].tolist() == [1, 1.75]


def test_individuals_unique_landmarks_and_an_index_of_three_columns(tmp_path: Path) -> None:
    csv = write(tmp_path / "a.csv", MANY + "labeled-data,v,1.png,1,2,3,4,5,6\nlabeled-data,v,2.png,,,7,8,,\n")
    labels = read(csv)
    animals, unique = labels.tables
    assert animals.subject.tolist() == ["m1", "m2", "m2"] and animals.picture.tolist() == [0, 0, 1]
    assert animals.points.reshape(-1, 2).tolist() == [[1, 2], [3, 4], [7, 8]]
    assert unique.skeleton == Skeleton("single", ("door",)) and unique.points.tolist() == [[[5, 6]]]
    assert [p.name for p in labels.pictures] == ["labeled-data/v/1.png", "labeled-data/v/2.png"]


def test_likelihoods_are_scores_of_a_model(tmp_path: Path) -> None:
    text = "scorer,n,n,n\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n0,1,2,0.75\n1,,,0.1\n"
    labels = read(write(tmp_path / "a.csv", text))
    assert labels.tables[0].score.tolist() == [[0.75]] and labels.tables[0].hand.tolist() == [False]
    assert len(labels.pictures) == 2 and "numbers of frames" in words(labels)


@pytest.mark.parametrize(
    "rows, message",
    [
        ("a.png,1,2,3\n", "line 4: 4 cells where 5"), ("a.png,1,x,3,4\n", "line 4: 'x' is no number"),
        ("a.png,1,2,3,4\nb.png,1,inf,3,4\n", "line 5: 'inf'"), ('a.png,"1,5",2,3,4\n', "line 4: '1,5' has a decimal"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_are_refused_with_their_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.csv, {message}"):
        read(write(tmp_path / "a.csv", SINGLE + rows))


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "header"), ("a,b\n1,2\n", "header"), (SINGLE.replace("x,y,x,y", "a,b,c,d"), "no x and y"),
        (SINGLE.replace("x,y,x,y", "x,y,x,x"), "stands twice"), (SINGLE.replace("x,y,x,y", "x,y,x,likelihood"), "no y"),
        (SINGLE.replace("me,me,me", "me"), "differ in length"), (SINGLE.replace("tail", "nose"), "stands twice"),
    ],
)  # fmt: skip
def test_bad_headers_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.csv.*{message}"):
        read(write(tmp_path / "a.csv", text))


def test_half_a_place_and_a_picture_twice_are_listed(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.csv", SINGLE + "a.png,1,,3,4\na.png,5,6,7,8\n"))
    assert labels.tables[0].visibility.tolist() == [[0, 2]] and len(labels.pictures) == 1
    assert "line 4: 'nose' has only one" in words(labels) and "line 5: 'a.png' has a row before" in words(labels)


def test_hidden_landmarks_of_lightning_pose(tmp_path: Path) -> None:
    head = "scorer,m,m,m,m,m,m\nbodyparts,a,a,a,b,b,b\ncoords,x,y,visible,x,y,visible\n"
    csv = write(tmp_path / "a.csv", f"{head}1.png,1,2,2,3,4,1\n2.png,5,6,0,7,8,\n3.png,,,1,9,9,3\n")
    assert LightningPose().claims(csv, csv.read_bytes()) and not DeepLabCut().claims(csv, csv.read_bytes())
    labels = read(csv, LightningPose())
    assert labels.tables[0].visibility.tolist() == [[2, 1], [0, 2], [0, 2]]
    assert "line 6: visible of 'b' is 3" in words(labels) and "line 6: 'a' has no coordinates" in words(labels)


def frame(rows: list[list[float]], index: object, many: bool = False) -> object:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("tables")
    levels = {"scorer": ["me"] * 4, "bodyparts": ["nose", "nose", "tail", "tail"], "coords": list("xyxy")}
    if many:
        levels = {"scorer": ["me"] * 4, "individuals": ["m1", "m1", "m2", "m2"], "bodyparts": ["nose"] * 4,
                  "coords": list("xyxy")}  # fmt: skip
    columns = pandas.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    rows_of = pandas.MultiIndex.from_tuples(index) if isinstance(index[0], tuple) else index
    return pandas.DataFrame(rows, index=rows_of, columns=columns)


@pytest.mark.parametrize(
    "form, key, index",
    [
        ("fixed", "df_with_missing", [("labeled-data", "v", "1.png"), ("labeled-data", "v", "2.png")]),
        ("table", "df_with_missing", ["labeled-data/v/1.png", "labeled-data\\v\\2.png"]),
        ("fixed", "other", ["labeled-data/v/1.png", "labeled-data/v/2.png"]),
    ],
)  # fmt: skip
def test_tables_of_pandas_under_any_key(tmp_path: Path, form: str, key: str, index: list) -> None:
    file = tmp_path / "a.h5"
    frame([[0, 0, np.nan, np.nan], [1.5, 2, 3, 4]], index).to_hdf(file, key=key, format=form, mode="w")
    assert DeepLabCut().claims(file, file.read_bytes()[: 1 << 16])
    labels = read(file)
    assert labels.tables[0].visibility.tolist() == [[2, 0], [2, 2]]
    assert labels.tables[0].points[1].tolist() == [[1.5, 2], [3, 4]]
    assert [p.name.replace("\\", "/") for p in labels.pictures] == ["labeled-data/v/1.png", "labeled-data/v/2.png"]


class Trap:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def test_tables_that_run_code_are_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    file, mark = tmp_path / "a.h5", tmp_path / "mark"
    for place in ("/", "df_with_missing", "df_with_missing/axis0_level0"):
        frame([[1, 2, 3, 4]], ["a.png"]).to_hdf(file, key="df_with_missing", mode="w")
        with h5py.File(file, "r+") as held:
            held[place].attrs["name"] = np.bytes_(pickle.dumps(Trap(str(mark)), 0))
        with pytest.raises(FormatError, match=r"a\.h5, .*would run code"):
            read(file)
    assert not mark.exists()
    file.write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    with pytest.raises(FormatError, match="no HDF5 file"):
        read(file)


def test_a_project_reads_its_masters_with_order_and_lines_of_the_config(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = "Task: mice\nscorer: me\nbodyparts:\n- tail\n- nose\nskeleton:\n- - nose\n  - tail\n"
    config = write(tmp_path / "config.yaml", text)
    for n in "12":
        picture(tmp_path / f"labeled-data/v{n}/img.png")
    write(tmp_path / "labeled-data/v1/CollectedData_me.csv", SINGLE + "labeled-data/v1/img.png,9,9,9,9\n")
    frame([[1, 2, 3, 4]], [("labeled-data", "v1", "img.png")]).to_hdf(
        tmp_path / "labeled-data/v1/CollectedData_me.h5", key="df_with_missing", mode="w")
    write(tmp_path / "labeled-data/v2/CollectedData_me.csv", SINGLE + "labeled-data/v2/img.png,5,6,7,8\n")
    for path in (tmp_path, config):
        assert DeepLabCut().claims(path, b"" if path.is_dir() else path.read_bytes())
        labels = read(path)
        assert labels.tables[0].skeleton == Skeleton("mice", ("tail", "nose"), ((1, 0),))
        assert labels.tables[0].points.tolist() == [[[3, 4], [1, 2]], [[7, 8], [5, 6]]]
        assert [p.size for p in labels.pictures] == [(30, 20)] * 2 and not labels.problems


def test_what_is_written_is_what_pandas_reads_as_deeplabcut_does(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("tables")
    folder = tmp_path / "labeled-data/v"
    pictures = tuple(Picture(p.name, p, (30, 20)) for p in (picture(folder / "1.png"), picture(folder / "é 2.png")))
    skeleton = Skeleton("mouse", ("nose", "tail"))
    points = [[[1 / 3, 2], [0, 0]], [[5, 6], [7, 8.125]], [[9, 9], [0, 0]]]
    mice = table(skeleton, [0, 0, 1], points, [[2, 2], [2, 2], [2, 0]], subject=["b", "a", "a"])
    labels = LabelSet(pictures, (mice,))
    for name in ("CollectedData_me.csv", "CollectedData_me.h5"):
        DeepLabCut().write(labels, folder / name, WriteOptions())
        if name.endswith("csv"):
            found = pandas.read_csv(folder / name, header=[0, 1, 2, 3], index_col=[0, 1, 2])
        else:
            found = pandas.read_hdf(folder / name)
        assert list(found.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
        assert list(found.index) == [("labeled-data", "v", "1.png"), ("labeled-data", "v", "é 2.png")]
        assert found["hourbit"]["b"]["nose"].to_numpy().tolist()[0] == [1 / 3, 2]
        assert np.isnan(found["hourbit"]["b"].iloc[1]).all()
        assert found["hourbit"]["a"]["tail"]["y"].tolist()[0] == 8.125
        back = read(folder / name)
        rows = sorted(zip(back.tables[0].picture.tolist(), back.tables[0].subject.tolist(), strict=True))
        assert rows == [(0, "a"), (0, "b"), (1, "a")]
        assert [p.path for p in back.pictures] == [p.path for p in pictures]
