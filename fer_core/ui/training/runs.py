"""All runs: a table to search, to sort and to choose from, and several of them over each other."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import pandas as pd
import streamlit as st

from fer_core.charts.timeline import QUIET
from fer_core.charts.training import MEASURES, compare_curves
from fer_core.errors import RunError
from fer_core.training.config import differences
from fer_core.training.run.folder import RunFolder, RunStatus
from fer_core.training.run.store import RunResult, result_of, seed_groups
from fer_core.ui.components.timers import draw_every
from fer_core.ui.training.form import FOLLOWED

_LOOK_S = 2.5
_COLUMNS = {
    "Validation": st.column_config.NumberColumn(
        format="%.1f %%",
        help="Best accuracy of all epochs on the splits that the run validates on; the last where none may be picked",
    ),
    "PublicTest": st.column_config.NumberColumn(format="%.1f %%", help="Accuracy of the finished run"),
    "PrivateTest": st.column_config.NumberColumn(format="%.1f %%", help="Accuracy, measured once, after training"),
    "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    "Settings": st.column_config.TextColumn(help="Labels, optimizer, learning rate, batch size and seed"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Size": st.column_config.NumberColumn(format="%.1f MB"),
    "Per face": st.column_config.NumberColumn(format="%.2f ms", help="One face in the runtime of the live page"),
    "Duration": st.column_config.NumberColumn(format="%.1f min", help="All epochs together"),
}


def runs_table(runs: Sequence[RunFolder]) -> None:
    """Draw the table, kept fresh while a run lives; one marked row is shown above, several are compared below."""
    st.subheader("Runs")
    query = st.text_input(
        "Search runs",
        key="runs_search",
        placeholder="Search by name, state, note or setting, such as optimizer=adamw",
        label_visibility="collapsed",
    )
    live = any((status := run.status()) and status.live for run in runs)
    draw_every(_LOOK_S if live else None, _table, runs, query)


def _table(runs: Sequence[RunFolder], query: str) -> None:
    if st.session_state.pop(_CHOSEN, False):
        st.rerun()  # the run that was marked is shown above, outside this fragment
    results = [result for run in runs if (result := cached_result(run)) and result.matches(query)]
    if not results:
        st.caption("No run matches.")
        return
    names = [result.name for result in results]
    # With other rows, what was marked is no longer the same run.
    key = f"runs_{zlib.crc32('/'.join(names).encode()):x}"
    st.dataframe(
        pd.DataFrame([_row(result) for result in results]),
        hide_index=True,
        width="stretch",
        column_config=_COLUMNS,
        selection_mode="multi-row",
        placeholder="–",
        key=key,
        on_select=lambda: _follow_marked(names, key),
    )
    st.caption("Mark one run to see it above, two or more to compare them.")
    marked = set(_marked(names, key))
    if len(marked) > 1:
        compare({run.name: run for run in runs if run.name in marked}, [r for r in results if r.name in marked])


_CHOSEN = "run_was_marked"


def _marked(names: Sequence[str], key: str) -> list[str]:
    return [names[row] for row in st.session_state[key]["selection"]["rows"] if row < len(names)]


def _follow_marked(names: Sequence[str], key: str) -> None:
    if len(marked := _marked(names, key)) == 1:
        st.session_state[FOLLOWED], st.session_state[_CHOSEN] = marked[0], True


def cached_result(run: RunFolder) -> RunResult | None:
    """Return what came of a run, or None if it has been deleted or damaged since the page was drawn."""
    files = (
        run.config_file,
        run.history_file,
        run.validation_file,
        run.card_file,
        run.export_file,
        run.note_file,
        run.best_weights_file,
        run.last_weights_file,
    )
    changed = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)
    try:
        return _cached_result(run, run.status(), changed)
    except (RunError, OSError):
        return None


@lru_cache(maxsize=512)
def _cached_result(run: RunFolder, status: RunStatus | None, changed_ns: tuple[int, ...]) -> RunResult:
    return result_of(run)


def _row(result: RunResult) -> dict[str, object]:
    def percent(share: float | None) -> float | None:
        return None if share is None else share * 100

    return {
        "Run": result.name,
        "State": state_text(result),
        "Epochs": f"{result.epochs} of {result.config.epochs}",
        "Validation": percent(result.validation_accuracy),
        "PublicTest": percent(result.public_accuracy),
        "PrivateTest": percent(result.private_accuracy),
        "Data": result.config.data,
        "Network": result.config.architecture,
        "Settings": _settings(result),
        "Started": datetime.fromtimestamp(result.created_s, UTC).astimezone().replace(tzinfo=None),
        "Duration": result.seconds / 60,
        "Note": result.note,
        "Parameters": result.parameters,
        "Size": result.size_bytes and result.size_bytes / 1e6,
        "Per face": result.ms_per_face,
    }


def state_text(result: RunResult) -> str:
    """Return the state of a run for the table; a finished run that is no success says so."""
    if not result.weakness:
        return result.state
    share = "" if result.validation_accuracy is None else f", {result.validation_accuracy * 100:.0f} %"
    return f"finished{share}, {result.weakness}: learning rate too high?"


def _settings(result: RunResult) -> str:
    config = result.config
    return (
        f"{config.label_set}, {config.optimizer}, {config.learning_rate:g}, batch {config.batch_size}, "
        f"seed {config.seed}"
    )


def compare(runs: dict[str, RunFolder], results: Sequence[RunResult], key: str = "compare") -> None:
    """Draw the curves of several runs over each other, and where their configurations differ.

    Args:
        runs: by name.
        results: of the same runs.
        key: what the keys of the widgets begin with.
    """
    st.subheader("Compared")
    histories = {name: run.history() for name, run in runs.items()}
    measures = [name for name in MEASURES if all(name in history for history in histories.values())]
    groups = {group[0].name: [histories[result.name] for result in group] for group in seed_groups(results)}
    several = len(groups) < len(histories)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_controls"):
        chosen = st.multiselect(
            "Measures",
            measures,
            ["val_accuracy", "val_loss"],
            format_func=lambda name: MEASURES[name][0],
            key=f"{key}_measures",
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.95,
            0.0,
            0.05,
            key=f"{key}_smoothing",
            help="Exponential moving average; the values themselves stay faintly behind it",
        )
        log = st.toggle("Log scale", key=f"{key}_log", help="Of losses and learning rates")
        grouped = several and st.toggle(
            "Group seeds",
            True,
            key=f"{key}_seeds",
            help="Runs that differ only in their seed: the mean, with a band of one standard deviation to either side",
        )
    lines = groups if grouped else {name: [history] for name, history in histories.items()}
    _compare_charts(lines, chosen, smoothing, log, key)
    _differences(runs, key)


def _compare_charts(
    lines: dict[str, list[pd.DataFrame]], measures: list[str], smoothing: float, log: bool, key: str
) -> None:
    columns = st.columns(min(2, len(measures)) or 1)
    for number, measure in enumerate(measures):
        columns[number % len(columns)].plotly_chart(
            compare_curves(lines, measure, smoothing, log),
            width="stretch",
            config=QUIET,
            key=f"{key}_{measure.removeprefix('val_')}" if measure.startswith("val_") else f"{key}_of_{measure}",
            alt=f"{MEASURES[measure][0]} of the marked runs by epoch",
        )


def _differences(runs: dict[str, RunFolder], key: str) -> None:
    table = differences([run.config() for run in runs.values()])
    if not table:
        st.caption("Their configurations are the same.")
        return
    st.caption("Where their configurations differ; what differs from the first run is highlighted")
    frame = pd.DataFrame(
        {name.replace("_", " "): [_shown(value) for value in values] for name, values in table.items()},
        index=list(runs),
    ).T
    st.dataframe(
        frame.style.apply(_highlight, axis=1),
        width="stretch",
        key="differences" if key == "compare" else f"{key}_differences",
    )


def _highlight(row: pd.Series) -> list[str]:
    return ["background-color: rgba(79, 124, 172, 0.25)" if value != row.iloc[0] else "" for value in row]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
