"""What tests of whole pages share: Streamlit's test harness without what it repeats in each run at great cost."""

from functools import cache

import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner


@pytest.fixture(scope="session", autouse=True)
def lean_harness():
    """Keep from run to run what does not change, and leave unused memory to Python.

    `AppTest` reads the metadata of every installed package for each page that it opens. After each run Streamlit
    clears Keras where it is loaded, which it never is in the app, and collects garbage: with the objects of
    TensorFlow, that other tests in the process have loaded, a second each time.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        patch.setattr(script_runner, "_clean_problem_modules", lambda: None)
        collects = config.get_option("runner.postScriptGC")
        config.set_option("runner.postScriptGC", False)
        yield
        config.set_option("runner.postScriptGC", collects)
