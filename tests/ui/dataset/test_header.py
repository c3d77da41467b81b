import pytest

from fer_core.ui.dataset.header import validation_name


@pytest.mark.parametrize("name", ["tree", "x" * 60, "x" * 44 + " with validation", "a" * 43 + " b"])
def test_a_set_is_never_overwritten_by_its_own_split(name):
    split = validation_name(name)
    assert split != name
    assert split == validation_name(name)
    assert "with validation" in split and len(split) <= 64
