"""The faces of a saved subset, as training, evaluation and the pages use it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.audit.analysis import all_findings, find_model_outputs, find_near_duplicates, outputs_name
from fer_core.audit.corrections_file import read_corrections
from fer_core.audit.findings import Findings
from fer_core.audit.first_look import first_look
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.search import find_faces
from fer_core.audit.selections import Selections, Subset
from fer_core.audit.selections_file import read_selections
from fer_core.data.face_set import FaceSet
from fer_core.data.store import list_stores, open_store
from fer_core.errors import DataError, ModelError
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import available_models, find_model


@dataclass(frozen=True, eq=False)
class SubsetRows:
    """The faces of a subset at one time.

    Attributes:
        name: of the subset.
        data: hash of the data set.
        rows: int64 (m,), ascending.
    """

    name: str
    data: str
    rows: np.ndarray


def stored_subset(data: str, name: str) -> SubsetRows:
    """Return the faces of a subset as they are now.

    Args:
        data: name of a data set that is stored here.
        name: of the subset.

    Raises:
        DataError: there is no such data set or subset, or its query cannot be answered.
    """
    if data not in [store.name for store in list_stores()]:
        raise DataError(
            f"Subsets belong to data sets that were read in; {data} is none. Add it on the Data set page, or leave the "
            "subset out."
        )
    faces = open_store(data)
    selections = read_selections(data, faces.hash, len(faces))
    if name not in selections.subsets:
        known = ", ".join(selections.subsets) or "none yet"
        raise DataError(f"{data} has no subset named {name!r}. Expected one of: {known}.")
    return SubsetRows(name, faces.hash, rows_of_subset(data, faces, selections, selections.subsets[name]))


def rows_of_subset(data: str, faces: FaceSet, selections: Selections, subset: Subset) -> np.ndarray:
    """Return the rows of a subset, int64 (m,) and ascending.

    A query sees what is known now: tags, corrections, near copies if they were looked for, and the outputs of the
    model that it was saved with.

    Args:
        data: name of the data set.
        faces: its faces.
        selections: its tags and subsets.
        subset: one of these.

    Raises:
        DataError: the query needs outputs of a model that are not kept any more, or the corrections cannot be read.
    """
    if subset.query is None:
        return np.array(subset.rows, np.int64)
    outputs = find_model_outputs(faces.hash, subset.outputs) if subset.outputs else None
    if subset.query.needs_scores and outputs is None:
        raise DataError(
            f"The subset {subset.name} is chosen by what {subset.model} predicts, but that is not kept here any more. "
            f"Choose {subset.model} and ask it again on the Data set page."
        )
    rows = find_faces(
        _findings(faces, subset, outputs),
        subset.query,
        tags=selections.tags,
        corrected=read_corrections(data, faces.hash, len(faces)).current,
        probs=None if outputs is None else outputs.probs,
    )
    return np.sort(rows)


def _findings(faces: FaceSet, subset: Subset, outputs: ModelOutputs | None) -> Findings:
    near = find_near_duplicates(faces.hash, len(faces))
    card = None if outputs is None else _card_with(subset.outputs)
    return all_findings(first_look(faces).findings, near, faces, card, outputs)


def _card_with(outputs: str) -> ModelCard | None:
    """Return the card of the model whose outputs are kept under a name; None if that model is gone."""
    for name in available_models():
        try:
            card = ModelCard.load(find_model(name) / CARD_FILE)
            if outputs in [outputs_name(card, label_set) for label_set in card.label_sets]:
                return card
        except (ModelError, KeyError):
            continue  # a damaged model is none that could be asked
    return None
