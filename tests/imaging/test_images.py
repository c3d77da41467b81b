import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from fer_core import dependencies
from fer_core.errors import MediaError, TooManyPixelsError
from fer_core.imaging.images import decode_image


def encode(array, form="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def noise(height=40, width=60, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


def test_colours_come_back_as_bgr():
    rgb = noise()
    np.testing.assert_array_equal(decode_image(encode(rgb)), rgb[:, :, ::-1])


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned a quarter clockwise
    rgb = noise()
    np.testing.assert_array_equal(decode_image(encode(rgb, exif=exif)), np.rot90(rgb, -1)[:, :, ::-1])


def exif_of(*entries):
    """EXIF with entries as they are: (tag, type, count, four bytes)."""
    return (
        b"Exif\0\0II*\0"
        + struct.pack("<LH", 8, len(entries))
        + b"".join(struct.pack("<HHL", *entry[:3]) + entry[3] for entry in entries)
        + bytes(4)
    )


TURNED = (0x0112, 3, 1, bytes([6, 0, 0, 0]))


@pytest.mark.parametrize(
    "odd",
    [(0x010E, 5, 1), (0x0213, 1, 1), (0xA302, 11, 1), (0x02BC, 3, 4)],
    ids=[
        "a title that is a fraction",
        "a position that is bytes",
        "a pattern that is a number",
        "text that is numbers",
    ],
)
def test_a_turned_photo_with_an_odd_tag_is_read(odd):
    rgb = noise()
    content = encode(rgb, exif=exif_of((*odd, bytes([7, 0, 0, 0])), TURNED))
    np.testing.assert_array_equal(decode_image(content), np.rot90(rgb, -1)[:, :, ::-1])


@pytest.mark.parametrize("exif", [b"Exif\0\0II", b"Exif\0\0II*\0", b"Exif\0\0no EXIF at all"])
def test_a_photo_with_damaged_exif_is_read_as_it_lies(exif):
    rgb = noise()
    np.testing.assert_array_equal(decode_image(encode(rgb, exif=exif)), rgb[:, :, ::-1])


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_turned_as_pillow_does(value):
    exif = Image.Exif()
    exif[0x0112] = value
    content = encode(noise(), exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(decode_image(content), np.asarray(upright)[:, :, ::-1])


@pytest.mark.parametrize("array", [noise()[:, :, 0], noise(channels=4)], ids=["gray", "transparent"])
def test_other_modes_become_three_channels(array):
    assert decode_image(encode(array)).shape == (40, 60, 3)


@pytest.mark.parametrize("value", [0, 2, 5, 6, 7, 8])
@pytest.mark.parametrize("how", [{"subsampling": 0}, {"progressive": True}, {"quality": 30}], ids=str)
@pytest.mark.parametrize("channels", [3, 1])
def test_a_jpeg_has_the_pixels_that_pillow_reads(channels, how, value):
    exif = Image.Exif()
    exif[0x0112] = value
    content = encode(noise(channels=channels).squeeze(), "JPEG", exif=exif, **how)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    np.testing.assert_array_equal(decode_image(content), np.asarray(upright)[:, :, ::-1])


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_a_jpeg_of_other_colours_is_read_as_pillow_does(mode):
    buffer = io.BytesIO()
    Image.fromarray(noise()).convert(mode).save(buffer, "JPEG")
    expected = np.asarray(Image.open(buffer).convert("RGB"))[:, :, ::-1]
    np.testing.assert_array_equal(decode_image(buffer.getvalue()), expected)


@pytest.mark.parametrize("missing", [3, 10, 100, 1000])
def test_a_jpeg_without_its_end_is_refused(missing):
    with pytest.raises(MediaError, match="cannot be read"):
        decode_image(encode(noise(), "JPEG")[:-missing])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_file_cut_short_is_refused(form):
    content = encode(noise(), form)
    with pytest.raises(MediaError, match="holiday.* cannot be read"):
        decode_image(content[: len(content) // 2], "holiday")


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(MediaError, match="cannot be read"):
        decode_image(content)


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch):
    content = encode(noise())
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(TooManyPixelsError, match=r"60 × 40 pixels; expected at most 0\.001 megapixels"):
        decode_image(content, max_pixels=1000)


def test_a_picture_that_pillow_refuses_for_its_size_is_said_to_be_too_large(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(MediaError, match="more than 2,000 pixels; expected at most 60 megapixels"):
        decode_image(encode(noise()))


def test_gray_of_16_bits_keeps_its_shades():
    deep = (np.arange(40 * 60, dtype=np.uint32).reshape(40, 60) * 27).astype(np.uint16)
    np.testing.assert_array_equal(decode_image(encode(deep))[:, :, 0], deep >> 8)


def heic(orientation=1):
    image = Image.new("RGB", (96, 64), (200, 40, 40))
    pillow_heif.register_heif_opener()
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(file, "HEIF", exif=exif.tobytes())
    return file.getvalue()


def test_heic_is_read_upright():
    for orientation, shape in ((1, (64, 96, 3)), (6, (96, 64, 3))):
        image_bgr = decode_image(heic(orientation))
        assert image_bgr.shape == shape
        np.testing.assert_allclose(image_bgr[32, 32], (40, 40, 200), atol=12)


def test_heic_cut_short_or_without_its_package_is_refused(monkeypatch):
    content = heic()
    with pytest.raises(MediaError, match="cannot be read: expected a whole"):
        decode_image(content[: len(content) - 60])
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None)
    with pytest.raises(MediaError, match=r"phone.heic cannot be read. Reading HEIC needs pillow_heif.*\[heic\]"):
        decode_image(content, "phone.heic")
