"""Intraclass correlations on a session's page: of intensities over time, and of shares over sessions. Folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.errors import SessionError
from fer_core.formats import count_text
from fer_core.sessions.agreement import Agreement, agreement_of, by_coder, coder_codes, model_codes, shares_agreement
from fer_core.sessions.icc import MIN_TARGETS, Coefficient, IntraclassCorrelation
from fer_core.sessions.markers import CODE, Marker, excluded_ranges, markers_of, without_ranges
from fer_core.sessions.ratings import (
    BIN_S,
    Ratings,
    model_ratings,
    rating_agreement,
    ratings_of,
    read_ratings,
    replace_ratings,
)
from fer_core.sessions.store import Session, list_sessions
from fer_core.ui.components.access import may_see_session
from fer_core.ui.sessions.rows import chosen_face, summed_rows

_AGREEMENT = "ICC(A,1)"
_CONSISTENCY = "ICC(C,1)"
_HELP = {
    _AGREEMENT: "Absolute agreement, two-way, of a single rater; Shrout and Fleiss call it ICC(2,1). 1 if both give "
    "the same values. In brackets the 95 % interval.",
    _CONSISTENCY: "Consistency, two-way, of a single rater; Shrout and Fleiss call it ICC(3,1). A constant distance "
    "between the two does not count.",
}
_SOURCE = "McGraw and Wong (1996), Psychological Methods 1(1), 30–46."
_CONFIG = {name: st.column_config.TextColumn(name, help=text) for name, text in _HELP.items()}


def ratings_panel(session: Session) -> None:
    """Show how far coders' intensities agree with the model's scores and with each other; offer to import them."""
    panel = st.expander("Intensities over time", icon=":material/show_chart:", key="ratings_panel", on_change="rerun")
    if not panel.open:
        return
    with panel:
        ratings = ratings_of(session)
        if ratings:
            _show_ratings(session, ratings)
        else:
            st.caption(
                "Import how strong a coder saw an expression, as a CSV file with the columns time_s and value. Here "
                "then stands the intraclass correlation with the model's scores and with other coders."
            )
        _import(session, ratings)
        if ratings:
            _delete(session, ratings)


def _show_ratings(session: Session, ratings: Sequence[Ratings]) -> None:
    rows, excluded = summed_rows(session), excluded_ranges(markers_of(session))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        face = chosen_face(session, rows, "First face in each frame", "ratings")
        bin_s = st.number_input("Means over, s", 0.1, 60.0, BIN_S, 0.5, "%.1f", key="ratings_bin", width=150)
    table = []
    for expression in dict.fromkeys(each.expression for each in ratings):
        series = [model_ratings(rows, face, expression), *(each for each in ratings if each.expression == expression)]
        for first, second in combinations(series, 2):
            found = rating_agreement(first, second, bin_s, excluded)
            table.append((f"{first.coder} and {second.coder}", expression, *_cells(found)))
    columns = ["Coders", "Expression", "Means", _AGREEMENT, _CONSISTENCY]
    st.dataframe(pd.DataFrame(table, columns=columns), hide_index=True, column_config=_CONFIG, key="ratings_table")
    st.caption(
        f"Means over {bin_s:g} s in which both have values. Moments that follow one another are alike, so the true "
        f"intervals are wider. {_SOURCE}"
    )


def _import(session: Session, ratings: Sequence[Ratings]) -> None:
    coder = st.text_input("Coder", key="ratings_coder", max_chars=100, help="Importing again replaces the expression.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        expression = st.selectbox(
            "Expression",
            session.labels,
            key="ratings_expression",
            help="Where the file has no column label.",
            width=200,
        )
        low = st.number_input("Lowest value", value=0.0, key="ratings_low", width=150)
        high = st.number_input("Highest value", value=100.0, key="ratings_high", width=150)
    file = st.file_uploader("Ratings", ["csv", "tsv", "txt"], key="ratings_file", max_upload_size=50)
    if st.button("Import ratings", key="ratings_import", disabled=file is None) and file is not None:
        try:
            new = read_ratings(file.getvalue(), file.name, coder, str(expression), (low, high), session.labels)
            replaced = {(each.coder, each.expression) for each in new}
            kept = [each for each in ratings if (each.coder, each.expression) not in replaced]
            replace_ratings(session, [*kept, *new])
        except SessionError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.toast(f"{count_text(sum(len(each.values) for each in new), 'rating')} imported.")
        st.rerun()


def _delete(session: Session, ratings: Sequence[Ratings]) -> None:
    with st.popover("Delete ratings", icon=":material/delete:", key="ratings_delete"):
        coder = st.selectbox("Coder", sorted({each.coder for each in ratings}), key="ratings_delete_coder")
        if st.button("Delete them", type="primary", key="ratings_delete_sure"):
            replace_ratings(session, [each for each in ratings if each.coder != coder])
            st.rerun()


def shares_panel(coders: Mapping[str, Sequence[Marker]], sure_only: bool) -> None:
    """Show how far the model and a coder agree on each expression's share, over all sessions that the coder coded.

    Args:
        coders: of this session, with their codes.
        sure_only: whether frames in which the model is uncertain do not count.
    """
    panel = st.expander("Shares over sessions", icon=":material/stacks:", key="shares_panel", on_change="rerun")
    if not panel.open:
        return
    with panel:
        names = list(coders)
        coder = names[0] if len(names) == 1 else st.selectbox("Coder", names, key="shares_coder", width=220)
        agreements = _coded_sessions(coder, sure_only)
        if len(agreements) < MIN_TARGETS:
            st.caption(
                f"At least {MIN_TARGETS} sessions must be coded by the same coder; {coder} coded {len(agreements)} "
                "with frames that the model has a label for too."
            )
            return
        labels = sorted({label for each in agreements for label in each.labels})
        table = [(label, *_cells(shares_agreement(agreements, label))) for label in labels]
        columns = ["Expression", "Sessions", _AGREEMENT, _CONSISTENCY]
        st.dataframe(pd.DataFrame(table, columns=columns), hide_index=True, column_config=_CONFIG, key="shares_table")
        st.caption(
            f"Model and {coder}: the share of a session's frames that shows an expression, among those that both have "
            f"a label for. Sessions of one person are alike. {_SOURCE}"
        )


def _coded_sessions(coder: str, sure_only: bool) -> list[Agreement]:
    found = []
    for session in list_sessions():
        if may_see_session(session.name) and (codes := by_coder(markers_of(session, CODE)).get(coder)):
            excluded = tuple(excluded_ranges(markers_of(session)))
            place = session.database.place
            found.append(_agreement(place, session.name, session.rows, tuple(codes), excluded, sure_only, session))
    return [each for each in found if each.frames]


@st.cache_resource(max_entries=500, show_spinner="Reading the sessions …")
def _agreement(
    place: str,
    name: str,
    rows: int,
    codes: tuple[Marker, ...],
    excluded: tuple[tuple[float, float], ...],
    sure_only: bool,
    _session: Session,
) -> Agreement:
    summed = without_ranges(_session.short_rows(), excluded)
    times_s = np.sort(summed["time_s"].unique())
    return agreement_of(model_codes(summed, None, sure_only).reindex(times_s), coder_codes(codes, times_s))


def _cells(found: IntraclassCorrelation | None) -> tuple[int | None, str, str]:
    if found is None:
        return None, "–", "–"
    return found.targets, _text(found.agreement), _text(found.consistency)


def _text(coefficient: Coefficient) -> str:
    if coefficient.value is None or coefficient.low is None or coefficient.high is None:
        return "–"
    value, low, high = (round(each, 2) + 0.0 for each in (coefficient.value, coefficient.low, coefficient.high))
    return f"{value:.2f} ({low:.2f} to {high:.2f})"  # + 0.0: no minus before zero
