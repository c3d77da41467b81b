"""Colours of series that are no emotions: models, runs, curves."""

from __future__ import annotations

# Told apart by colour-blind people, at least 3 : 1 against both themes' backgrounds; the last is the quiet one.
SERIES_COLORS = ("#4F7CAC", "#A8652F", "#7A8B3A", "#8A5A9E", "#3F8F8A", "#858D98")
