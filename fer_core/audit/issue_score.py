"""One score a face for how much speaks against its label, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class IssueScore:
    """What speaks against each of n faces.

    Attributes:
        strength: float32 (n, k), how strongly each reason speaks against each face, 0 to 1.
        names: the k reasons.
    """

    strength: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, strengths: Mapping[str, np.ndarray]) -> IssueScore:
        """Collect reasons, each a float array (n,) from 0 to 1."""
        return cls(np.column_stack(list(strengths.values())).astype(np.float32), tuple(strengths))

    @cached_property
    def score(self) -> np.ndarray:
        """float32 (n,), 0 (nothing) to 1 (certainly wrong).

        Each reason leaves the share 1 - strength of the trust that the others left, so more reasons
        always weigh more and no face passes 1.
        """
        return 1 - np.prod(1 - self.strength, axis=1)

    @cached_property
    def order(self) -> np.ndarray:
        """int64 (n,), all rows, the most suspicious first and equals in row order."""
        return np.argsort(-self.score, kind="stable")

    def reasons(self, row: int) -> tuple[str, ...]:
        """Return the reasons that speak against the face in `row`, the strongest first."""
        strengths = self.strength[row]
        return tuple(self.names[k] for k in np.argsort(-strengths, kind="stable") if strengths[k] > 0)
