"""Running parts of pages in Streamlit's own test harness."""

from tests.apptest import components_are_looked_for_once

__all__ = ["components_are_looked_for_once"]
