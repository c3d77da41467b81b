"""The user's own models: what there is, and removing one."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import ModelError
from fer_core.models.model_store import ModelEntry, list_models, remove_model
from fer_core.ui.components.access import operator_only

_FAILED = "own_model_failed"


def own_models_panel() -> None:
    """List the models that were put live or imported, each with a way to remove it; nothing if there are none."""
    own = [entry for entry in list_models() if not entry.bundled]
    if message := st.session_state.pop(_FAILED, ""):
        st.error(message, icon=":material/error:")
    if not own:
        return
    with st.expander("Your own models", icon=":material/inventory_2:"):
        for number, entry in enumerate(own):
            _row(number, entry)


def _row(number: int, entry: ModelEntry) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        badge = " · in use" if entry.in_use else ""
        st.markdown(f"**{entry.name}**{badge}  \n:small[{entry.description}]", width="stretch")
        with st.popover("Remove", icon=":material/delete:", key=f"remove_model_{number}"):
            if not operator_only("Deleting", f"remove_model_{number}_token"):
                return
            st.write(_warning(entry))
            st.button("Remove for good", key=f"remove_model_{number}_yes", on_click=_remove, args=(entry.name,))


def _warning(entry: ModelEntry) -> str:
    if entry.in_use:
        return f"The pages use {entry.name}. Without it they use the model before, or the one that comes with the app."
    return f"{entry.name} cannot be brought back, save from the run or the file that it came from."


def _remove(name: str) -> None:
    try:
        remove_model(name)
    except (ModelError, OSError) as error:
        st.session_state[_FAILED] = f"{name} cannot be removed: {error}"
