"""Figures into a model's card, and a card's figures against measured ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.emotions import LABELS
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
# Of what stands in figures, what is no share that was measured.
_NO_SHARES = ("confusion", "temperature", "entropy_power", "target")
# What figures of calibration hold for; where it changed, those of other splits say nothing any more.
_CALIBRATED_BY = ("temperature", "entropy_power", "uncertain_below")
_WORST = "it does worst on"


def with_figures(card: ModelCard, figures: Mapping[str, Any]) -> ModelCard:
    """Return the card with what `assess` found, and robustness and whole line where they were measured.

    Of the same data the card keeps what was not measured this time, and its own temperature and threshold where
    none could be fitted. Its limits begin with what it does worst. The rest are those of FER-2013 if it learned from
    that, else its own.
    """
    found = {
        **figures["splits"],
        **{key: figures[key] for key in ("robustness", "end_to_end", "data") if key in figures},
    }
    calibration = dict(figures["calibration"])
    if card.metrics.get("data", {}).get("sha256") == figures["data"]["sha256"]:
        found = {**card.metrics, **found}
        if all(calibration[key] == card.calibration.get(key) for key in _CALIBRATED_BY):
            calibration["by_split"] = {**card.calibration.get("by_split", {}), **calibration["by_split"]}
    own = tuple(limit for limit in card.limits if _WORST not in limit)
    return dataclasses.replace(
        card,
        metrics=found,
        calibration=calibration,
        limits=(*_weaknesses(found, card.label_set), *(_LIMITS if is_fer2013(card.data) else own)),
    )


def difference_to_card(card: ModelCard, figures: Mapping[str, Any]) -> tuple[str, float]:
    """Return the figure that differs most between a card and what was measured, and by how many points.

    Only shares that both name and that were measured are compared: accuracies, F1, calibration errors and the
    like. If there are none, the name is empty. Calibration is against the labels that the model learned: where
    those are votes and the data has none, it is left out.
    """
    calibration = (
        {key: value for key, value in figures["calibration"].items() if key == "by_split" or _fitted(figures)}
        if votes_are_there(figures)
        else {}
    )
    known = _shares({**card.metrics, "calibration": card.calibration})
    new = _shares(
        {
            **figures["splits"],
            "calibration": calibration,
            **{key: figures[key] for key in ("robustness", "end_to_end") if key in figures},
        }
    )
    both = [(abs(known[where] - new[where]) * 100, where) for where in known.keys() & new.keys()]
    points, where = max(both, default=(0.0, ""))
    return where, points


def votes_are_there(figures: Mapping[str, Any]) -> bool:
    """Return whether the data has the labels that the model learned: a model of votes needs votes."""
    return figures["label_set"] != "ferplus" or any("ferplus" in split for split in figures["splits"].values())


def _fitted(figures: Mapping[str, Any]) -> bool:
    return figures["calibration"]["fitted_on"] in figures["splits"]


def _weaknesses(splits: Mapping[str, Any], label_set: str) -> tuple[str, ...]:
    """Say which expressions it recognises least, by the labels that it learned if they are known, and what it takes
    them for."""
    split = main_split(splits)
    if split is None:
        return ()
    voted = splits[split].get("ferplus", {}) if label_set == "ferplus" else {}
    by_votes = "confusion" in voted
    confusion = np.array((voted if by_votes else splits[split])["confusion"], float)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    least = [k for k in np.argsort(np.diag(share)) if confusion[k].sum()][:2]
    words = []
    for k in least:
        other = max((j for j in range(len(LABELS)) if j != k), key=lambda j: share[k, j])
        words.append(f"{LABELS[k]} ({share[k, k]:.0%} recognised; {share[k, other]:.0%} called {LABELS[other]})")
    return (f"On {split}{', by what most of ten people saw,' if by_votes else ''} {_WORST} {' and '.join(words)}.",)


def _shares(content: Any, where: str = "") -> dict[str, float]:
    """Return all numbers from 0 to 1 that are not counts, by their path."""
    if isinstance(content, Mapping):
        items = [(str(key), value) for key, value in content.items() if key not in _NO_SHARES]
    elif isinstance(content, list | tuple):
        items = [(str(number), value) for number, value in enumerate(content)]
    else:
        return {where: content} if isinstance(content, float) and 0 <= content <= 1 else {}
    found: dict[str, float] = {}
    for key, value in items:
        found |= _shares(value, f"{where} {key}".strip())
    return found
