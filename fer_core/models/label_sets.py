"""The label sets that a network can answer for, and how the scores of each are named in its files.

FER-2013 carries one label a face, FER+ the votes of ten more people. A network may have one head for each of these
and one for both together, all on the same features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fer_core.errors import ModelError

# "people": FER+ votes and FER-2013's label together; "fer": FER-2013's labels; "votes": FER+ alone.
LABEL_SETS = ("people", "fer", "votes")
TITLES: Mapping[str, str] = MappingProxyType(
    {"people": "What people see", "fer": "FER-2013's labels", "votes": "Ten people's votes"}
)
SCORES = "scores"
# Label sets as a training configuration names them, where that differs.
_TRAINED_AS: Mapping[str, tuple[str, ...]] = MappingProxyType({"ferplus": ("votes",), "both": LABEL_SETS})


def trained_label_sets(label_set: str) -> tuple[str, ...]:
    """Return the label sets of a network trained with a configuration's `label_set`, the default first.

    >>> trained_label_sets("ferplus"), trained_label_sets("fer")
    (('votes',), ('fer',))
    """
    return _TRAINED_AS.get(label_set, (label_set,))


def score_outputs(label_sets: Sequence[str]) -> dict[str, str]:
    """Return the name of the output that holds the scores of each label set; the first set's is `scores`.

    >>> score_outputs(("people", "fer"))
    {'people': 'scores', 'fer': 'scores_fer'}
    """
    return {name: SCORES if number == 0 else f"{SCORES}_{name}" for number, name in enumerate(label_sets)}


def require_label_set(label_set: str | None, label_sets: Sequence[str], model: str) -> str:
    """Return `label_set`, or the default one if it is None.

    Raises:
        ModelError: the model does not answer for it.
    """
    if label_set is None:
        return label_sets[0]
    if label_set not in label_sets:
        raise ModelError(
            f"{model} has no scores for the label set {label_set!r}. Expected {' or '.join(label_sets) or 'none'}; "
            "choose one of these, or another model."
        )
    return label_set


def title_of(label_set: str) -> str:
    """Return what a page calls a label set."""
    return TITLES.get(label_set, label_set)
