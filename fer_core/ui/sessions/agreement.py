"""How far the model and human coders agree on a session."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.errors import SessionError
from fer_core.formats import count_text, percent
from fer_core.sessions.agreement import Agreement, agreement_of, by_coder, coder_codes, model_codes, read_codes
from fer_core.sessions.markers import CODE, markers_of, replace_markers
from fer_core.sessions.store import Session
from fer_core.ui.sessions.reliability import ratings_panel, shares_panel
from fer_core.ui.sessions.rows import chosen_face, summed_rows

_KAPPA_HELP = "Cohen's kappa: 0 is what chance alone would give, 1 is full agreement."


def agreement_view(session: Session) -> None:
    """Show the agreement of every coder with the model and with each other, and offer to import codes."""
    coders = by_coder(markers_of(session, CODE))
    if not coders:
        st.caption(
            "Import what human coders saw, from BORIS or as CSV. Here then stands how far they agree with the model "
            "and with each other, frame by frame, with Cohen's kappa."
        )
    else:
        rows = summed_rows(session)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            face = chosen_face(session, rows, "First face in each frame")
            uncertain = st.toggle("Uncertain frames too", key="agreement_uncertain")
        model = model_codes(rows, face, not uncertain)
        times_s = np.sort(rows["time_s"].unique())
        series = {coder: coder_codes(codes, times_s) for coder, codes in coders.items()}
        pairs = {("Model", coder): (model.reindex(times_s), each) for coder, each in series.items()}
        pairs |= {(a, b): (series[a], series[b]) for a, b in combinations(series, 2)}
        _show({names: agreement_of(*both) for names, both in pairs.items()})
        shares_panel(coders, not uncertain)
    ratings_panel(session)
    with st.expander("Import codes", icon=":material/upload_file:", expanded=not coders):
        _import(session)
    if coders:
        with st.popover("Delete codes", icon=":material/delete:", key="codes_delete"):
            coder = st.selectbox("Coder", list(coders), key="codes_delete_coder")
            if st.button("Delete them", type="primary", key="codes_delete_sure"):
                replace_markers(session, [each for name in coders if name != coder for each in coders[name]], CODE)
                st.rerun()


def _show(agreements: dict[tuple[str, str], Agreement]) -> None:
    table = [
        (f"{a} and {b}", each.frames, percent(each.share), "–" if each.kappa is None else f"{each.kappa:.2f}")
        for (a, b), each in agreements.items()
    ]
    config = {"κ": st.column_config.TextColumn("κ", help=_KAPPA_HELP)}
    columns = ["Coders", "Frames with both", "Agreement", "κ"]
    st.dataframe(pd.DataFrame(table, columns=columns), hide_index=True, column_config=config, key="agreement_table")
    st.caption("Frames that either has no label for do not count, nor do ranges that are left out.")
    (a, b), first = next(iter(agreements.items()))
    if len(agreements) > 1:
        names = {f"{x} and {y}": (x, y) for x, y in agreements}
        a, b = names[st.selectbox("Frames by label of", list(names), key="agreement_pair")]
        first = agreements[a, b]
    if first.frames:
        st.caption(f"{count_text(first.frames, 'frame')}; rows: {a}, columns: {b}.")
        st.dataframe(pd.DataFrame(first.counts, first.labels, first.labels), key="agreement_counts")


def _import(session: Session) -> None:
    coder = st.text_input("Coder", key="coder", max_chars=100, help="A name or code; importing again replaces it.")
    file = st.file_uploader("Codes", ["csv", "tsv", "txt"], key="codes", max_upload_size=50)
    if st.button("Import codes", key="codes_import", disabled=file is None) and file is not None:
        try:
            new = read_codes(file.getvalue(), file.name, coder, session.length_s)
            others = [each for each in markers_of(session, CODE) if each.source != coder.strip()]
            replace_markers(session, [*others, *new], CODE)
        except SessionError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.toast(f"{count_text(len(new), 'code')} imported.")
        st.rerun()
