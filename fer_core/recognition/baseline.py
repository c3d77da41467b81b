"""A person's neutral face as the zero of that person's scores.

Some people's neutral face scores as sad or angry, whoever looks. `Baseline` is the median of such a face's scores as
logits, and `correct` subtracts it and adds the logits of the neutral face that was to be expected.

It assumes that the person looked neutral in the frames it was made of, that a clearly neutral face should score as one,
and that the person's face shifts the logits by the same amount whatever it shows. None of this can be checked from the
scores; raw scores therefore stay beside corrected ones, with the seconds that were used. Subtracting a person's median
is what Baltrušaitis, Mahmoud and Robinson do to the features of action units ("Cross-dataset learning and
person-specific normalisation for automatic Action Unit detection", FERA 2015; OpenFace 2 does so).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.errors import SettingsError

NEUTRAL = "neutral"
# Expected of a neutral face: the share of votes from which people's answer counts as clear (`clear_expression`).
EXPECTED_NEUTRAL = 0.8

_SMALLEST = 1e-6  # smaller scores count as this one, or a score of 0 would have no logit


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The typical scores of one person's neutral face.

    Attributes:
        labels: names of the k scores, "neutral" among them.
        logits: float32 (k,), median over the frames of the log scores minus their mean.
        frames: how many frames it was made of.
        first_s: time of the first of them, in seconds of the stream.
        last_s: time of the last.
        origin: the session in whose time these are, if it is not the present one; empty if it is.
    """

    labels: tuple[str, ...]
    logits: np.ndarray
    frames: int
    first_s: float
    last_s: float
    origin: str = ""

    def __post_init__(self) -> None:
        if NEUTRAL not in self.labels:
            raise SettingsError(f"A baseline needs scores for {NEUTRAL}; the scores are for {', '.join(self.labels)}.")
        if self.logits.shape != (len(self.labels),):
            raise ValueError(f"logits must have shape ({len(self.labels)},), got {self.logits.shape}")

    @classmethod
    def of_frames(cls, probs: np.ndarray, labels: Sequence[str], times_s: Sequence[float] | np.ndarray) -> Baseline:
        """Return the baseline of frames in which one person looks neutral.

        Args:
            probs: float (n, k), the face's scores in n frames, at least one.
            labels: the k names.
            times_s: when each frame was, rising, in seconds of the stream.

        Raises:
            SettingsError: there is no frame, or no score for neutral.
        """
        if not len(probs):
            raise SettingsError("A baseline needs at least one frame with the face; got none.")
        median = np.median(logits_of(probs), axis=0).astype(np.float32)
        return cls(tuple(labels), median, len(probs), float(times_s[0]), float(times_s[-1]))

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self.last_s - self.first_s

    @property
    def probs(self) -> np.ndarray:
        """Float32 (k,): the baseline as scores."""
        return _softmax(self.logits)

    @property
    def expected(self) -> np.ndarray:
        """Float32 (k,): what these scores should have been, `expected_neutral` of them."""
        return expected_neutral(self.probs, self.labels.index(NEUTRAL))

    def correct(self, probs: np.ndarray) -> np.ndarray:
        """Return scores of the same person relative to the baseline.

        Args:
            probs: float (n, k), the raw scores, in the order of `labels`.

        Returns:
            float32 (n, k), rows sum to 1. The baseline's own scores become `expected`.
        """
        return _softmax(logits_of(probs) - self.logits + logits_of(self.expected))

    def to_json(self, began_s: float = 0.0) -> dict[str, Any]:
        """Return everything needed to correct scores again, as plain JSON values.

        Args:
            began_s: what times count from; those of another session stay as they are.
        """
        began_s = 0.0 if self.origin else began_s
        return {
            **({"from_session": self.origin} if self.origin else {}),
            "first_s": round(self.first_s - began_s, 3),
            "last_s": round(self.last_s - began_s, 3),
            "frames": self.frames,
            "logits": {label: round(float(value), 5) for label, value in zip(self.labels, self.logits, strict=True)},
            "expected": {label: round(float(p), 5) for label, p in zip(self.labels, self.expected, strict=True)},
        }


def logits_of(probs: np.ndarray) -> np.ndarray:
    """Return scores as logits that sum to 0: their logarithms minus the mean of these.

    >>> logits_of(np.array([0.5, 0.5]))
    array([0., 0.])
    """
    logs = np.log(np.maximum(probs, _SMALLEST))
    return logs - logs.mean(axis=-1, keepdims=True)


def expected_neutral(probs: np.ndarray, neutral: int) -> np.ndarray:
    """Return the clearly neutral scores that are nearest to those of a person's neutral face.

    Neutral gets at least `EXPECTED_NEUTRAL` and each other expression at most an even share of the rest. What is lower
    already stays, so a face that scores as neutral is not corrected, and no other expression ever gains on neutral. An
    even share for all would be simpler still, but raises a hundredfold what a model hardly ever gives to neutral faces,
    such as disgusted; `tests/benchmarks/bench_baseline.py` measures both.

    Args:
        probs: float (k,), the person's typical scores.
        neutral: column of neutral.

    Returns:
        float32 (k,), sums to 1.
    """
    share = (1 - EXPECTED_NEUTRAL) / max(len(probs) - 1, 1)
    expected = np.minimum(probs, share)
    expected[neutral] = 0.0
    expected[neutral] = 1.0 - expected.sum()
    return expected.astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
