import pytest
from streamlit.testing.v1 import AppTest

from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.model_store import available_models, chosen_model, put_live


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))

    def script() -> None:
        from fer_core.ui.evaluate.own_models import own_models_panel

        own_models_panel()

    return AppTest.from_function(script, default_timeout=30)


def test_without_own_models_there_is_nothing(page):
    page.run()
    assert not page.exception and not page.expander


def test_an_own_model_is_listed_and_removed(page):
    put_live(BUNDLED_ROOT / "seed-cnn", "mine")
    page.run()
    assert "**mine** · in use" in page.markdown[0].value
    page.button(key="remove_model_0_yes").click().run()
    assert not page.exception and not page.expander
    assert "mine" not in available_models() and chosen_model() == DEFAULT_MODEL
