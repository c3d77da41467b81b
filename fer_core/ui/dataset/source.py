"""The ways in for a data set: draw one, read a path, take an upload, fetch one from Kaggle."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from fer_core.data.demo import demo_set
from fer_core.data.download import DEFAULT_DATASET, download_kaggle
from fer_core.data.sources import import_source
from fer_core.data.store import data_root, list_stores, write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.ui.components.data_view import look_first
from fer_core.ui.components.jobs import (
    Job,
    Report,
    find_job,
    forget_job,
    show_job,
    start_job,
)
from fer_core.ui.components.pictures import captioned_faces

JOB = "dataset"
# The widget that names the data set on show, and the address's word for it.
SELECTED = "data"

_WAYS = {"Path": ":material/folder_open:", "Upload": ":material/upload_file:", "Kaggle": ":material/cloud_download:"}
_DEMO = "2,000 faces drawn by this program, in a few seconds. They are not photographs and not FER-2013."
_FORMS = (
    "fer2013.csv, icml_face_data.csv, the competition's train.csv, or folders named train and test; plain or in "
    ".zip, .tar.gz, .gz or .xz. Recognised by what is in it, not by its name."
)


def settle_reading() -> Job | None:
    """Take up the reading that ended or runs, before anything is drawn; what was read becomes the one on show."""
    job = find_job(JOB)
    if job is not None and not job.progress.running:
        forget_job(JOB)
        if job.result:
            st.session_state[SELECTED] = job.result
            st.toast(f"{job.result} is ready.", icon=":material/check:")
    return job


def show_reading(job: Job | None) -> None:
    """Show how far a reading is, or why it failed."""
    if job is None:
        return
    if job.progress.running:
        show_job(JOB, job)
    elif job.progress.error:
        st.error(f"**{job.title} failed.** {job.progress.error}", icon=":material/error:")


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
                on_click=_draw,
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
            _draw()
            st.rerun()


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
    with st.form("data_path_form", border=False):
        path = st.text_input(
            "File or folder on the machine that runs this page",
            placeholder="/home/me/fer2013.csv",
            help=_FORMS,
            key="data_path",
        )
        name = _name_input()
        if not st.form_submit_button("Read", icon=":material/play_arrow:", disabled=is_reading()):
            return
    if not path.strip():
        st.error("Name the file or folder to read, for example /home/me/fer2013.csv.", icon=":material/error:")
        return
    try:
        source = typed_path(path)
    except DataError as error:
        st.error(str(error), icon=":material/error:")
        return
    _start(
        f"Reading {source.name}",
        name or source.name,
        lambda store: lambda report: import_source(source, store, progress=report),
    )


def _from_upload() -> None:
    upload = st.file_uploader("A table or an archive, up to 400 MB", help=_FORMS, key="data_upload")
    name = _name_input()
    if st.button("Read", icon=":material/play_arrow:", disabled=is_reading() or upload is None, key="data_upload_read"):
        _start(
            f"Reading {upload.name}",
            name or upload.name,
            lambda store: lambda report: _import_upload(upload, upload.name, store, report),
        )


def _from_kaggle() -> None:
    dataset = st.text_input(
        "Data set on Kaggle",
        DEFAULT_DATASET,
        key="data_kaggle",
        help="Fetched with the kagglehub package; credentials come from its own configuration.",
    )
    name = _name_input()
    if st.button("Download", icon=":material/cloud_download:", disabled=is_reading(), key="data_kaggle_read"):
        _start(
            f"Downloading {dataset}",
            name or dataset.rpartition("/")[2],
            lambda store: lambda report: import_source(download_kaggle(dataset), store, progress=report),
        )


def _name_input() -> str:
    return st.text_input("What to call it", placeholder="taken from the file", max_chars=64, key="data_name").strip()


def typed_path(words: str) -> Path:
    """Return the path that a user typed or pasted, perhaps in quotes or with ~ for a home folder.

    Raises:
        DataError: nothing is there, or it cannot be looked at.
    """
    path = Path(words.strip().strip("'\""))
    try:
        path = path.expanduser()
        there = path.exists()
    except RuntimeError as error:  # pathlib's way to say that it knows no such user
        raise DataError(
            f"{path} begins with the home folder of a user whom this machine does not know. Write the "
            "whole path, for example /home/me/fer2013.csv."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be looked at: {error.strerror or error}. Check the path, and that this "
            "machine's user may read the folders on the way to it."
        ) from error
    if not there:
        raise DataError(f"{path} is not there. Check the path: it is looked for on the machine that runs this page.")
    return path


def _import_upload(upload: BinaryIO, file_name: str, store: str, report: Report) -> None:
    try:
        data_root().mkdir(parents=True, exist_ok=True)
        # Beside the stores, where there must be room anyway; the readers want a file, not a stream.
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=data_root()) as folder:
            path = Path(folder) / Path(file_name).name
            with path.open("wb") as file:
                shutil.copyfileobj(upload, file, 1 << 20)
            import_source(path, store, progress=report)
    except OSError as error:
        raise DataError(
            f"{file_name} cannot be copied to {data_root()}: {error.strerror or error}. Free some space "
            "there, or name its path instead of uploading it."
        ) from error


def _start(title: str, wanted: str, work_for: Callable[[str], Callable[[Report], object]]) -> None:
    """Start a job that fills a store named after `wanted`, and let the page show it."""
    store = store_name(wanted, {info.name for info in list_stores()})
    work = work_for(store)

    def run(report: Report) -> str:
        work(report)
        look_first(store)
        return store

    start_job(JOB, title, run)
    st.rerun()


def _draw() -> None:
    def draw(report: Report) -> str:
        store = store_name("demo", {info.name for info in list_stores()})
        write_store(demo_set(), store)
        look_first(store)
        return store

    start_job(JOB, "Drawing 2,000 faces", draw)


def is_reading() -> bool:
    """Tell whether a data set is being read, drawn or changed now: one at a time."""
    job = find_job(JOB)
    return job is not None and job.progress.running


def store_name(wanted: str, taken: set[str]) -> str:
    """Turn a file's name or a user's words into a name that a store can have and that none has yet.

    >>> store_name("fer2013.csv.xz", {"fer2013"})
    'fer2013 2'
    """
    name = re.sub(r"(\.(csv|zip|tar|gz|tgz|xz))+$", "", wanted, flags=re.IGNORECASE)
    name = re.sub(r"[^A-Za-z0-9 ._-]+", "-", name).strip(" ._-")[:60] or "faces"
    numbered = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


@st.cache_data(show_spinner=False)
def _drawn_strip() -> str:
    faces = demo_set(70, seed=3)
    rows = [int((faces.labels == k).argmax()) for k in range(len(LABELS))]
    return captioned_faces(faces.images[rows], LABELS, "Drawn face")
