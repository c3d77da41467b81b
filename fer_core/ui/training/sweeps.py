"""The trials of sweeps in a table, the best first, where there is a sweep."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.charts.training import MEASURES
from fer_core.training.run.folder import RunFolder
from fer_core.training.sweep.trials import Settings, SweepTrials, by_settings, list_sweeps, read_sweep
from fer_core.ui.components.timers import draw_every
from fer_core.ui.training.runs import cached_result, compare

_LOOK_S = 2.5
_CHOSEN = "sweep"


def sweeps_panel(runs: Sequence[RunFolder]) -> None:
    """Draw the trials of a sweep, kept fresh while it runs; nothing if there is no sweep.

    Args:
        runs: all that can be read.
    """
    sweeps = list_sweeps()
    if not sweeps:
        return
    running = any(sweep.is_running for sweep in sweeps)
    with st.expander("Sweeps", expanded=running, icon=":material/travel_explore:"):
        names = [sweep.name for sweep in sweeps]
        name = st.selectbox("Sweep", names, key=_CHOSEN) if len(names) > 1 else names[0]
        draw_every(_LOOK_S if running else None, _trials, name, runs)


def _trials(name: str, runs: Sequence[RunFolder]) -> None:
    sweep = read_sweep(name)
    if sweep is None or not sweep.trials:
        st.caption(f"{name} has no trial that can be shown.")
        return
    settings = by_settings(sweep.trials)
    st.caption(_summary(sweep))
    measure = MEASURES[sweep.maximize][0].removesuffix(", %") if sweep.maximize in MEASURES else sweep.maximize
    table = pd.DataFrame([_row(each, measure) for each in settings])
    runs_of = [[trial.run for trial in each.trials] for each in settings]
    # With other rows, what was marked is no longer the same trial.
    key = f"trials_{zlib.crc32(repr(runs_of).encode()):x}"
    marked = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            **{name: st.column_config.NumberColumn(format="plain") for name in table.select_dtypes("number")},
            measure: st.column_config.NumberColumn(format="%.1f %%", help="What the sweep maximises; best so far"),
            "±": st.column_config.NumberColumn(format="%.1f", help="Standard deviation over seeds, percentage points"),
        },
        selection_mode="multi-row",
        placeholder="–",
        key=key,
        on_select="rerun",
    )
    st.caption("Mark two or more to compare their curves.")
    chosen = {run for row in marked["selection"]["rows"] if row < len(runs_of) for run in runs_of[row]}
    folders = {run.name: run for run in runs if run.name in chosen}
    results = [result for run in folders.values() if (result := cached_result(run))]
    if len(results) > 1:
        compare({result.name: folders[result.name] for result in results}, results, "compare_trials")


def _summary(sweep: SweepTrials) -> str:
    states = [trial.state for trial in sweep.trials]
    counts = ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))
    return f"{len(states):,} of {sweep.planned:,} trials: {counts}"


def _row(settings: Settings, measure: str) -> dict[str, object]:
    first = settings.trials[0]
    states = list(dict.fromkeys(trial.state for trial in settings.trials))
    several = len(settings.trials) > 1
    names = [trial.run for trial in settings.trials]
    row: dict[str, object] = {
        "Run": f"{names[0]} and {len(names) - 1} more" if several else names[0],
        "State": ", ".join(states),
        measure: None if settings.mean is None else settings.mean * 100,
    }
    if settings.spread is not None:
        row["±"] = settings.spread * 100
    parameters = {name: value for name, value in first.parameters.items() if not (several and name == "seed")}
    row |= {name.replace("_", " "): _rounded(value) for name, value in parameters.items()}
    return row | ({"Reason": first.reason} if first.reason else {})


def _rounded(value: object) -> object:
    return float(f"{value:.3g}") if isinstance(value, float) else value
