import pytest

from fer_core.ui.evaluate.scores import published_beside


@pytest.mark.parametrize("split, comparable", [("PrivateTest", 3), ("PublicTest", 0), ("Test", 0)])
def test_published_figures_compare_only_beside_the_split_they_were_measured_on(split, comparable):
    groups = published_beside(split)
    assert len(groups["Published, comparable"]) == comparable
    assert sum(map(len, groups.values())) == 10
    assert all(point.open for point in groups["Published, other ways"])
    assert not any("People" in point.name for rows in groups.values() for point in rows)
