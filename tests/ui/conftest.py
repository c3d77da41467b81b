"""Running parts of pages in Streamlit's own test harness."""

from tests.apptest import lean_harness

__all__ = ["lean_harness"]
