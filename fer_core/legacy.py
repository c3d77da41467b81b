"""Names that files on disk carried before they were renamed: cards, runs, data sets and sessions stay readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

# Old key to new one, at any depth of a card, a run's configuration or a data set's meta.json.
RENAMED_KEYS: Mapping[str, str] = {
    "drawn": "synthetic",
    "marks": "corrections",
    "start_size": "initial_size",
    "growth": "progressive_resizing",
    "began_with": "initial_weights",
    "whole_line": "end_to_end",
    "points_lost": "accuracy_drop",
    "ferplus": "majority",
    "answered": "coverage",
    "accuracy_answered": "accuracy_covered",
}


def with_current_keys(content: Any) -> Any:
    """Return JSON content with the old names of keys replaced by those of today; a key that has both keeps the new.

    >>> with_current_keys({"data": {"drawn": True}, "epochs": [{"growth": 0.8}]})
    {'data': {'synthetic': True}, 'epochs': [{'progressive_resizing': 0.8}]}
    """
    if isinstance(content, Mapping):
        mapping = cast(Mapping[str, Any], content)
        values = {key: with_current_keys(value) for key, value in mapping.items()}  # once: depth must not double it
        renamed = {RENAMED_KEYS.get(key, key): value for key, value in values.items()}
        return {**renamed, **{key: value for key, value in values.items() if key in renamed}}
    if isinstance(content, list):
        return [with_current_keys(value) for value in cast(list[Any], content)]
    return content
