"""The names of splits, importable without NumPy: the command line's help lists them."""

from __future__ import annotations

# The first three are the table's own Usage. A folder tree has lost which of its test images were
# public and which private: they are "Test". "Validation" is held out of Training, by a folder or by
# `fer_core.data.splits.with_validation`.
SPLITS: tuple[str, ...] = ("Training", "PublicTest", "PrivateTest", "Test", "Validation")
# Those that measure a finished model. "Validation" chooses between models, so it is not one of them.
TEST_SPLITS: tuple[str, ...] = ("PublicTest", "PrivateTest", "Test")
