"""Scores made more even or more decided, so that they mean what they say."""

from __future__ import annotations

import numpy as np

# Scores below this count as this: the logarithm of 0 is no number.
LEAST = 1e-12


def with_temperature(probs: np.ndarray, temperature: float) -> np.ndarray:
    """Return scores whose logits were divided by `temperature`: above 1 makes them more even.

    Args:
        probs: float (n, k), rows sum to 1.
        temperature: over 0; 1 changes nothing.

    Returns:
        float32 (n, k), rows sum to 1; the order within a row stays.
    """
    if temperature == 1:
        return probs
    powers = np.log(np.clip(probs, LEAST, None)) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True, initial=-np.inf))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
