"""Pictures from files and uploads, as the arrays that the package works on."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import ExifTags, Image

from fer_core.errors import MediaError

# A phone takes up to 50 megapixels; more is a mistake or an attack on memory.
MAX_PIXELS = 60_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")

# What brings a picture upright, by the value of its EXIF orientation. Pillow's own exif_transpose also writes
# the EXIF anew, and fails where any other tag of it is odd.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(content: bytes, name: str = "The picture") -> np.ndarray:
    """Decode an image file, upright as its EXIF orientation says.

    Args:
        content: the whole file, in one of `FORMATS`.
        name: what to call it in an error.

    Returns:
        uint8 (h, w, 3) BGR; transparency is dropped.

    Raises:
        MediaError: it is no image in these formats, is damaged, or has more than 60 megapixels.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(name, f"{image.width} × {image.height}")
            image.load()  # a PNG may tell its orientation after its pixels
            turn = _TURNS.get(_orientation(image))
            upright = image if turn is None else image.transpose(turn)
            upright_rgb = np.asarray(_of_8_bits(upright).convert("RGB"))
    except Image.DecompressionBombError as error:  # so large that Pillow itself refuses to open it
        raise _too_large(name, f"more than {2 * Image.MAX_IMAGE_PIXELS:,}") from error
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow tells damage by several types; SyntaxError is its word for a broken PNG.
        raise MediaError(
            f"{name} cannot be read: expected a whole {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, "
            f"got {len(content):,} bytes that are damaged or something else. "
            "Save it again as JPEG or PNG."
        ) from error
    return np.ascontiguousarray(upright_rgb[:, :, ::-1])


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Return gray of 16 bits with the upper 8 of them, which Pillow's own way makes white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.clip(np.asarray(image), 0, 65_535) >> 8).astype(np.uint8))


def _orientation(image: Image.Image) -> object:
    """Return the value of the EXIF orientation, 1 to 8; None or anything else says nothing."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, struct.error):  # the EXIF is damaged, the picture need not be
        return None


def _too_large(name: str, pixels: str) -> MediaError:
    return MediaError(
        f"{name} has {pixels} pixels; expected at most {MAX_PIXELS // 1_000_000} megapixels. "
        "Make it smaller and try again."
    )
