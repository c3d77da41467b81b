"""Pictures from files and uploads, as the arrays that the package works on."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from fer_core.dependencies import INSTALL_HEIC, require_package
from fer_core.errors import DependencyError, MediaError, TooManyPixelsError

# A phone takes up to 50 megapixels; more is a mistake or an attack on memory.
MAX_PIXELS = 60_000_000
# No picture of these formats is larger; reading a file of another kind whole would take all memory.
_MAX_BYTES = 250_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF")
# What phones write; Pillow reads it by a package of its own.
_HEIF = "HEIF"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1")

# What brings a picture upright, by the value of its EXIF orientation. Pillow's own exif_transpose also writes
# the EXIF anew, and fails where any other tag of it is odd.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def decode_image(content: bytes, name: str = "The picture", max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image file, upright as its EXIF orientation says.

    Args:
        content: the whole file, in one of `FORMATS`, or HEIC where the extra `heic` is installed.
        name: what to call it in an error.
        max_pixels: width times height that it may have, at most `MAX_PIXELS`.

    Returns:
        uint8 (h, w, 3) BGR; transparency is dropped.

    Raises:
        TooManyPixelsError: it has more pixels than `max_pixels`; none of them was decoded.
        MediaError: it is no image in these formats, or is damaged.
    """
    formats = _formats(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            if image.width * image.height > max_pixels:
                raise _too_many_pixels(name, f"{image.width} × {image.height}", max_pixels)
            image_bgr = _pixels(image, content)
            turn = _TURNS.get(_orientation(image))  # a PNG may tell it after its pixels
    except Image.DecompressionBombError as error:  # so large that Pillow itself refuses to open it
        raise _too_many_pixels(name, f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,}", max_pixels) from error
    except (OSError, SyntaxError, ValueError, RuntimeError, EOFError) as error:
        # Pillow tells damage by several types; SyntaxError is its word for a broken PNG, the last two are for HEIC.
        raise MediaError(
            f"{name} cannot be read: expected a whole {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, "
            f"got {len(content):,} bytes that are damaged or something else. "
            "Save it again as JPEG or PNG."
        ) from error
    return image_bgr if turn is None else turn(image_bgr)


def load_image(source: np.ndarray | str | os.PathLike[str] | bytes | Image.Image) -> np.ndarray:
    """Return a picture from wherever it is as the array that the package works on.

    Args:
        source: path of a file, the content of one, a PIL image, or uint8 (h, w, 3) BGR or (h, w) gray, which is
            returned as it is.

    Raises:
        MediaError: it cannot be read, or is none of these.
    """
    if isinstance(source, np.ndarray):
        return source
    if isinstance(source, bytes):
        return decode_image(source)
    if isinstance(source, Image.Image):
        return _bgr(source)
    if isinstance(source, str | os.PathLike):
        return read_image(Path(source))
    raise MediaError(
        f"Expected a path, the bytes of a file, a PIL image or a NumPy array of uint8, got {type(source).__name__}."
    )


def read_image(path: Path, name: str | None = None) -> np.ndarray:
    """Read an image file as `decode_image` decodes it, which is called `name` in an error, by default its own name.

    Raises:
        MediaError: it cannot be read, or is larger than any picture.
    """
    name = name or path.name
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise MediaError(
                f"{name} has {size / 1e6:,.0f} MB; expected a picture of at most {_MAX_BYTES / 1e6:,.0f} MB."
            )
        content = path.read_bytes()
    except OSError as error:
        raise MediaError(f"{name} cannot be read: {error.strerror}.") from error
    return decode_image(content, name)


def _formats(content: bytes, name: str) -> tuple[str, ...]:
    """Return the formats that a file may have: HEIC only where it says so, since that needs a package more."""
    if content[4:8] != b"ftyp" or content[8:12] not in _HEIF_BRANDS:
        return FORMATS
    try:
        require_package("pillow_heif", "Reading HEIC", INSTALL_HEIC)
    except DependencyError as error:
        raise MediaError(f"{name} cannot be read. {error} Or save it as JPEG.") from error
    import pillow_heif

    pillow_heif.register_heif_opener()
    return (_HEIF,)


def _pixels(image: Image.Image, content: bytes) -> np.ndarray:
    """Return the pixels of an image, uint8 (h, w, 3), as they lie in its file.

    OpenCV reads a JPEG with the same library as Pillow, to the same values, without copying them twice. It gives
    nothing for one that is cut short; then Pillow says what is wrong.
    """
    if image.format == "JPEG" and image.mode in ("RGB", "L"):
        how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        image_bgr = cv2.imdecode(np.frombuffer(content, np.uint8), how)
        if image_bgr is not None:
            return image_bgr
    image.load()
    return _bgr(image)


def _bgr(image: Image.Image) -> np.ndarray:
    """Return an image of any mode as uint8 (h, w, 3)."""
    image = _of_8_bits(image)
    # Converting copies, even from RGB to RGB; and OpenCV turns the channels round many times as fast as NumPy.
    rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Return gray of 16 bits with the upper 8 of them, which Pillow's own way makes white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.clip(np.asarray(image), 0, 65_535) >> 8).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    """Return the value of the EXIF orientation, 1 to 8; anything else says nothing."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
        return value if isinstance(value, int) else 0
    except (SyntaxError, ValueError, struct.error):  # the EXIF is damaged, the picture need not be
        return 0


def _too_many_pixels(name: str, pixels: str, max_pixels: int) -> TooManyPixelsError:
    return TooManyPixelsError(
        f"{name} has {pixels} pixels; expected at most {max_pixels / 1e6:g} megapixels. Make it smaller and try again."
    )
