"""The Kaggle download: what kagglehub gives, and words for all it cannot give."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fer_core.data.download import DEFAULT_DATASET, download_kaggle
from fer_core.errors import DataError


class CredentialError(Exception):
    """Stands for kagglehub's own."""


def with_kagglehub(monkeypatch: pytest.MonkeyPatch, download) -> None:
    package, exceptions = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
    package.dataset_download, exceptions.CredentialError = download, CredentialError
    monkeypatch.setitem(sys.modules, "kagglehub", package)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)


def test_the_folder_is_kagglehubs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_kagglehub(monkeypatch, lambda name: str(tmp_path / name))
    assert download_kaggle() == tmp_path / DEFAULT_DATASET


def _raising(error: Exception):
    def download(_: str) -> str:
        raise error

    return download


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionError("no route to api.kaggle.com\nmore"), "no route to api.kaggle.com. Check the network"),
        (CredentialError("who are you"), "who are you"),
        (ValueError("Invalid Kaggle credentials file"), "Invalid Kaggle credentials file"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_every_failure_says_how_to_go_without(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_kagglehub(monkeypatch, _raising(error))
    with pytest.raises(DataError, match=words) as raised:
        download_kaggle()
    assert str(raised.value).count("\n") == 2 and f"/datasets/{DEFAULT_DATASET}" in str(raised.value)


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with_kagglehub(monkeypatch, _raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        download_kaggle()


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DataError, match="pip install kagglehub"):
        download_kaggle()


@pytest.mark.parametrize("dataset", ["", "fer2013", "../x/y", "https://www.kaggle.com/a/b"])
def test_other_names_are_refused(dataset: str) -> None:
    with pytest.raises(DataError, match="owner/name"):
        download_kaggle(dataset)
