"""What an evaluation found, as values: a model on the splits of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fer_core.evaluation.end_to_end import EndToEndResult
from fer_core.evaluation.metrics import Metrics, PeopleMetrics
from fer_core.evaluation.truth import Truth
from fer_core.models.temperature import Temperature


@dataclass(frozen=True)
class ViewMetrics:
    """Figures of one view of each face and, where it was measured, of the mean with its mirror image."""

    one_view: Metrics
    with_flip: Metrics | None = None


@dataclass(frozen=True)
class SplitResult:
    """What was found on one split, or on both tests together.

    Attributes:
        protocol: how faces were scored, in words.
        labels: against the data set's own labels.
        without_copies: the same without the images of which Training has an exact copy; None if none is left.
        majority: against what most people saw, on the faces where that is one of the seven; None without votes.
        people: whether it agrees with people where they agree; None without votes.
        label_sets: the results of the model's other label sets, by their name.
    """

    protocol: str
    labels: ViewMetrics
    without_copies: ViewMetrics | None = None
    majority: ViewMetrics | None = None
    people: PeopleMetrics | None = None
    label_sets: Mapping[str, SplitResult] = field(default_factory=dict)

    def against(self, truth: Truth) -> ViewMetrics:
        """Return the figures against a truth; those against the labels where there are no votes."""
        return self.majority if truth is Truth.MAJORITY and self.majority is not None else self.labels


@dataclass(frozen=True)
class SplitCalibration:
    """How well scores are calibrated on one split. Shares run from 0 to 1.

    Attributes:
        images: faces measured.
        ece_before: expected calibration error as trained.
        ece_after: after the temperature.
        coverage: share of faces that are not called uncertain.
        accuracy_covered: how often these are right; None if all are uncertain.
    """

    images: int
    ece_before: float
    ece_after: float
    coverage: float
    accuracy_covered: float | None


@dataclass(frozen=True)
class CalibrationResult:
    """A temperature and a threshold, and what they achieve.

    Attributes:
        temperature: what logits are divided by.
        fitted_on: the split that both were fitted on; None if they were not fitted.
        against: what counted as right; None where an old card does not say.
        uncertain_below: the best score below which a face is called uncertain, 0 to 1; None if there is none.
        target: how often faces above the threshold were to be right, 0 to 1.
        by_split: the figures of each split.
    """

    temperature: Temperature
    fitted_on: str | None
    against: Truth | None
    uncertain_below: float | None
    target: float
    by_split: Mapping[str, SplitCalibration] = field(default_factory=dict)


class RobustnessLevel(NamedTuple):
    """Accuracy, 0 to 1, at one level of a corruption, in its unit."""

    level: float
    accuracy: float


# By name of the corruption, its levels in order.
RobustnessResult = Mapping[str, tuple[RobustnessLevel, ...]]


@dataclass(frozen=True)
class DataDescription:
    """The data set that was measured on.

    Attributes:
        name: of its source.
        synthetic: whether its faces are drawn.
        sha256: of its content.
        images: their number by split.
        subset: name of the saved subset that the figures are about; empty for the whole data set.
    """

    name: str
    synthetic: bool
    sha256: str
    images: Mapping[str, int]
    subset: str = ""


@dataclass(frozen=True)
class EvaluationResult:
    """All figures of a model on a data set.

    Attributes:
        model: its name.
        sha256: of its file; None if its card names none.
        label_sets: what it answers for, the default first.
        data: what it was measured on.
        splits: results by split, and PublicTest and PrivateTest as one if both were scored.
        trained_on: the measured splits of which the model saw faces in training, or may have.
        calibrations: by label set.
        robustness: by split, where it was measured.
        end_to_end: by split, where it was measured.
    """

    model: str
    sha256: str | None
    label_sets: tuple[str, ...]
    data: DataDescription
    splits: Mapping[str, SplitResult]
    trained_on: tuple[str, ...]
    calibrations: Mapping[str, CalibrationResult]
    robustness: Mapping[str, RobustnessResult] = field(default_factory=dict)
    end_to_end: Mapping[str, EndToEndResult] = field(default_factory=dict)

    @property
    def calibration(self) -> CalibrationResult:
        """That of the default label set."""
        return self.calibrations[self.label_sets[0]]

    def split(self, name: str, label_set: str | None = None) -> SplitResult:
        """Return the result of a split for a label set; None stands for the default."""
        result = self.splits[name]
        return result if label_set in (None, self.label_sets[0]) else result.label_sets[label_set]
