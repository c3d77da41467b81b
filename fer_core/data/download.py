"""Fetch FER-2013 from Kaggle with the `kagglehub` package, where that is installed."""

from __future__ import annotations

import errno
import importlib
import re
from pathlib import Path

from fer_core.errors import DataError

DEFAULT_DATASET = "msambare/fer2013"
_HANDLE = re.compile(r"[\w-]+/[\w-]+")


def download_kaggle(dataset: str = DEFAULT_DATASET) -> Path:
    """Download a Kaggle data set, or find it where it was downloaded before, and return its folder.

    Credentials, if Kaggle asks for any, come from kagglehub's own configuration.

    Args:
        dataset: "owner/name".

    Raises:
        DataError: kagglehub is not installed, Kaggle cannot be reached, refuses, or the disk is full.
            The message says how to go without.
    """
    if not _HANDLE.fullmatch(dataset):
        raise DataError(f"Expected a Kaggle data set as owner/name, such as {DEFAULT_DATASET}; got {dataset[:80]!r}.")
    try:
        kagglehub = importlib.import_module("kagglehub")
        exceptions = vars(importlib.import_module("kagglehub.exceptions")).values()
    except ImportError as error:
        raise DataError(
            "The package kagglehub is not installed. Install it (pip install kagglehub) and try again, "
            f"or go without:\n{_by_hand(dataset)}"
        ) from error
    refusals = tuple(kind for kind in exceptions if isinstance(kind, type) and issubclass(kind, Exception))
    try:
        return Path(kagglehub.dataset_download(dataset))
    except (OSError, ValueError, *refusals) as error:  # what requests raises is an OSError
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        reason = "the disk is full" if full else first_line[:300]
        raise DataError(
            f"{dataset} could not be downloaded from Kaggle: {reason}. Check the network and Kaggle's "
            f"credentials (~/.kaggle), or go without:\n{_by_hand(dataset)}"
        ) from error


def _by_hand(dataset: str) -> str:
    return (
        f"1. Open https://www.kaggle.com/datasets/{dataset} in a browser, sign in and download the archive.\n"
        "2. Read in the archive as it is: it need not be unpacked."
    )
