import dataclasses
import importlib.util
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.audit.analysis import outputs_name
from fer_core.audit.corrections_file import change_corrections
from fer_core.audit.import_jobs import KIND
from fer_core.audit.model_outputs import ModelOutputs
from fer_core.audit.projection import Projection2D
from fer_core.audit.search import Query
from fer_core.audit.selections_file import change_selections, read_selections, selections_path
from fer_core.background.jobs import LOCK_FILE, Request, jobs_root, list_jobs
from fer_core.background.launch import _key_lock
from fer_core.background.locks import take
from fer_core.cache import cache_folder, save_cached
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS, FaceSet, Provenance
from fer_core.data.store import data_root, delete_store, list_stores, write_store
from fer_core.emotions import CSV_TO_INDEX, LABELS, canonical
from fer_core.files import write_json
from fer_core.models.bundle import DEFAULT_MODEL, scores_key
from fer_core.ui.components import access
from fer_core.ui.components.corrections import corrections_path
from fer_core.ui.components.loaders import load_recognizer
from tests.drawn_faces import demo_set

PAGE = Path(__file__).parents[2] / "pages" / "dataset.py"
TIMEOUT_S = 120
COUNT = 140
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A function that opens the page in a fresh session at an address: page(view="Browse")."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_MODEL", raising=False)
    st.cache_resource.clear()

    def open_at(**address):
        at = AppTest.from_file(PAGE, default_timeout=TIMEOUT_S)
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return open_at


@pytest.fixture
def photographs(page):
    """A stored set that is not labelled as drawn: 140 faces, three exact copies, one black image, votes."""
    write_store(some_faces(), "small")
    return page


def some_faces() -> FaceSet:
    drawn = demo_set(COUNT, seed=1)
    images = drawn.images.copy()
    images[[1, 2, COUNT - 1]] = images[0]  # the last is in PrivateTest
    images[5] = 0
    votes = np.zeros((COUNT, 10), np.uint8)
    votes[:, 0] = 10  # all see neutral
    return FaceSet(images, drawn.labels, drawn.split, votes, Provenance(name="small.csv", kind="table"))


def words_of(at):
    """All text and HTML on a page."""
    parts = (*at.markdown, *at.caption, *at.title, *at.subheader, *at.get("html"), *at.error, *at.warning)
    return " ".join(str(element.proto) for element in parts)


def after_the_job(at):
    for job in list_jobs():
        job.wait(TIMEOUT_S)
    return at.run()


