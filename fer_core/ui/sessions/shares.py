"""How often each expression was shown in a session or a part of it, and what followed what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.formats import count_text, percent
from fer_core.sessions.analysis import Shares, shares_of, transitions
from fer_core.sessions.markers import excluded_ranges, markers_of
from fer_core.sessions.store import Session
from fer_core.ui.sessions.rows import chosen_rows


def shares_view(session: Session) -> None:
    """Show shares and transitions of the part of the session that is chosen."""
    rows = chosen_rows(session)
    shares = shares_of(rows, session.labels)
    if not shares.rows:
        st.info("There is no face in this part of the session. Choose another part.", icon=":material/face:")
        return
    left_out = len(excluded_ranges(markers_of(session)))
    note = f" {count_text(left_out, 'range')} left out, see Markers." if left_out else ""
    st.caption(
        f"{count_text(shares.rows, 'row')} with a face, {shares.seconds:.0f} s, uncertain on "
        f"{percent(shares.uncertain)}.{note}"
    )
    st.dataframe(_table(session.labels, shares), hide_index=True, column_config=_columns(), key="shares_table")
    _transitions(transitions(rows, session.labels), session.labels, shares.seconds)


def _table(labels: tuple[str, ...], shares: Shares) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "expression": [*labels, "uncertain"],
            "share": [*(shares.shares * 100), shares.uncertain * 100],
            "seconds": np.round([*(shares.shares * shares.seconds), shares.uncertain * shares.seconds], 1),
            "mean score": [*(shares.mean * 100), None],
        }
    )


def _columns() -> dict:
    return {
        "expression": st.column_config.TextColumn("Expression"),
        "share": st.column_config.ProgressColumn(
            "Share of time", format="%.1f %%", min_value=0, max_value=100, help="Best score, and not uncertain."
        ),
        "seconds": st.column_config.NumberColumn("Seconds", format="%.1f"),
        "mean score": st.column_config.NumberColumn("Mean score", format="%.1f %%"),
    }


def _transitions(counts: np.ndarray, labels: tuple[str, ...], seconds: float) -> None:
    st.subheader("Transitions")
    total = int(counts.sum())
    if not total:
        st.caption("No expression followed another.")
        return
    rate = f", {total / seconds * 60:.1f} a minute" if seconds >= 1 else ""
    st.caption(f"{count_text(total, 'transition')}{rate}. A row is what was before, a column what came next.")
    st.dataframe(pd.DataFrame(counts, labels, labels), key="transitions_table")
