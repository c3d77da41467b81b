"""The pages where the packages of the extra `train` are not installed: they say so, and all else goes on."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core import dependencies

ROOT = Path(__file__).parents[2]
INSTALL = 'pip install "fer-dashboard[train]"'


@pytest.fixture(autouse=True)
def bare(bundled_alone, monkeypatch):
    """A machine without those packages."""
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None)


def test_the_training_page_says_what_to_install_in_place_of_its_form():
    at = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=60).run()
    assert not at.exception
    assert [message.value for message in at.info if INSTALL in message.value]
    assert "Start training" not in [button.label for button in at.button]


@pytest.mark.parametrize(
    ("module", "panel"), [("model_import", "import_panel()"), ("model_export", "export_panel('compact')")]
)
def test_a_panel_that_needs_them_says_what_to_install(module, panel):
    function = panel.split("(")[0]
    at = AppTest.from_string(f"from fer_core.ui.evaluate.{module} import {function}\n{panel}", default_timeout=60).run()
    assert not at.exception
    assert INSTALL in at.info[0].value
    assert not at.button
