"""Images that are nearly the same: one picture found twice, compressed, resized or stamped in another way.

Two images are compared by the normalised cross-correlation of their pixels, which ignores brightness
and contrast. They are reduced to 36 x 36 by averaging areas first: copies of one photograph differ
most in their finest detail, where resizing and compression leave their traces. At 0.97 this finds
360 images of FER-2013's PublicTest and 385 of its PrivateTest in Training. The full 48 x 48 pixels
at the same threshold miss 515 pairs out of 3,603, and find 318 and 347.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import dct

from fer_core.data.duplicate_groups import Pairs
from fer_core.errors import DataError

THRESHOLD = 0.97
_SIDE = 36
# Frequencies kept, in each direction, to rule pairs out: more rule out more but cost more.
_FREQUENCIES = 8
_BLOCK = 1024
# Far above what float32 loses in a product of unit vectors, so that no pair is ruled out wrongly.
_SLACK = 1e-4
# FER-2013 has some 5,000 pairs to compare in full. A set of frames of one film would have millions.
_MOST_PAIRS = 10_000_000


def near_duplicates(
    images: np.ndarray, threshold: float = THRESHOLD, progress: Callable[[float], None] | None = None
) -> Pairs:
    """Find all pairs of images whose normalised cross-correlation is above `threshold`.

    Every pair is judged, none is sampled. Identical images are pairs too, but an image of one single
    gray value correlates with nothing, not even with its own copy: `exact_duplicates` finds those.
    Memory grows with n, not with its square.

    Args:
        images: uint8 (n, h, w).
        threshold: between 0 and 1.
        progress: called with the share done so far, 0 to 1.

    Returns:
        The pairs; their score is the correlation.

    Raises:
        DataError: so many images are alike that their pairs would not fit in memory.
    """
    units = _units(images)  # (n, 36 * 36), of length 1 or 0
    outlines = _outlines(units)
    first, second, score = [], [], []
    n, left = len(units), _MOST_PAIRS
    for start in range(0, n, _BLOCK):
        # The rows of this block against themselves and all later rows.
        bound = outlines[start : start + _BLOCK] @ outlines[start:].T
        alike = bound > threshold - _SLACK
        if (left := left - np.count_nonzero(alike)) < 0:
            raise DataError(
                f"More than {_MOST_PAIRS:,} pairs of images are nearly the same, as if they were frames of "
                "one film. Expected a data set of different photographs: leave copies out first."
            )
        one, other = np.divmod(np.flatnonzero(alike), n - start)
        one, other = one[one < other] + start, other[one < other] + start
        correlation = _correlations(units, one, other)
        keep = correlation > threshold
        first.append(one[keep])
        second.append(other[keep])
        score.append(correlation[keep])
        if progress:
            # What is left is a triangle, so the share done is not linear in the rows.
            progress(1 - max(0.0, 1 - (start + _BLOCK) / n) ** 2)
    if not first:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), n)
    return Pairs(np.concatenate(first), np.concatenate(second), np.concatenate(score), n)


def _units(images: np.ndarray) -> np.ndarray:
    """Return each image reduced, less its mean, and scaled to length 1; 0 if it has one gray value only."""
    units = np.empty((len(images), _SIDE * _SIDE), np.float32)
    down, across = (_averaging(side) for side in images.shape[1:])
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        reduced = (down @ block.astype(np.float64) @ across.T).reshape(len(block), -1)  # (b, 36 * 36)
        reduced -= reduced.mean(axis=1, keepdims=True)
        length = np.linalg.norm(reduced, axis=1)
        length[block.min(axis=(1, 2)) == block.max(axis=(1, 2))] = np.inf
        units[start : start + _BLOCK] = reduced / length[:, None]
    return units


def _averaging(side: int) -> np.ndarray:
    """Return the matrix (36, side) that averages `side` pixels to 36, each by the share of it that is covered."""
    edges = np.linspace(0, side, _SIDE + 1)
    pixels = np.arange(side)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.clip(covered, 0, None) * _SIDE / side


def _outlines(units: np.ndarray) -> np.ndarray:
    """Return short vectors, float32 (n, 65), whose products are never below those of the `units`.

    An image is its low frequencies p and the rest r, at right angles to each other: the product of
    two images is p·p' + r·r', and r·r' is at most |r| |r'|. So p with |r| as one more number gives
    an upper bound, and only pairs whose bound passes the threshold need all their pixels compared.
    """
    basis = dct(np.eye(_SIDE), axis=0, norm="ortho")[:_FREQUENCIES].astype(np.float32)
    low = (basis @ units.reshape(-1, _SIDE, _SIDE) @ basis.T).reshape(-1, _FREQUENCIES**2)
    rest = np.einsum("ij,ij->i", units, units) - np.einsum("ij,ij->i", low, low)
    return np.column_stack([low, np.sqrt(np.maximum(rest, 0))])


def _correlations(units: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the products of rows `one` and rows `other`, float64 (m,), a block at a time."""
    products = np.empty(len(one))
    for start in range(0, len(one), _BLOCK):
        part = slice(start, start + _BLOCK)
        products[part] = np.einsum("ij,ij->i", units[one[part]], units[other[part]], dtype=np.float64)
    return products
