import json
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.search import Query
from fer_core.audit.selections import Selections, checked_name, from_json
from fer_core.errors import DataError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NONE = Selections("0123", 100)


def test_faces_have_several_tags_which_can_be_taken_off():
    selections = NONE.tag([3, 1, 3], "glasses", NOW).tag([3], "hand", NOW)
    assert {name: rows.tolist() for name, rows in selections.tags.items()} == {"glasses": [1, 3], "hand": [3]}
    assert selections.tags_of(3) == ("glasses", "hand")
    selections = selections.untag([3, 50], "glasses", NOW)
    assert selections.tags["glasses"].tolist() == [1]
    assert "hand" not in selections.untag([3], "hand", NOW).tags


def test_subsets_are_queries_or_lists():
    query = Query(labels=("sad",), tags=("glasses",))
    selections = NONE.save_query("sad ones", query, NOW).save_rows("two", [9, 2, 9], NOW)
    assert list(selections.subsets) == ["sad ones", "two"]
    assert selections.subsets["sad ones"].query == query
    assert selections.subsets["two"].rows == (2, 9)


def test_renaming_a_tag_renames_it_in_queries():
    selections = NONE.tag([1], "a", NOW).save_query("those", Query(tags=("a", "x")), NOW).rename_tag("a", "b", NOW)
    assert list(selections.tags) == ["b"]
    assert selections.subsets["those"].query.tags == ("b", "x")
    back = selections.undo()
    assert list(back.tags) == ["a"]
    assert back.subsets["those"].query.tags == ("a", "x")


def test_subsets_are_renamed_and_deleted():
    selections = NONE.save_rows("two", [9, 2], NOW).rename_subset("two", "pair", NOW)
    assert selections.subsets["pair"].name == "pair" and list(selections.subsets) == ["pair"]
    assert not selections.delete_subset("pair", NOW).subsets
    assert list(selections.delete_subset("pair", NOW).undo().subsets) == ["pair"]


def test_each_change_is_one_step_for_undo():
    steps = [NONE, NONE.tag([1], "a", NOW)]
    steps.append(steps[-1].save_rows("one", [1], NOW))
    steps.append(steps[-1].rename_subset("one", "first", NOW))
    steps.append(steps[-1].delete_subset("first", NOW))
    selections = steps[-1]
    for before in reversed(steps[:-1]):
        selections = selections.undo()
        assert selections == before
    assert selections.undo() == NONE


@pytest.mark.parametrize(
    "change",
    [
        lambda selections: selections.tag([100], "a", NOW),
        lambda selections: selections.tag([-1], "a", NOW),
        lambda selections: selections.tag([1], " ", NOW),
        lambda selections: selections.save_rows("none", [], NOW),
        lambda selections: selections.save_rows("taken", [1], NOW),
        lambda selections: selections.save_query("taken", Query(), NOW),
        lambda selections: selections.save_query("unasked", Query(predicted=("sad",)), NOW),
        lambda selections: selections.rename_subset("taken", "other", NOW),
        lambda selections: selections.rename_subset("gone", "b", NOW),
        lambda selections: selections.delete_subset("gone", NOW),
        lambda selections: selections.rename_tag("used", "free", NOW),
        lambda selections: selections.rename_tag("gone", "b", NOW),
        lambda selections: selections.delete_tag("used", NOW),
        lambda selections: selections.delete_tag("gone", NOW),
    ],
)
def test_what_cannot_be_is_refused(change):
    selections = NONE.tag([1], "used", NOW).tag([2], "free", NOW).save_query("taken", Query(tags=("used",)), NOW)
    with pytest.raises(DataError):
        change(selections.save_rows("other", [1], NOW))


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "a,b", "a\nb", "x" * 41])
def test_names_that_cannot_be_used(name):
    with pytest.raises(DataError, match="Expected a name"):
        checked_name(name)


def test_names_lose_the_spaces_around_them():
    assert checked_name(" très flou ") == "très flou"


def every_change() -> Selections:
    return (
        NONE.tag([1, 2], "ä", NOW)
        .untag([1], "ä", NOW)
        .save_query("sad", Query(labels=("sad",), brightness=(0, 40.5)), NOW)
        .save_query("sure", Query(confidence=(0.9, 1)), NOW, outputs="model-1", model="compact")
        .save_rows("list", [4, 5], NOW)
        .rename_tag("ä", "b", NOW)
        .rename_subset("list", "rows", NOW)
        .delete_subset("sad", NOW)
    )


def test_it_survives_json():
    selections = every_change()
    again = from_json(selections.to_json(), "0123", 100, "file")
    assert again == selections
    assert again.undo().undo().subsets.keys() == {"sad", "sure", "list"}
    np.testing.assert_array_equal(again.tags["b"], [2])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.update(log=1),
        lambda content: content.pop("log"),
        lambda content: content["log"].append({"action": "dance", "name": "a"}),
        lambda content: content["log"].append({"action": "tag"}),
        lambda content: content["log"].append({"action": "tag", "name": 5}),
        lambda content: content["log"].append({"action": "tag", "name": "a", "rows": [100]}),
        lambda content: content["log"].append({"action": "tag", "name": "a", "rows": ["1"]}),
        lambda content: content["log"].append({"action": "save-subset", "name": "a"}),
        lambda content: content["log"].append({"action": "save-subset", "name": "a", "subset": {"query": {}}}),
        lambda content: content["log"].append(
            {"action": "save-subset", "name": "a", "subset": {"name": "a", "query": {"order": "beauty"}}}
        ),
    ],
)
def test_a_damaged_file_is_refused(spoil):
    content = json.loads(every_change().to_json())
    spoil(content)
    with pytest.raises(DataError):
        from_json(json.dumps(content), "0123", 100, "file")


def test_every_cut_of_the_file_is_refused():
    text = every_change().to_json()
    for end in range(len(text)):
        with pytest.raises(DataError, match="damaged"):
            from_json(text[:end], "0123", 100, "file")


def test_another_data_set_is_refused():
    for data, n in (("4567", 100), ("0123", 99)):
        with pytest.raises(DataError, match="another data set"):
            from_json(every_change().to_json(), data, n, "file")
