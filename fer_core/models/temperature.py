"""Scores made more even or more decided, so that they mean what they say.

One temperature for all (Guo et al., On Calibration of Modern Neural Networks, 2017) makes all scores more even or all
more decided. A network that is taught and smoothed needs both: its middling scores are too high, its highest too low.
So the temperature may depend on how even the scores of a face are, by one number more (Balanya et al., Adaptive
Temperature Scaling for Robust Calibration of Deep Neural Networks, 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Scores below this count as this: the logarithm of 0 is no number.
LEAST = 1e-12
# An entropy below this counts as this: no score but the best is then worth mentioning.
LEAST_ENTROPY = 1e-6


@dataclass(frozen=True)
class Temperature:
    """What the logits of a face are divided by; as it is by default, it changes nothing.

    Attributes:
        scale: over 0; where all scores are equal it is the temperature. Above 1 makes scores more even.
        entropy_power: the temperature is `scale` × entropy ** `entropy_power`, with the entropy of the scores as a
            share of the largest there can be. 0: one temperature for all.
    """

    scale: float = 1.0
    entropy_power: float = 0.0

    def apply(self, probs: np.ndarray) -> np.ndarray:
        """Return scores with their logits divided by the temperature.

        Args:
            probs: float (n, k), rows sum to 1, k at least 2.

        Returns:
            float32 (n, k), rows sum to 1; the order within a row stays.
        """
        if self == Temperature():
            return probs
        logits = np.log(np.clip(probs, LEAST, None).astype(np.float64))
        powers = logits / (self.scale * entropy(probs) ** self.entropy_power)[:, None]
        powers = np.exp(powers - powers.max(axis=1, keepdims=True, initial=-np.inf))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    def __str__(self) -> str:
        """Say it in a few words.

        >>> str(Temperature(0.86)), str(Temperature(1.19, 0.37))
        ('0.86', '1.19 × entropy^0.37')
        """
        return f"{self.scale:.2f}" + (f" × entropy^{self.entropy_power:.2f}" if self.entropy_power else "")


def entropy(probs: np.ndarray) -> np.ndarray:
    """Return how even scores (n, k) are, float64 (n,): from about 0, all on one, to 1, all equal."""
    some = np.clip(probs, LEAST, None).astype(np.float64)
    return np.clip(-(some * np.log(some)).sum(axis=1) / np.log(probs.shape[1]), LEAST_ENTROPY, 1)
