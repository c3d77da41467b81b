"""Whether cleaning helps: suggested corrections, training with and without them, and the result of that."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.audit.automatic_corrections import add_proposal, automatic_corrections
from fer_core.audit.corrections import Corrections
from fer_core.audit.corrections_file import change_corrections
from fer_core.audit.findings import Findings
from fer_core.dependencies import training_unavailable
from fer_core.errors import DataError, FerError
from fer_core.evaluation.paired_difference import PairedDifference
from fer_core.experiments.cleaning import CompareCleaning, comparison_key, recipe_for
from fer_core.experiments.plan import list_experiments
from fer_core.experiments.result import CleaningResult, Measure, load_result
from fer_core.experiments.text import TITLES, caution, correction_sentences, sentence
from fer_core.training.arguments import arguments_of
from fer_core.training.config import PRESETS, RunConfig
from fer_core.training.timing.device import best_precision
from fer_core.ui.components.access import operator_only
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.jobs import is_own, latest_job, show_failure, show_job, start_own_job

_MAX_SEEDS = 20
_FAILED = "suggest_failed"
_COLUMNS = {
    "Before": st.column_config.NumberColumn(format="%.1f %%", help="Mean over the seeds, data set as it is"),
    "After": st.column_config.NumberColumn(format="%.1f %%", help="Mean over the seeds, with the corrections"),
    "Change": st.column_config.NumberColumn(format="%+.1f", help="Percentage points"),
    "From": st.column_config.NumberColumn(format="%+.1f", help="Lower end of the 95 % interval, percentage points"),
    "To": st.column_config.NumberColumn(format="%+.1f", help="Upper end of the 95 % interval, percentage points"),
    "Faces": st.column_config.NumberColumn(format="localized"),
}


def cleaning_section(view: DataView, findings: Findings, corrections: Corrections) -> None:
    """Draw the section, folded away unless a comparison runs or has just ended."""
    job = latest_job(comparison_key(view.info.name))
    with st.expander("Does cleaning make the network better?", icon=":material/science:", expanded=job is not None):
        st.caption(
            "Trains one recipe with the same seeds on the data set as it is and with its corrections, and tests on "
            "the same uncorrected validation faces whether they differ by more than chance."
        )
        _suggest(view, findings, corrections)
        if job is not None and job.running:
            show_job(job)
        else:
            if job is not None and job.state == "failed":
                show_failure(job)
            elif job is not None and is_own(job):
                job.remove()  # its result is in its own folder
            _form(view, corrections)
        _results(view)


def _suggest(view: DataView, findings: Findings, corrections: Corrections) -> None:
    """Offer to add what the findings alone justify to the corrections."""
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed, icon=":material/error:")
    proposal = _proposal(view.info.hash, view.info.created, view.info.votes, _findings=findings)
    decided = {correction.row for correction in corrections.log}
    new = sum(row not in decided for row in proposal.current)
    st.button(
        f"Add {new:,} suggested corrections" if new else "No more suggestions",
        icon=":material/auto_fix_high:",
        key="suggest_corrections",
        disabled=not new,
        on_click=_add,
        args=(view, proposal),
        help="Excludes blank images and training images of which a copy lies in another split; relabels copies with "
        "different labels, and faces whose label at most 1 of 10 people saw. Undo takes all of them back.",
    )


def _add(view: DataView, proposal: Corrections) -> None:
    now = datetime.now(UTC)
    try:
        change_corrections(
            view.info.name,
            view.info.hash,
            len(view.faces),
            lambda corrections: add_proposal(corrections, proposal, now),
            view.class_names,
        )
    except FerError as error:
        st.session_state[_FAILED] = str(error)
        return
    st.toast("The suggested corrections are added as one step. Undo is in the sidebar.")


def _form(view: DataView, corrections: Corrections) -> None:
    """Draw the choice of recipe, epochs and seeds, and the button that starts."""
    if message := training_unavailable("Training"):
        st.info(message, icon=":material/info:")
        return
    if not operator_only("Training", "cleaning_token"):
        return
    recipes = [name for name, preset in PRESETS.items() if view.info.votes or preset.label_set == "fer"]
    left, middle, right = st.columns([4, 2, 2])
    recipe = left.selectbox("Recipe", recipes, recipes.index("quick"), key="cleaning_recipe")
    epochs = middle.number_input("Epochs", 1, 10_000, PRESETS[recipe].epochs, key=f"cleaning_epochs_{recipe}")
    seeds = right.number_input(
        "Seeds", 1, _MAX_SEEDS, 3, key="cleaning_seeds", help="Each is trained twice. With one seed, luck may decide."
    )
    try:
        config = _config(view, recipe, int(epochs))
        training_rows = view.faces.rows_of(*config.train_splits)
    except FerError:
        st.caption(
            "This needs images in Training to train on, and others in PublicTest or Validation to compare on. Hold out "
            "a part of Training first."
        )
        return
    trained_on = np.zeros(len(view.faces), bool)
    trained_on[training_rows] = True
    marked = int(sum(trained_on[row] for row in corrections.current))
    st.button(
        f"Train {2 * int(seeds)} runs and compare",
        type="primary",
        icon=":material/play_arrow:",
        key="compare_cleaning",
        disabled=not marked,
        on_click=_start,
        args=(CompareCleaning(config.to_dict(), list(range(int(seeds)))),),
    )
    st.caption(
        f"{marked:,} training images are marked. The runs appear on the Training page and wait for their turn there; "
        "finished ones are not trained again."
        if marked
        else "Mark training images first: without corrections there is nothing to compare."
    )
    st.code(_command(config, range(int(seeds))), language="bash", wrap_lines=True)


def _start(task: CompareCleaning) -> None:
    start_own_job(task)


def _config(view: DataView, recipe: str, epochs: int) -> RunConfig:
    preset = dataclasses.replace(
        PRESETS[recipe], data=view.info.name, epochs=epochs, precision=best_precision(), corrections=""
    )
    return recipe_for(preset, view.faces.splits)


def _command(config: RunConfig, seeds: Sequence[int]) -> str:
    """Return the command that makes the same comparison."""
    options = arguments_of(dataclasses.replace(config, data=RunConfig().data))
    if "--data" in options:
        place = options.index("--data")
        del options[place : place + 2]
    return shlex.join(["fer", "compare-cleaning", config.data, *options, "--seeds", *map(str, seeds)])


def _results(view: DataView) -> None:
    """Show the newest result of this data set, and offer the older ones."""
    results = {}
    for folder in list_experiments():
        try:
            result = load_result(folder)
        except DataError as error:
            st.warning(str(error), icon=":material/warning:")
            continue
        if result is not None and result.data_hash == view.info.hash:
            results[folder.name] = result
    if not results:
        return
    name = next(iter(results))
    if len(results) > 1:
        name = st.selectbox("Comparison", list(results), key="cleaning_result")
    _show(results[name])


def _show(result: CleaningResult) -> None:
    for split, measures in result.splits.items():
        by_title = {TITLES[measure.key]: measure for measure in measures}
        first, *others = (sentence(measure, len(result.seeds)) for measure in measures)
        st.markdown("  \n".join([f"**{first}**", *others]))
        titles = list(by_title)
        title = titles[0]
        if len(titles) > 1:
            title = st.selectbox("Table against", titles, key=f"cleaning_measure_{result.name}_{split}")
        st.dataframe(_table(by_title[title]), hide_index=True, width="stretch", column_config=_COLUMNS)
    if text := caution(result):
        st.caption(text)
    st.caption(
        f"{' and '.join(result.splits)}, {len(result.seeds)} seeds, {result.config['architecture']} for "
        f"{result.config['epochs']} epochs. {' '.join(correction_sentences(result))} Intervals allow for other faces "
        "and other seeds; of the rows of one table, one in twenty misses the truth by chance."
    )


def _table(measure: Measure) -> pd.DataFrame:
    rows = {"accuracy": measure.overall, **{f"recall of {label}": change for label, change in measure.by_label.items()}}
    return pd.DataFrame([_row(name, change) for name, change in rows.items()])


def _row(name: str, change: PairedDifference) -> dict[str, object]:
    return {
        "Measure": name,
        "Faces": change.faces,
        "Before": change.before * 100,
        "After": change.after * 100,
        "Change": change.difference * 100,
        "From": change.low * 100,
        "To": change.high * 100,
    }


@st.cache_resource(max_entries=4, show_spinner=False)
def _proposal(data: str, created: str, votes: bool, _findings: Findings) -> Corrections:
    return automatic_corrections(_findings, data, datetime.now(UTC))
