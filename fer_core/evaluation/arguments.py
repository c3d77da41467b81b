"""The options of `python -m fer_core evaluate`, apart from what it imports."""

from __future__ import annotations

import argparse
from pathlib import Path

# The figures of a card and those measured again may differ by this much, in percentage points.
TOLERANCE_POINTS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--model", nargs="+", default=None, help="names or folders of models (default: the one in use)")
    parser.add_argument("--data", required=True, help="name of a data set, or path of fer2013.csv in any form")
    parser.add_argument("--split", nargs="+", default=None, help="splits to measure on (default: all but Training)")
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="also measure with darker, blurred, shifted … faces; 34 more passes over one split",
    )
    parser.add_argument(
        "--end-to-end",
        action="store_true",
        help="also paste each face into a scene, find it there and classify it; about 0.1 s a face",
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help=f"compare with the model's card; exit code 1 if a figure is off by more than {TOLERANCE_POINTS} points",
    )
    parser.add_argument("--write-card", action="store_true", help="write the figures into the model's card")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="keep writing to FILE how far this is, as JSON")
