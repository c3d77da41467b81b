from pathlib import Path

from streamlit.testing.v1 import AppTest

import fer_core.ui
from fer_core.ui.components import timers


def test_each_timer_on_a_page_draws_in_a_container_of_its_own():
    own = {
        path.name for path in Path(fer_core.ui.__file__).parent.rglob("*.py") if "run_every=" in path.read_text("utf-8")
    }
    assert own == {Path(timers.__file__).name}


def test_what_follows_keeps_its_place_when_nothing_of_the_part_arrives():
    def page():
        import streamlit as st

        from fer_core.ui.components.timers import draw_every

        draw_every(1.0, lambda text: st.text(text), "part")
        st.text("below")

    part, below = AppTest.from_function(page).run().main.children.values()
    assert [child.value for child in part.children[0].children.values()] == ["part"]
    assert len(part.children) == 1 and below.value == "below"
