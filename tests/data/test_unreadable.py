"""Broken images are counted and named with the reason, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.face_set import FaceSet
from fer_core.data.sources import read_source
from fer_core.data.unreadable import count_reasons, describe_unreadable, require_all_readable
from fer_core.errors import DataError
from tests.data.forms import encoded


@pytest.fixture
def one_of_ten(faces: FaceSet, tmp_path: Path) -> FaceSet:
    """A tree of ten images of which one can be read."""
    folder = tmp_path / "train" / "happy"
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / f"im{number}.png").write_bytes(encoded(faces.images[number])[:-60] if number else b"")
    (folder / "im9.png").write_bytes(encoded(faces.images[9]))
    return read_source(tmp_path)


def test_how_many_and_why_is_said(one_of_ten: FaceSet) -> None:
    lines = describe_unreadable(one_of_ten).splitlines()
    assert lines[0] == "9 of 10 images could not be read and were left out: damaged (8), empty file (1)."
    assert lines[1] == "  train/happy/im0.png: empty file" and len(lines) == 10


def test_broken_images_are_refused_on_demand(one_of_ten: FaceSet) -> None:
    with pytest.raises(DataError, match="9 of 10 images could not be read"):
        require_all_readable(one_of_ten)


def test_of_whole_images_nothing_is_said(faces: FaceSet) -> None:
    assert describe_unreadable(faces) == ""
    require_all_readable(faces)


def test_names_that_were_stored_without_a_reason_count_as_damaged() -> None:
    assert count_reasons(["a.png", "b.png", "c: d.png: empty file"]) == "damaged (2), empty file (1)"
