import logging

import numpy as np
import pytest

from fer_core.cache import (
    cache_folder,
    clear_cache,
    find_cached,
    get_or_compute,
    save_cached,
)


@pytest.fixture
def folder(tmp_path):
    return cache_folder("abc", tmp_path / "datasets")


def test_what_was_kept_is_found_again(folder):
    save_cached(folder, "light", {"mean": np.arange(3)})
    assert find_cached(folder, "light")["mean"].tolist() == [0, 1, 2]
    assert find_cached(folder, "near") is None


def test_a_result_is_computed_once(folder):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.ones(2)}

    for _ in range(2):
        assert get_or_compute(folder, "x", compute)["x"].tolist() == [1, 1]
    assert len(calls) == 1


def test_a_damaged_result_is_computed_again(folder, caplog):
    save_cached(folder, "x", {"x": np.ones(2)})
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:40])
    with caplog.at_level(logging.WARNING):
        assert get_or_compute(folder, "x", lambda: {"x": np.zeros(2)})["x"].tolist() == [0, 0]
    assert "computed again" in caplog.text


def test_a_disk_that_cannot_take_it_is_no_failure(tmp_path, caplog):
    (tmp_path / "audit").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        save_cached(cache_folder("abc", tmp_path / "datasets"), "x", {"x": np.ones(2)})
    assert "could not be kept" in caplog.text


def test_forgetting_leaves_other_data_sets_alone(tmp_path):
    root = tmp_path / "datasets"
    for data in ("abc", "def"):
        save_cached(cache_folder(data, root), "x", {"x": np.ones(2)})
    clear_cache("abc", root)
    assert find_cached(cache_folder("abc", root), "x") is None
    assert find_cached(cache_folder("def", root), "x") is not None
