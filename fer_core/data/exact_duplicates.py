"""Images that are the same to the last pixel."""

from __future__ import annotations

import numpy as np

from fer_core.data.duplicate_groups import Groups


def exact_duplicates(images: np.ndarray) -> Groups:
    """Group the images whose pixels are all equal.

    The pixels themselves are the keys, so two different images never share a group.

    Args:
        images: uint8 (n, h, w).
    """
    seen: dict[bytes, int] = {}
    keys = np.fromiter((seen.setdefault(image.tobytes(), len(seen)) for image in images), np.int64, len(images))
    return Groups.of_keys(keys)
