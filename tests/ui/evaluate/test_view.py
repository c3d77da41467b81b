import dataclasses
from types import SimpleNamespace

import numpy as np

from fer_core.data.store import StoreInfo
from fer_core.evaluation.scoring import Scores
from fer_core.models.bundle import DEFAULT_MODEL, load_bundle
from fer_core.models.model_store import folder_of
from fer_core.ui.evaluate.view import _result_of
from tests.drawn_faces import demo_set


def test_replaced_votes_replace_the_figures():
    votes = np.zeros((140, 10), np.uint8)
    votes[:, 0] = 10  # all see neutral
    faces = dataclasses.replace(demo_set(140, seed=1), votes=votes)
    probs = np.full((len(faces.rows_of("PublicTest")), 7), 0.1, np.float32)
    probs[:, 3] = 0.4  # happy
    others = {name: Scores(probs, probs, 1.0) for name in ("fer", "votes")}
    scores = {"PublicTest": Scores(probs, probs, 1.0, others)}
    accuracies = []
    for created, column in (("2026-01-01T10:00:00+00:00", 0), ("2026-01-01T10:05:00+00:00", 1)):
        votes = np.roll(faces.votes, column, axis=1)
        view = SimpleNamespace(
            info=StoreInfo("small", hash=faces.hash, votes=True, created=created),
            faces=dataclasses.replace(faces, votes=votes),
        )
        result = _result_of(DEFAULT_MODEL, load_bundle(folder_of(DEFAULT_MODEL)), view, scores, None)
        accuracies.append(result.splits["PublicTest"].majority.one_view.accuracy)
    assert accuracies == [0, 1]
