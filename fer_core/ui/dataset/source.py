"""The ways in for a data set: draw one, read a path, take an upload, fetch one from Kaggle."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import BinaryIO

import streamlit as st

from fer_core.audit.import_jobs import KIND, ImportDemo, ImportKaggle, ImportPath, ImportUpload
from fer_core.background.jobs import Job, running_job
from fer_core.background.launch import plain_name
from fer_core.background.task import Task
from fer_core.data.class_folders import CLASS_CHOICES
from fer_core.data.demo import demo_set
from fer_core.data.download import DEFAULT_DATASET
from fer_core.data.importing import resolve_path
from fer_core.data.store import list_stores
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.ui.components.access import operator_only
from fer_core.ui.components.jobs import own_job, show_failure, show_job, start_own_job
from fer_core.ui.components.pictures import captioned_faces

_CLASSES = {
    "auto": "The seven expressions, or the folders' own names",
    "own": "Every folder is a class (own)",
    "skip-unknown": "The seven expressions; skip other folders (skip-unknown)",
}

# The widget that names the data set on show, and the address's word for it.
SELECTED = "data"

_UPLOADS = "data_uploads"
# What an uploaded table of votes is called beside the faces.
_VOTES_UPLOAD = "FER+ votes"
_WAYS = {"Path": ":material/folder_open:", "Upload": ":material/upload_file:", "Kaggle": ":material/cloud_download:"}
_DEMO = "2,000 faces drawn by this program, in a few seconds. They are not photographs and not FER-2013."
_FORMS = (
    "fer2013.csv, icml_face_data.csv, the competition's train.csv, or images in folders named after their expression "
    "or after classes of your own, with train and test around them or without; plain or in .zip, .tar.gz, .gz, .xz or "
    ".bz2. Recognised by what is in it, not by its name."
)
# What table of votes can be given beside the faces.
VOTES_SENTENCE = (
    "fer2013new.csv of FER+: ten people's votes on each face, joined row by row with the whole fer2013.csv."
)


def settle_reading() -> Job | None:
    """Take up the job that reads or changes a data set, before anything is drawn.

    The data set that a job of this tab has written becomes the one on show.

    Returns:
        The job that runs, whoever started it, or the one of this tab that failed.
    """
    job = own_job(KIND)
    if job is not None and job.state in ("finished", "cancelled"):
        job.remove()
        if job.state == "finished":
            st.session_state[SELECTED] = job.result["store"]
            st.toast(f"{job.result['store']} is ready.", icon=":material/check:")
        job = None
    return running_job(KIND) or job


def show_reading(job: Job | None) -> None:
    """Show how far a reading is, or why it failed."""
    if job is None:
        return
    if job.running:
        show_job(job)
    else:
        show_failure(job)


def no_data_yet() -> None:
    """Say what will be here and offer the ways in: the page of a machine without any data set."""
    with st.container(border=True, key="data_empty"):
        words, faces = st.columns([6, 5], gap="large", vertical_alignment="center")
        with words:
            st.subheader("No data set is here yet")
            st.markdown(
                "FER-2013 may not be passed on with a program, so you bring your own copy. Then you see here how its "
                "faces are spread over seven expressions, leaf through all of them, and find what is wrong with them: "
                "copies, test images that are also in training, labels that people contradict."
            )
            st.button(
                "Draw the demo set",
                type="primary",
                icon=":material/draw:",
                on_click=start_data_job,
                args=(ImportDemo(),),
                key="draw_demo",
                disabled=is_reading(),
            )
            st.caption(f"{_DEMO} Everything on this page works with them.")
        with faces:
            st.html(_drawn_strip())
    st.subheader("Or bring your own copy")
    ways_in()


def add_data() -> None:
    """A button that opens the ways in beside the data sets that are here already."""
    if st.button("Add", icon=":material/add:", help="Read another data set", key="add_data", disabled=is_reading()):
        _add_dialog()


@st.dialog("Add a data set", width="medium")
def _add_dialog() -> None:
    ways_in()
    if not any(info.source.synthetic for info in list_stores()):
        st.divider()
        st.caption(_DEMO)
        if st.button("Draw the demo set", icon=":material/draw:", key="draw_demo"):
            _start(ImportDemo())


def ways_in() -> None:
    """Ask where the data set is and start to read it."""
    with st.container(key="data_ways"):
        _ways_in()


def _ways_in() -> None:
    way = st.segmented_control(
        "Where is it?",
        list(_WAYS),
        default="Path",
        required=True,
        key="data_way",
        format_func=lambda name: f"{_WAYS[name]} {name}",
    )
    {"Path": _from_path, "Upload": _from_upload, "Kaggle": _from_kaggle}[way]()


def _from_path() -> None:
    if not operator_only("Reading files of this computer", "data_path_token"):
        return
    with st.form("data_path_form", border=False):
        path = st.text_input(
            "File or folder on the machine that runs this page",
            placeholder="/home/me/fer2013.csv",
            help=_FORMS,
            key="data_path",
        )
        name, classes = _name_input(), _classes_input()
        with st.expander("FER+ votes", icon=":material/how_to_vote:"):
            votes = st.text_input(
                "File with the votes, if you have it", placeholder="/home/me/fer2013new.csv", key="data_path_votes"
            )
            st.caption(f"{VOTES_SENTENCE} Where it lies beside the table it is joined anyway. It can be added later.")
        if not st.form_submit_button("Read", icon=":material/play_arrow:", disabled=is_reading()):
            return
    if not path.strip():
        st.error("Name the file or folder to read, for example /home/me/fer2013.csv.", icon=":material/error:")
        return
    try:
        source = resolve_path(path).resolve()
        table = str(resolve_path(votes).resolve()) if votes.strip() else ""
    except DataError as error:
        st.error(str(error), icon=":material/error:")
        return
    _start(ImportPath(str(source), name, classes=classes, votes=table))


def _from_upload() -> None:
    # A new key for each upload that is taken, so that the server lets go of the one before.
    number = st.session_state.setdefault(_UPLOADS, 0)
    upload = st.file_uploader("A table or an archive, up to 400 MB", help=_FORMS, key=f"data_upload_{number}")
    name, classes = _name_input(), _classes_input()
    with st.expander("FER+ votes", icon=":material/how_to_vote:"):
        votes = st.file_uploader(
            "Table with the votes, if you have it", max_upload_size=64, key=f"data_upload_votes_{number}"
        )
        st.caption(f"{VOTES_SENTENCE} It can be added later.")
    if (
        st.button("Read", icon=":material/play_arrow:", disabled=is_reading() or upload is None, key="data_upload_read")
        and upload is not None
    ):
        file = plain_name(upload.name)
        uploads = {file: upload} | ({_VOTES_UPLOAD: votes} if votes else {})
        if start_data_job(ImportUpload(file, name, classes=classes, votes=_VOTES_UPLOAD if votes else ""), uploads):
            st.session_state[_UPLOADS] = number + 1
            st.rerun()


def _from_kaggle() -> None:
    if not operator_only("Downloading with this computer's Kaggle account", "data_kaggle_token"):
        return
    if importlib.util.find_spec("kagglehub") is None:
        st.info(
            "Downloads need the package kagglehub, which is not installed here: `pip install kagglehub`, then start "
            "the app again. Or download the archive in a browser and read it in by Path or Upload.",
            icon=":material/extension:",
        )
        return
    dataset = st.text_input(
        "Data set on Kaggle",
        DEFAULT_DATASET,
        key="data_kaggle",
        help="Fetched with the kagglehub package; credentials come from its own configuration.",
    )
    name, classes = _name_input(), _classes_input()
    if st.button("Download", icon=":material/cloud_download:", disabled=is_reading(), key="data_kaggle_read"):
        _start(ImportKaggle(dataset, name, classes))


def _name_input() -> str:
    return st.text_input("What to call it", placeholder="taken from the file", max_chars=64, key="data_name").strip()


def _classes_input() -> str:
    """Draw what folders are that name no emotion; the choice is one of `CLASS_CHOICES`."""
    return st.selectbox(
        "Classes",
        CLASS_CHOICES,
        format_func=_CLASSES.__getitem__,
        key="data_classes",
        help="For images in folders. FER-2013's seven expressions are recognised under all usual names. Folders of "
        "other names: if at most half of the folders name expressions, every folder is a class of its own. If only a "
        "few have other names, choose here whether to skip them or to take every folder as a class.",
    )


def start_data_job(task: Task, uploads: Mapping[str, BinaryIO] | None = None) -> bool:
    """Start a job that writes a data set; return whether it was started. An outcome of before is let go of."""
    if (before := own_job(KIND)) is not None:
        before.remove()
    return start_own_job(task, uploads) is not None


def _start(task: Task, uploads: Mapping[str, BinaryIO] | None = None) -> None:
    if start_data_job(task, uploads):
        st.rerun()


def is_reading() -> bool:
    """Tell whether a data set is being read, drawn or changed now: one at a time."""
    return running_job(KIND) is not None


@st.cache_data(show_spinner=False)
def _drawn_strip() -> str:
    faces = demo_set(70, seed=3)
    rows = [int((faces.labels == k).argmax()) for k in range(len(LABELS))]
    return captioned_faces(faces.images[rows], LABELS, "Drawn face")
