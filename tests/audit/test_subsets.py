import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.analysis import outputs_name
from fer_core.audit.corrections_file import change_corrections
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.projection import Projection2D
from fer_core.audit.search import Query
from fer_core.audit.selections_file import change_selections
from fer_core.audit.subsets import stored_subset
from fer_core.cache import cache_folder, store_cached
from fer_core.data.store import open_store, write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import DEFAULT_MODEL, find_model

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def faces(monkeypatch, tmp_path, drawn):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    return write_store(drawn, "drawn")


def change(faces, how):
    change_selections("drawn", faces.hash, len(faces), how)


def rows(name):
    return stored_subset("drawn", name).rows.tolist()


def test_a_fixed_list_stays_and_a_query_follows_its_tags(faces):
    change(faces, lambda selections: selections.tag([5, 7], "glasses", NOW))
    change(faces, lambda selections: selections.save_query("with glasses", Query(tags=("glasses",)), NOW))
    change(faces, lambda selections: selections.save_rows("two", [7, 5], NOW))
    change(faces, lambda selections: selections.tag([1], "glasses", NOW))
    assert rows("with glasses") == [1, 5, 7]
    assert rows("two") == [5, 7]
    assert stored_subset("drawn", "two").data == faces.hash


def test_a_query_is_answered_in_row_order_and_knows_corrections(faces):
    query = Query(labels=("happy",), order="brightness")
    change(faces, lambda selections: selections.save_query("happy", query, NOW))
    np.testing.assert_array_equal(rows("happy"), np.flatnonzero(faces.labels == LABELS.index("happy")))
    change_corrections("drawn", faces.hash, len(faces), lambda corrections: corrections.exclude([3], "", NOW))
    change(faces, lambda selections: selections.save_query("corrected", Query(corrected=True), NOW))
    assert rows("corrected") == [3]


def test_a_query_for_predictions_uses_the_model_it_was_saved_with(faces):
    card = ModelCard.load(find_model(DEFAULT_MODEL) / CARD_FILE)
    probs = np.full((len(faces), 7), 0.05, np.float32)
    probs[np.arange(len(faces)), np.arange(len(faces)) % 7] = 0.7
    outputs = ModelOutputs(probs, np.zeros((len(faces), 2)), Projection2D(np.zeros((len(faces), 2)), (0.5, 0.5)))
    store_cached(cache_folder(faces.hash), outputs_name(card), outputs.to_arrays())
    query = Query(predicted=("sad",))
    for name, kept in (("kept", outputs_name(card)), ("gone", "model-gone")):
        change(
            faces,
            lambda selections: selections.save_query(name, query, NOW, outputs=kept, model="a model"),  # noqa: B023
        )
    np.testing.assert_array_equal(rows("kept"), np.arange(LABELS.index("sad"), len(faces), 7))
    with pytest.raises(DataError, match="a model"):
        rows("gone")


def test_what_is_not_there_is_said(faces):
    with pytest.raises(DataError, match="no subset named 'x'. Expected one of: none yet"):
        stored_subset("drawn", "x")
    with pytest.raises(DataError, match="other is none"):
        stored_subset("other", "x")


def test_subsets_of_other_data_under_the_same_name_are_refused(faces):
    change(faces, lambda selections: selections.save_rows("one", [1], NOW))
    write_store(dataclasses.replace(open_store("drawn"), labels=(faces.labels + 1) % 7), "drawn")
    with pytest.raises(DataError, match="another data set"):
        rows("one")