def table(path, faces):
    codes = [CSV_TO_INDEX.index(label) for label in faces.labels]
    lines = [
        f"{code},{' '.join(map(str, image.ravel()))},Training" for code, image in zip(codes, faces.images, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return path


def test_without_data_it_says_what_will_be_here_and_what_to_press(page):
    at = page()
    assert not at.exception
    assert "No data set is here yet" in words_of(at)
    assert [button.label for button in at.button if button.proto.type == "primary"] == ["Draw the demo set"]


def test_the_demo_set_is_drawn_and_labelled_as_drawn(page):
    at = after_the_job(page().button(key="draw_demo").click().run())
    assert not at.exception
    assert at.selectbox(key="data").options == ["demo (drawn)"]
    assert "Drawn by this program, not FER-2013" in words_of(at)


def test_open_to_a_network_no_path_of_the_server_is_read(page, monkeypatch):
    monkeypatch.setattr(access, "is_open_to_network", lambda: True)
    at = page()
    assert not at.text_input and "Reading files of this computer is off" in at.info[0].value
    at.segmented_control(key="data_way").set_value("Upload").run()
    assert not at.info and at.file_uploader


def test_a_path_is_read_into_a_store_of_its_own_name(page, tmp_path):
    path = table(tmp_path / "my faces.csv", demo_set(70))
    at = page()
    at.text_input(key="data_path").set_value(str(path))
    at = after_the_job(at.button[1].click().run())
    assert not at.exception
    assert [(info.name, info.rows) for info in list_stores()] == [("my faces", 70)]
    assert at.selectbox(key="data").value == "my faces"


def test_a_path_that_is_not_there_is_explained(page):
    at = page()
    at.text_input(key="data_path").set_value("/nowhere/fer2013.csv")
    at.button[1].click().run()
    assert "/nowhere/fer2013.csv is not there" in at.error[0].value
    assert not list_stores()


def test_a_broken_table_is_explained_by_its_row(page, tmp_path):
    path = table(tmp_path / "faces.csv", demo_set(70))
    path.write_text(path.read_text().replace("\n3,", "\n9,", 1))
    at = page()
    at.text_input(key="data_path").set_value(str(path))
    at = after_the_job(at.button[1].click().run())
    assert "expected an emotion from 0 to 6, found '9'" in at.error[0].value
    assert not list_stores()


def test_the_overview_states_what_is_wrong_in_figures(photographs):
    words = words_of(photographs())
    assert ">140</strong>" in words
    assert "<b>3</b> faces are exact copies" in words
    assert "1 of 28 are there too" in words
    assert "blank or nearly so" in words


def test_filters_and_page_are_taken_from_the_address(photographs):
    at = photographs(view="Browse", label="happy", split="PublicTest")
    assert not at.exception
    assert at.get("pills")
    happy = int(np.sum((some_faces().labels == 3) & (some_faces().split == 1)))
    assert f"**{happy} faces** of 140" in words_of(at)


def test_a_filter_that_leaves_nothing_says_so(photographs):
    assert "No face is like that" in words_of(photographs(view="Browse", seen_as="angry"))


def test_the_address_opens_one_face_with_all_that_is_known(photographs):
    at = photographs(face="0")
    assert not at.exception
    words = words_of(at)
    assert "0, counted from 0" in words
    assert "What 10 people saw" in words
    assert f"What {DEFAULT_MODEL} scores" in words
    assert "3 copies" in words


def test_a_row_that_is_not_there_is_explained(photographs):
    at = photographs(face="140")
    assert "There is no row 140" in at.warning[0].value


def test_a_face_is_excluded_and_the_mark_undone(photographs):
    at = photographs(face="7")
    at.toggle(key="face_excluded").set_value(True).run()
    assert ",7,exclude," in corrections_path("small").read_text()
    assert "Marked to be left out of training" in words_of(at)
    assert not at.toast, "it would take the place of the page's style"
    assert "1 to exclude" in words_of(at.run())
    at.button(key="marks_undo").click().run()
    assert ",7,exclude," not in corrections_path("small").read_text()


def test_another_label_is_chosen_in_the_dialog_and_the_own_one_takes_it_back(photographs):
    at = photographs(face="7")
    own = LABELS[some_faces().labels[7]]
    other = next(label for label in LABELS if label != own)
    at.pills(key="face_label").set_value(other).run()
    assert f"Marked to be relabelled {other}; the data set says {own}" in words_of(at)
    at.pills(key="face_label").set_value(own).run()
    assert "Not marked" in words_of(at)


def test_a_data_set_that_is_gone_is_named_and_the_address_names_the_one_shown(photographs):
    at = photographs(data="mine")
    assert "There is no data set named mine here any more. This is small." in at.warning[0].value
    assert at.query_params["data"] in ("small", ["small"])
    at.run()
    assert not at.warning


def test_a_data_set_that_is_deleted_meanwhile_is_named(photographs):
    write_store(demo_set(70), "other")
    at = photographs(data="other")
    assert at.selectbox(key="data").value == "other" and not at.warning
    delete_store("other")
    at.run()
    assert "no data set named other here any more" in at.warning[0].value
    assert at.selectbox(key="data").value == "small"


def test_an_array_that_is_cut_short_while_it_is_shown_is_explained_and_can_be_deleted(photographs):
    at = photographs(view="Browse")
    [images] = data_root().glob("small/*/images.npy")
    os.truncate(images, 5000)
    at.run()
    assert not at.exception
    assert "small cannot be opened" in at.error[0].value and "images.npy has 5,000 bytes" in at.error[0].value
    at.button(key="data_delete").click().run()
    assert not list_stores()


def test_arrays_of_other_content_are_explained_and_can_be_deleted(photographs):
    [labels] = data_root().glob("small/*/labels.npy")
    content = bytearray(labels.read_bytes())
    content[-1] = 99
    labels.write_bytes(content)
    at = photographs()
    assert not at.exception
    assert "small cannot be opened" in at.error[0].value
    assert at.button(key="data_delete")


def test_held_out_faces_are_for_validation_not_test_faces(page):
    faces = some_faces()
    write_store(dataclasses.replace(faces, split=np.where(faces.split > 0, 4, 0).astype(np.uint8)), "held out")
    words = words_of(page())
    assert "112 to train on, 28 for validation." in words
    assert "There are no test faces" in words


def test_a_set_of_one_class_has_no_balance(page):
    faces = some_faces()
    write_store(dataclasses.replace(faces, labels=np.zeros_like(faces.labels)), "angry")
    at = page()
    assert not at.exception
    assert "All faces have the same label" in words_of(at) and "angry to angry" not in words_of(at)


def test_before_much_of_a_split_is_excluded_it_asks(page):
    faces = some_faces()
    images = faces.images.copy()
    images[10:30] = images[10]
    write_store(dataclasses.replace(faces, images=images), "film")
    at = page(view="Problems")
    assert "This leaves out **19 % of Training**" in words_of(at)
    at.button(key="act_surplus").click().run()
    assert "22 to exclude" in words_of(at)


def test_nobody_voted_on_a_face_is_said(page):
    faces = some_faces()
    faces.votes[3] = 0
    write_store(faces, "small")
    at = page(face="3", view="Browse")
    assert "Nobody voted on this image" in words_of(at)
    assert "1 faces" not in words_of(at)
    assert "**1 face** of 140" in words_of(page(view="Browse", seen_as="not voted on"))


def test_all_surplus_copies_are_excluded_as_one_step(photographs):
    at = photographs(view="Problems")
    assert "Exact copies" in at.radio(key="problem").options
    at.button(key="act_surplus").click().run()
    assert "3 to exclude" in words_of(at)
    assert "None yet" in words_of(at.button(key="marks_undo").click().run())


def test_of_a_face_that_is_in_both_the_copies_in_training_are_excluded(photographs):
    at = photographs(view="Problems", problem="Test images that are also in training")
    assert at.button(key="act_exclude").label == "Exclude their 3 copies in Training"
    at.button(key="act_exclude").click().run()
    lines = corrections_path("small").read_text().splitlines()[1:]
    assert [line.split(",")[1:3] for line in lines] == [[row, "exclude"] for row in "012"]


def test_a_model_that_may_have_learned_from_every_face_judges_none(page, monkeypatch):
    faces = some_faces()
    all_training = write_store(dataclasses.replace(faces, split=np.zeros_like(faces.split)), "small")
    save_cached(
        cache_folder(all_training.hash),
        f"model-{scores_key(load_recognizer().card)}",
        {
            "probs": np.full((COUNT, 7), 1 / 7, np.float32),
            "features": np.zeros((COUNT, 4), np.float16),
            "xy": np.zeros((COUNT, 2), np.float32),
            "explained": np.zeros(2),
        },
    )
    monkeypatch.setattr("fer_core.trained_on.training_fingerprint", lambda card: None)
    monkeypatch.setattr("fer_core.ui.dataset.problems.training_fingerprint", lambda card: None)
    assert "may have been trained on these faces, so it cannot judge their labels" in words_of(page(view="Problems"))


def test_labels_are_replaced_by_what_people_saw(photographs):
    at = photographs(view="Problems", problem="Labels that the votes contradict")
    at.button(key="act_relabel").click().run()
    assert "relabel,neutral" in corrections_path("small").read_text()
    assert "to relabel" in words_of(at)


def test_an_exported_list_is_imported_as_one_step(photographs):
    at = photographs(view="Problems")
    at.button(key="act_surplus").click().run()
    exported = corrections_path("small").read_bytes()
    at.button(key="marks_undo").click().run()
    at.file_uploader(key="marks_import").set_value([("list.csv", exported, "text/csv")]).run()
    at.button(key="marks_import_now").click().run()
    assert "3 to exclude" in words_of(at)
    assert "None yet" in words_of(at.button(key="marks_undo").click().run())


def test_a_list_about_other_data_is_refused(photographs):
    content = b"step,row,action,label,reason,time,data\n1,0,exclude,,x,,0123\n"
    at = photographs()
    at.file_uploader(key="marks_import").set_value([("list.csv", content, "text/csv")]).run()
    at.button(key="marks_import_now").click().run()
    assert "another data set" in at.error[0].value
    assert not corrections_path("small").exists()


def test_votes_are_added_to_a_set_that_has_none(page, tmp_path):
    faces = dataclasses.replace(some_faces(), votes=None)
    write_store(faces, "small")
    columns = ",".join(VOTE_COLUMNS)
    rows = [
        f"{SPLITS[split]},im{i}.png,{','.join(str(10 * (column == label)) for column in range(10))}"
        for i, (split, label) in enumerate(zip(faces.split, _vote_column(faces.labels), strict=True))
    ]
    path = tmp_path / "votes.csv"
    path.write_text("\n".join([f"Usage,Image name,{columns}", *rows]) + "\n")
    at = page()
    assert "Not known without FER+ votes" in words_of(at)
    at.text_input(key="votes_path").set_value(str(path)).run()
    at = after_the_job(at.button(key="votes_add").click().run())
    assert "100.0 %" in words_of(at)
    assert list_stores()[0].votes


def _vote_column(labels):
    named = [canonical(column) for column in VOTE_COLUMNS]
    return [named.index(LABELS[label]) for label in labels]


def test_a_broken_list_of_marks_is_explained_and_kept(photographs):
    corrections_path("small").write_text("step,row\n")
    at = photographs()
    assert "The marked faces cannot be read" in at.error[0].value
    assert corrections_path("small").read_text() == "step,row\n"


def test_near_copies_are_looked_for_once_and_kept(photographs):
    at = photographs(view="Problems")
    assert "Near copies" not in at.radio(key="problem").options
    at = after_the_job(at.button(key="look_near").click().run())
    assert "Near copies" in at.radio(key="problem").options
    st.cache_resource.clear()  # as a server that was started again
    assert "Near copies" in photographs(view="Problems").radio(key="problem").options


def test_the_map_is_made_once_the_model_has_looked(photographs):
    at = photographs(view="Map")
    assert "The map of all faces appears here" in words_of(at)
    at = after_the_job(at.button(key="map_look").click().run())
    assert not at.exception
    assert "principal components" in words_of(at)


def test_a_damaged_store_is_explained_and_can_be_deleted(photographs):
    (data_root() / "small" / "meta.json").write_text("{}")
    at = photographs()
    assert "small cannot be opened" in at.error[0].value
    at.button(key="data_delete").click().run()
    assert not list_stores()
    assert "No data set is here yet" in words_of(at)


def test_before_a_set_is_deleted_it_says_what_goes_and_what_stays(photographs):
    at = photographs()
    assert "Delete **small** and the list of faces marked in it" in words_of(at)
    at.button(key="data_delete").click().run()
    assert not list_stores()


def test_mixed_tests_are_named_and_a_validation_split_is_offered(page):
    faces = some_faces()
    mixed = np.where(faces.split > 0, 3, 0).astype(np.uint8)
    write_store(dataclasses.replace(faces, split=mixed, votes=None), "tree")
    at = page()
    assert "cannot be told apart" in words_of(at)
    at = after_the_job(at.button(key="data_hold_out").click().run())
    assert not at.exception
    assert [info.name for info in list_stores()] == ["tree", "tree with validation"]
    assert "Validation" in list_stores()[1].counts


def test_while_a_set_is_read_none_is_split_or_given_votes(page):
    faces = some_faces()
    write_store(dataclasses.replace(faces, split=np.where(faces.split > 0, 3, 0).astype(np.uint8)), "tree")
    lock = take(_key_lock(KIND))  # as if a job held it
    folder = jobs_root() / "running"
    own = take(folder / LOCK_FILE)
    request = Request("x:X", {}, KIND, KIND, "Reading another", "somebody", 0.0, 60.0)
    write_json(folder / "request.json", dataclasses.asdict(request))
    at = page()
    at.text_input(key="votes_path").set_value("/votes.csv").run()
    assert at.button(key="data_hold_out").disabled
    assert at.button(key="votes_add").disabled
    assert "Reading another (started in another tab)" in str(at.get("progress")[0].proto)
    os.close(lock)
    os.close(own)
    assert not page().error, "how it ended is not told to others"


def test_another_tab_stays_at_its_data_set_when_one_is_written(page):
    faces = some_faces()
    mixed = np.where(faces.split > 0, 3, 0).astype(np.uint8)
    write_store(dataclasses.replace(faces, split=mixed, votes=None), "tree")
    splitter, other = page(), page()
    after_the_job(splitter.button(key="data_hold_out").click().run())
    assert other.run().selectbox(key="data").value == "tree"
    assert splitter.selectbox(key="data").value == "tree with validation"
    assert "tree with validation" in other.selectbox(key="data").options


def test_a_face_opens_beside_a_broken_list_of_marks(photographs):
    corrections_path("small").write_text("step,row\n")
    at = photographs(face="3")
    assert not at.exception
    assert "3, counted from 0" in words_of(at)


@pytest.mark.parametrize("row", ["9" * 5000, "99999", "-1", "x"])
def test_a_row_that_is_not_there_is_said(photographs, row):
    at = photographs(face=row)
    assert not at.exception
    assert "There is no row" in at.warning[0].value


def test_a_set_of_the_name_is_not_replaced_by_another_that_is_held_out(page):
    faces = some_faces()
    write_store(dataclasses.replace(faces, votes=None), "tree with validation")
    mixed = np.where(faces.split > 0, 3, 0).astype(np.uint8)
    write_store(dataclasses.replace(faces, split=mixed, votes=None), "tree")
    after_the_job(page(data="tree").button(key="data_hold_out").click().run())
    assert [info.name for info in list_stores()] == ["tree", "tree with validation", "tree with validation 2"]


def saved(how):
    """Change the tags and subsets of the stored set."""
    faces = some_faces()
    change_selections("small", faces.hash, len(faces), how)


def test_numbers_problems_tags_and_subsets_are_taken_from_the_address(photographs):
    saved(lambda selections: selections.tag([3, 4, 5], "odd", NOW).save_rows("two", [4, 5], NOW))
    assert "**1 face** of 140" in words_of(photographs(view="Browse", brightness=["0", "1"]))
    assert "**4 faces** of 140" in words_of(photographs(view="Browse", problems="Exact copies"))
    assert "**3 faces** of 140" in words_of(photographs(view="Browse", tags="odd"))
    at = photographs(view="Browse", tags="odd", subset="two", problems="Blank and nearly blank images")
    assert "**1 face** of 140" in words_of(at)
    assert "Also filtered by subset, tags, problems" in words_of(at)
    at.button(key="reset_filters").click().run()
    assert not at.exception
    assert "**140 faces**" in words_of(at)


def test_votes_for_the_label_are_a_filter(photographs):
    neutral = int(np.sum(some_faces().labels == LABELS.index("neutral")))
    assert f"**{neutral} faces** of 140" in words_of(photographs(view="Browse", votes=["10", "10"]))


def test_predictions_can_be_chosen_once_the_model_was_asked(photographs):
    assert "can be chosen once" in words_of(photographs(view="Browse"))
    faces, card = some_faces(), load_recognizer().card
    probs = np.full((COUNT, 7), 0.05, np.float32)
    probs[:, LABELS.index("sad")] = 0.7
    probs[:10, :] = np.eye(7, dtype=np.float32)[LABELS.index("happy")]
    flat = np.zeros((COUNT, 2), np.float32)
    outputs = ModelOutputs(probs, flat, Projection2D(flat, (0.5, 0.5)))
    save_cached(cache_folder(faces.hash), outputs_name(card, load_recognizer().label_set), outputs.to_arrays())
    assert "**10 faces** of 140" in words_of(photographs(view="Browse", predicted="happy"))
    at = photographs(view="Browse", confidence=["60", "80"], order="Least confident")
    assert not at.exception
    assert "**130 faces** of 140" in words_of(at)


def test_faces_on_show_are_tagged_and_saved(photographs):
    saved(lambda selections: selections.tag([0], "glad", NOW))
    at = photographs(view="Browse", label="happy")
    at.text_input(key="browse_subset").set_value("happy ones")
    next(button for button in at.button if button.label == "Save subset").click().run()
    at.selectbox(key="browse_tag").set_value("glad")
    next(button for button in at.button if button.label == "Tag").click().run()
    assert not at.exception
    faces = some_faces()
    selections = read_selections("small", faces.hash, COUNT)
    assert selections.subsets["happy ones"].query == Query(labels=("happy",))
    happy = np.flatnonzero(faces.labels == LABELS.index("happy"))
    np.testing.assert_array_equal(selections.tags["glad"], np.union1d([0], happy))
    at.text_input(key="subset_happy ones_name").set_value("glad ones")
    next(button for button in at.button if button.label == "Rename").click().run()
    at.button(key="selections_undo").click().run()
    assert not at.exception


def test_a_name_that_is_taken_is_explained(photographs):
    saved(lambda selections: selections.save_rows("two", [4, 5], NOW))
    at = photographs(view="Browse")
    at.text_input(key="browse_subset").set_value("two")
    next(button for button in at.button if button.label == "Save subset").click().run()
    assert "already a subset named two" in at.error[0].value


def test_a_damaged_file_of_tags_is_explained(photographs):
    selections_path("small").write_text("{")
    at = photographs(view="Browse")
    assert not at.exception
    assert "tags and subsets cannot be read" in at.error[0].value


def test_a_face_is_tagged_in_its_dialog(photographs):
    at = photographs(face="9")
    at.multiselect(key="face_tags").set_value(["odd"]).run()
    assert not at.exception
    assert read_selections("small", some_faces().hash, COUNT).tags_of(9) == ("odd",)


def test_a_face_stands_beside_its_copies_with_all_their_labels(photographs):
    labels = [LABELS[some_faces().labels[row]] for row in (0, 1, 2, COUNT - 1)]
    words = words_of(photographs(face="0"))
    assert "**3 copies** of this picture" in words
    assert "labels differ" in words if len(set(labels)) > 1 else f"all {labels[0]}" in words


def test_the_cleaned_set_is_written_with_its_card(photographs, tmp_path):
    faces = some_faces()
    change_corrections("small", faces.hash, COUNT, lambda corrections: corrections.exclude([5], "blank", NOW))
    at = photographs()
    at.text_input(key="clean_folder").set_value(str(tmp_path / "clean"))
    at = after_the_job(next(button for button in at.button if button.label == "Write").click().run())
    assert not at.exception
    assert "139 of 140 faces" in at.success[0].value
    assert (tmp_path / "clean" / "DATA_CARD.md").is_file()


def test_without_kagglehub_it_says_what_to_install(page, monkeypatch):
    find = importlib.util.find_spec
    without = lambda name, *rest: None if name == "kagglehub" else find(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", without)
    at = page()
    at.segmented_control(key="data_way").set_value("Kaggle").run()
    assert "pip install kagglehub" in at.info[0].value
    assert "data_kaggle_read" not in [button.key for button in at.button]


def test_votes_are_joined_where_the_table_is_added(page, tmp_path):
    faces = demo_set(70)
    path = table(tmp_path / "faces.csv", faces)
    columns = ",".join(VOTE_COLUMNS)
    votes = [f"Training,fer{row}.png,10{',0' * 9}" for row in range(70)]
    (tmp_path / "votes.csv").write_text("\n".join([f"Usage,Image name,{columns}", *votes]) + "\n")
    at = page()
    at.text_input(key="data_path").set_value(str(path))
    at.text_input(key="data_path_votes").set_value(str(tmp_path / "votes.csv"))
    at = after_the_job(at.button[1].click().run())
    assert not at.exception
    assert [(info.name, info.votes) for info in list_stores()] == [("faces", True)]
