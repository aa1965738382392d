"""AVIF and HEIC: the same pixels for all, upright, and a sentence where they are damaged or cannot be decoded."""

from __future__ import annotations

import base64
import io
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("_pi_heif")  # a checkout whose packages were installed before HEIC was read
from PIL import Image  # noqa: E402

from engine.frames import count_frames  # noqa: E402
from engine.headers import HeaderError, read_header  # noqa: E402
from engine.images import DamagedPictureError, ImageError, decode, image_size, load_image, load_shown  # noqa: E402
from engine.opencv import cv2  # noqa: E402
from tests.engine.picturefile import blocks, encoded  # noqa: E402
from tests.engine.test_images import turned  # noqa: E402

# 33 x 32 as stored, four areas of about 17 x 16 in red, blue, green and light grey, with a quarter turn to the right.
HEIC = base64.b85decode(
    b'0000OW^{RQXk}?*00000ZE0pPXk}?*0005VZDn*}000000000XXk=`10000000000aA{+700000000000000000000G-+&aV*mgE07O6l0ss'
    b'L300001=l}r#0000000A!m0ssI200S2Q0RR9100000Bme*aIB98aW&i*H00062000$fZf0cy000000RRAKc4ILB0000LX>Mj^0ssI300IC2M'
    b'R;ju000004sdC7Z2$lO00031009SSaB^?}008D`aAR)(004Gqc4I>U18@KU0FVFx0000U@BsY%`1k+-4+CHT0RR|40Sp2E{{wIU00RJ!0009'
    b'300RIXx&lC90096hLID8-Z~y=U0FVFx0{{R603M(qfd!W8<fgf}2xu@M00096AOHXZ03l)k0RRR>0l{;?i2wiq6Ju{|a&BX6cmM$a4FCp!00'
    b'00KX>)L8000000000$0000$0000eV{Bn?0000X000010000W00001|NsBt00002|NsBs000020000GaA|mH000000|*ER00009X>xCL0{{R3'
    b'8EJ5BVE_OC000000RRC8fdT^sgoXeB02*m>Wo7^X0000001jhhb7KGk0096200047ZDe6|0003iC;_hqI9m6%-^8T<|Mo{dhxAORY~JzW#y{'
    b'E}Yl_7@Z!1N6=B1R9jJ^?_?VZhbJL4DC+h+en+#uWb5tRwNc9nT@xkC=A^|K4~8Q1@m=KuVU5lK5m|9h?g`V|~19x%U<y3E+md+#^(LE!!Wj'
    b's7-Ty~)`rZo-j^lRTiSB8Fu!-N$Llh+)<k_M35Plqj|UZT1K1O+rI~T2?}$rQ!7al!f}TFtS22uaJ1S$y%juSbL2eWcwO&<Mjdw20B<7cnmY'
    b'7yb&6z;sWK?e0m}Bs2tT*TWcM6m<Dr9l~KnvC;~`81%Ij9-3+wCiOPr&Rf5mbBo`Yoprky@e?g%#_GHl_Rru;axqgcs|Im+!rV6pmYrOPkmn'
    b'g)V2Fj=<;KU0-Z7F^L000I>cxh$;08LE*DgXcg2mk>A5&#1L000311^@s60000'
)
CORNERS = {(2, 2): (40, 200, 60), (2, -3): (200, 40, 30), (-3, 2): (230, 230, 230), (-3, -3): (20, 90, 180)}


def avif(pixels: np.ndarray, orientation: int = 1) -> bytes:
    """An AVIF file of (H, W, 3) uint8 RGB, without loss, with its turn and mirror as properties of the picture."""
    file, told = io.BytesIO(), Image.Exif()
    told[274] = orientation
    options = {"exif": told.tobytes()} if orientation > 1 else {}
    Image.fromarray(pixels).save(file, "AVIF", quality=100, subsampling="4:4:4", **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_and_mirrors_of_avif_are_those_of_a_second_reader(orientation: int) -> None:
    stored = blocks(32, 40)
    data = avif(stored, orientation)
    shown = decode(data)
    assert read_header(data).upright == shown.shape[1::-1]
    assert np.abs(shown.astype(int) - turned(stored, orientation)).max() <= 2


def test_heic_is_read_upright_without_what_only_fills_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "Grüße 人.HEIC"
    path.write_bytes(HEIC)
    shown = load_image(path)
    assert shown.shape == (33, 32, 3) and shown.dtype == np.uint8 and image_size(path) == (32, 33)
    for place, colour in CORNERS.items():
        assert np.abs(shown[place].astype(int) - colour).max() < 6, place
    assert load_shown(path).frames == 1 and not load_shown(path).damage


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_is_spread_and_its_clear_parts_lie_over_white(bits: int) -> None:
    deep = np.zeros((16, 32, 4), np.uint16)
    deep[:, 8:, :3] = (1 << bits) - 1
    deep[:, :, 3] = (1 << bits) - 1
    deep[8:, :8, 3] = 0
    shown = decode(encoded(deep, ".avif", cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100))
    assert shown[2, 2].max() < 6 and shown[2, -3].min() > 250 and shown[-3, 2].min() > 250


def test_without_its_decoder_heic_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "_pi_heif", None)
    with pytest.raises(ImageError, match=r"^a\.heic is a HEIC picture: install pi-heif.*\.$"):
        decode(HEIC, "a.heic")


@pytest.mark.parametrize("data", [avif(blocks()), HEIC], ids=["avif", "heic"])
def test_what_is_cut_or_changed_ends_in_a_picture_or_a_sentence(data: bytes) -> None:
    for share in (0.1, 0.3, 0.5, 0.8, 0.97):
        with pytest.raises(DamagedPictureError, match=r"^cut\.x is damaged.*\.$"):
            decode(data[: int(len(data) * share)], "cut.x")
    rng = np.random.default_rng(2)
    for _ in range(150):
        other = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            other[at] = rng.integers(0, 256)
        begin = time.process_time()
        try:
            assert decode(bytes(other)).dtype == np.uint8
        except ImageError as error:
            assert str(error).endswith(".")
        assert time.process_time() - begin < 1


def test_giants_are_refused_by_their_header() -> None:
    data = bytearray(avif(blocks()))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", 20_000, 20_000)
    with pytest.raises(ImageError, match="20000 x 20000"):
        decode(bytes(data))


def test_a_video_is_no_picture_and_boxes_in_a_ring_end() -> None:
    with pytest.raises(HeaderError, match="no picture"):
        read_header(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + bytes(200))
    for length in (0, 1, 7, 2**32 - 1):
        with pytest.raises(HeaderError):
            read_header(struct.pack(">I4s4sI", 16, b"ftyp", b"heic", 0) + struct.pack(">I4s", length, b"meta"))


def test_frames_of_a_sequence_are_counted() -> None:
    frames = [Image.fromarray(blocks(seed=n)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:], quality=100, subsampling="4:4:4")
    assert count_frames(file.getvalue()) == 3 and count_frames(HEIC) == 1
    first = decode(file.getvalue())
    assert np.abs(first.astype(int) - blocks(seed=0)).max() <= 6


def test_boxes_in_thousands_of_boxes_are_no_sequence() -> None:
    """A file of 12 kB would make a walk that follows them fall over Python's limit."""
    start = HEIC[: int.from_bytes(HEIC[:4], "big")]
    nested = b""
    for _ in range(1500):
        nested = struct.pack(">I4s", len(nested) + 8, b"moov") + nested
    assert count_frames(start + nested) == 1

