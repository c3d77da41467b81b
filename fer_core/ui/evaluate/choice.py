"""The top of the evaluation page: which models, on which data set, on which of its splits."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from fer_core.data.store import StoreInfo
from fer_core.emotions import has_emotions
from fer_core.errors import ModelError
from fer_core.evaluation.assessment import TEST_SPLITS
from fer_core.evaluation.subset import EvaluatedSubset
from fer_core.evaluation.truth import Truth
from fer_core.models.bundle import CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.models.model_store import available_models, folder_of
from fer_core.models.model_store import chosen_model as model_in_use
from fer_core.ui.components.data_view import DataView, default_store, faces_style, shown_name
from fer_core.ui.components.selections import rows_of_saved_subset, saved_selections
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.view import Evaluation, Measured, listed, sentence_case

_STYLE = Path(__file__).parent / "evaluate.css"
_DATA_PAGE = "pages/dataset.py"
# More models than these are chosen, not preselected; more than there are colours are not drawn together.
_PRESELECTED, _AT_MOST = 3, 6
# The split on show first: the one that nothing was picked on.
_ORDER = ("PrivateTest", "Test", "Validation", "PublicTest")
_MODEL, _AGAINST = "model", "against"


def evaluation_style() -> None:
    """Add the looks of this page, and those of the data set page whose parts it borrows."""
    faces_style()
    st.html(_STYLE)


def no_data() -> None:
    """Say what will be here and where a data set comes from: the page of a machine without any."""
    empty_state(
        "Figures need faces with labels",
        "Here you will see how good a model is, on what, and why. For that a "
        "data set must be at hand: your own copy of FER-2013 or, to try it out, a set that this program draws.",
        260,
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Get a data set", type="primary", icon=":material/photo_library:", key="get_data"):
            st.switch_page(_DATA_PAGE)


def choose(infos: Sequence[StoreInfo]) -> tuple[StoreInfo, str | None, list[str]]:
    """Draw the choices; return the data set, its split (None if it has none to test on) and the models' names."""
    left, middle, right = st.columns([5, 3, 4], vertical_alignment="bottom")
    with middle:
        labels = [info.name for info in infos]
        name = st.selectbox(
            "Data set",
            labels,
            default_store(infos),
            key="data",
            bind="query-params",
            format_func=lambda name: shown_name(infos[labels.index(name)]),
        )
    info = infos[labels.index(name)]
    with left:
        models = _choose_models(info)
    splits = [split for split in TEST_SPLITS if split in info.counts]
    if not splits:
        return info, None, models
    with right:
        default = next(split for split in _ORDER if split in splits)
        split = st.segmented_control(
            "Split",
            splits,
            default=default,
            required=True,
            key="split",
            bind="query-params",
            help="PrivateTest decides: nothing may be picked on it. PublicTest is there to pick by.",
        )
    return info, split, models


def choose_subset(view: DataView) -> EvaluatedSubset | None:
    """Return the saved subset whose faces are measured, or None for all; draw the choice where there are subsets.

    Raises:
        DataError: the subset's query cannot be answered.
    """
    names = list(saved_selections(view.info).subsets)
    if not names:
        return None
    name = st.selectbox(
        "Subset",
        ["", *names],
        key="subset",
        bind="query-params",
        format_func=lambda name: name or "All faces of the split",
        width=260,
        help="Measure only the faces of a subset that was saved on the Data set page.",
    )
    return EvaluatedSubset(name, rows_of_saved_subset(view, name)) if name else None


def _choose_models(info: StoreInfo) -> list[str]:
    """Draw the choice of models; those with the classes of the data set are chosen at first."""
    names = available_models()
    matching = [name for name in dict.fromkeys([model_in_use(), *names]) if _has_classes(name, info.class_names)]
    return st.multiselect(
        "Models",
        names,
        matching[:_PRESELECTED],
        key="models" if has_emotions(info.class_names) else f"models_{'_'.join(info.class_names)}",
        bind="query-params" if has_emotions(info.class_names) else None,
        wrap=True,
        max_selections=_AT_MOST,
        placeholder="Choose models" if matching else f"None has the classes {', '.join(info.class_names)}",
        help="The bundled ones, those of finished runs that were put live, and imported ones.",
    )


def _has_classes(model: str, class_names: Sequence[str]) -> bool:
    try:
        return set(ModelCard.load(folder_of(model) / CARD_FILE).labels) == set(class_names)
    except ModelError:
        return has_emotions(class_names)  # chosen as before, so that the page says what is wrong with it


def nothing_to_test_on(info: StoreInfo) -> None:
    """Say that a data set has nothing but images to train on."""
    empty_state(
        f"{shown_name(info)} has nothing to test on",
        f"All its faces are in {', '.join(info.counts)}. A model "
        f"is measured on faces apart from those: on a split named {', '.join(TEST_SPLITS[:-1])} or "
        f"{TEST_SPLITS[-1]}. Hold a part out on the Data set page, or choose another data set.",
        260,
    )


def describe(found: Evaluation) -> None:
    """Say in a line what the figures are about, and what to be careful of."""
    info = found.view.info
    parts = [
        shown_name(info),
        found.split,
        *([f"subset {found.subset}"] if found.subset else []),
        f"{len(found.rows):,} faces",
        "with FER+ votes"
        if info.votes
        else "no FER+ votes"
        if found.view.faces.has_emotions
        else f"classes {listed(found.view.class_names)}",
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if info.source.synthetic:
            st.badge("Drawn by this program, not FER-2013", icon=":material/draw:", color="orange")
        st.html(f'<div class="fer-status">{"".join(f"<span>{escape(part)}</span>" for part in parts)}</div>')
    for name, problem in found.problems.items():
        st.error(f"**{name} cannot be measured.** {problem}", icon=":material/error:")
    if trained := [model.name for model in found.models if model.saw_split]:
        its, it = ("its", "it") if len(trained) == 1 else ("their", "they")
        verbs = ("was", "remembers", "recognises") if len(trained) == 1 else ("were", "remember", "recognise")
        st.warning(
            f"**{listed(trained)}** {verbs[0]} trained on faces of {found.split}: {its} figures here say how well "
            f"{it} {verbs[1]}, not how well {it} {verbs[2]}.",
            icon=":material/warning:",
        )


def choose_model(found: Evaluation) -> Measured:
    """Return the one model that a view is about; with more than one, draw the choice."""
    names = [model.name for model in found.models]
    if len(names) == 1:
        return found.models[0]
    name = st.segmented_control(
        "Model", names, default=names[0], required=True, key=_MODEL, bind="query-params", persist_state="session"
    )
    return found.model(name if name in names else names[0])


def choose_truth(found: Evaluation) -> Truth:
    """Return what scores are held against; where the data set has votes, draw the choice."""
    if len(found.truths) == 1:
        return found.truths[0]
    names = {truth: sentence_case(found.truth_name(truth)) for truth in found.truths}
    chosen = st.segmented_control(
        "Measured against",
        [str(truth) for truth in found.truths],
        default=str(found.truths[0]),
        format_func=lambda value: names[Truth(value)],
        required=True,
        key=_AGAINST,
        bind="query-params",
        persist_state="session",
        help="What most people saw: the expression with the most of ten votes (FER+), on the faces where one of the "
        "seven leads alone. FER-2013's labels: the one label that each picture came with.",
    )
    return Truth(chosen) if chosen in names else found.truths[0]


def chosen_model(found: Evaluation) -> Measured:
    """Return the model that `choose_model` returned last, without drawing the choice; the first before that."""
    name = st.session_state.get(_MODEL)
    return next((model for model in found.models if model.name == name), found.models[0])
