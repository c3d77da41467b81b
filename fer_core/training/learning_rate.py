"""Find a learning rate before training: a short sweep over rising rates (Smith 2017, arXiv:1506.01186, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_core.background.task import JobContext, Task
from fer_core.training.config import RunConfig

SWEEP_STEPS = 100
LOWEST_RATE, HIGHEST_RATE = 1e-6, 1.0
# Steps in the moving average of the loss: a batch alone is noisy. It is centred, so that it moves no minimum.
_WINDOW = 9
# At the rate of the lowest loss training is about to diverge; a tenth of it is the usual choice.
_BELOW_LOWEST = 10.0
# Share by which the loss must fall before its lowest point says anything.
_LEAST_FALL = 0.02


@dataclass(frozen=True)
class RateSweep:
    """The loss of batches in turn, while the learning rate rises by a constant factor a step.

    Attributes:
        rates: learning rate of each step, ascending.
        losses: of each step's batch, before the weights changed.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> np.ndarray:
        """The losses as a centred moving average, float (n,)."""
        return smoothed_losses(self.losses)

    @property
    def suggested(self) -> float | None:
        """A tenth of the rate at which the smoothed loss is lowest, to two digits; None if it hardly falls."""
        losses = self.smoothed
        if not len(losses):
            return None
        lowest = int(losses.argmin())
        if losses[lowest] > (1 - _LEAST_FALL) * losses[0]:
            return None
        return float(f"{self.rates[lowest] / _BELOW_LOWEST:.1e}")

    def to_json(self) -> dict[str, Any]:
        """Return the sweep and what it suggests as plain JSON values."""
        return {"rates": list(self.rates), "losses": list(self.losses), "suggested": self.suggested}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RateSweep:
        """Return the sweep that `to_json` wrote."""
        return cls(tuple(content["rates"]), tuple(content["losses"]))


def smoothed_losses(losses: tuple[float, ...] | list[float]) -> np.ndarray:
    """Return losses as a centred moving average, float (n,); at either end, of the steps that there are."""
    return pd.Series(losses, dtype=float).rolling(_WINDOW, center=True, min_periods=1).mean().to_numpy()


@dataclass(frozen=True)
class FindLearningRate(Task):
    """Sweep over learning rates for a configuration; it leaves no run behind.

    Attributes:
        config: as `RunConfig.to_dict` returns it.
    """

    kind = "find-learning-rate"
    config: Mapping[str, Any]

    @property
    def title(self) -> str:
        return "Trying learning rates"

    def run(self, job: JobContext) -> dict[str, Any]:
        """Return what `RateSweep.to_json` returns."""
        from fer_core.training.command import open_run_faces
        from fer_core.training.loop.rate_sweep import sweep_learning_rates

        config = RunConfig.from_dict(dict(self.config))
        job.progress(0, SWEEP_STEPS, "starting")
        faces = open_run_faces(config)
        return sweep_learning_rates(faces, config, steps=job.progress).to_json()


def sweep_text(sweep: RateSweep, rows: int = 13) -> str:
    """Return a sweep as text: what it suggests, and the smoothed loss at some of the rates."""
    if sweep.suggested is None:
        headline = (
            "No rate can be suggested: the loss hardly falls at any of them. Start from other weights, or check the "
            "labels."
        )
    else:
        headline = (
            f"Suggested learning rate: {sweep.suggested:g}, a tenth of the rate at which the loss is lowest. Use it "
            f"with --learning-rate {sweep.suggested:g}."
        )
    steps = np.unique(np.linspace(0, len(sweep.rates) - 1, rows).round().astype(int))
    table = [f"{sweep.rates[step]:>9.1e}  {sweep.smoothed[step]:.3f}" for step in steps]
    return "\n".join([headline, "", "     rate  loss", *table])
