"""Figures into a model's card, and a card's figures against measured ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.evaluation.results import CalibrationResult, EvaluationResult, SplitResult
from fer_core.evaluation.serialization import (
    calibration_to_json,
    calibrations_to_json,
    card_calibration,
    evaluation_to_json,
    split_from_json,
)
from fer_core.evaluation.truth import Truth, truth_of
from fer_core.models.card import ModelCard, is_fer2013, main_split

# What no figure here can show of a model that learned from FER-2013.
_LIMITS = (
    "It learned from FER-2013: small gray pictures found by web search, mostly posed or acted, many of actors and "
    "public figures, with labels that people agree with about 65 % of the time. How well it does for other people, "
    "ages, skin tones, glasses, masks or cultures has not been measured.",
    "It sees one face at a time, 48 pixels wide: no context, no movement, no voice. Faces turned far to the side, in "
    "the dark or partly covered are outside what it learned from.",
    "It names an expression, not what a person feels.",
)
# Numbers among the figures that are no measured shares.
_NO_SHARES = ("confusion", "temperature", "entropy_power", "target")
# What is measured apart from the splits and stands beside them in a card.
_BESIDE_SPLITS = ("robustness", "end_to_end", "data")
_WORST = "it does worst on"


def with_figures(card: ModelCard, result: EvaluationResult) -> ModelCard:
    """Return the card with the measured figures.

    If it was measured on the same data before, the card keeps what was not measured this time. Its limits begin with
    what it does worst. The rest are those of FER-2013 if it learned from that, else its own.
    """
    content = evaluation_to_json(result)
    metrics = {**content["splits"], **{name: content[name] for name in _BESIDE_SPLITS if name in content}}
    same_data = card.metrics.get("data", {}).get("sha256") == result.data.sha256
    if same_data:
        metrics = {**card.metrics, **metrics}
        result = dataclasses.replace(
            result, calibrations={name: _with_other_splits(card, result, name) for name in result.label_sets}
        )
    own = tuple(limit for limit in card.limits if _WORST not in limit)
    return dataclasses.replace(
        card,
        metrics=metrics,
        calibration=calibrations_to_json(result),
        limits=(*_weaknesses(metrics, card.label_sets[0]), *(_LIMITS if is_fer2013(card.data) else own)),
    )


def difference_to_card(card: ModelCard, result: EvaluationResult) -> tuple[str, float]:
    """Return the figure that differs most between a card and what was measured, and by how many points.

    Only shares that both name and that were measured are compared: accuracies, F1, calibration errors and the
    like. If there are none, the name is empty. Where a model is calibrated against votes and the data has none,
    its calibration is left out.
    """
    content = evaluation_to_json(result)
    known = _shares({**card.metrics, "calibration": _calibration_figures(card, result, measured=False)})
    new = _shares(
        {
            **content["splits"],
            "calibration": _calibration_figures(card, result, measured=True),
            **{name: content[name] for name in ("robustness", "end_to_end") if name in content},
        }
    )
    differences = [(abs(known[path] - new[path]) * 100, path) for path in known.keys() & new.keys()]
    points, path = max(differences, default=(0.0, ""))
    return path, points


def has_truth(result: EvaluationResult, label_set: str | None = None) -> bool:
    """Return whether the data has what a label set is held against: one of votes needs votes."""
    return truth_of(label_set or result.label_sets[0]) is Truth.LABELS or any(
        split.majority is not None for split in result.splits.values()
    )


def _with_other_splits(card: ModelCard, result: EvaluationResult, label_set: str) -> CalibrationResult:
    """Return a calibration with the card's figures of other splits, unless it was fitted to something else."""
    known, new = card_calibration(card, label_set), result.calibrations[label_set]
    same = (known.temperature, known.uncertain_below) == (new.temperature, new.uncertain_below)
    return dataclasses.replace(new, by_split={**known.by_split, **new.by_split}) if same else new


def _calibration_figures(card: ModelCard, result: EvaluationResult, measured: bool) -> dict[str, Any]:
    """Return the calibrations to compare, by label set: as measured or as the card has them."""
    return {
        name: _comparable(calibration_to_json(new if measured else card_calibration(card, name)), new.fitted_on, result)
        for name, new in result.calibrations.items()
        if has_truth(result, name)
    }


def _comparable(content: dict[str, Any], fitted_on: str | None, result: EvaluationResult) -> dict[str, Any]:
    # A threshold that was not fitted now is the card's own.
    return content if fitted_on in result.splits else {"by_split": content["by_split"]}


def _weaknesses(metrics: Mapping[str, Any], label_set: str) -> tuple[str, ...]:
    """Say which classes the model recognises least, and what it takes them for."""
    split = main_split(metrics)
    if split is None:
        return ()
    result = split_from_json(metrics[split])
    by_votes = truth_of(label_set) is Truth.MAJORITY and result.majority is not None
    described = " and ".join(_confused(result, Truth.MAJORITY if by_votes else Truth.LABELS))
    return (f"On {split}{', by what most of ten people saw,' if by_votes else ''} {_WORST} {described}.",)


def _confused(result: SplitResult, truth: Truth) -> list[str]:
    """Describe the two classes of the lowest recall."""
    metrics = result.against(truth).one_view
    counts, names = np.array(metrics.confusion, float), metrics.class_names
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    descriptions = []
    for k in [k for k in np.argsort(np.diag(share)) if counts[k].sum()][:2]:
        other = max((j for j in range(len(names)) if j != k), key=lambda j: share[k, j])
        descriptions.append(f"{names[k]} ({share[k, k]:.0%} recognised; {share[k, other]:.0%} called {names[other]})")
    return descriptions


def _shares(content: Any, path: str = "") -> dict[str, float]:
    """Return all numbers from 0 to 1 that are not counts, by their path."""
    if isinstance(content, Mapping):
        items = [(str(key), value) for key, value in content.items() if key not in _NO_SHARES]
    elif isinstance(content, list | tuple):
        items = [(str(number), value) for number, value in enumerate(content)]
    else:
        return {path: content} if isinstance(content, float) and 0 <= content <= 1 else {}
    shares: dict[str, float] = {}
    for key, value in items:
        shares |= _shares(value, f"{path} {key}".strip())
    return shares
