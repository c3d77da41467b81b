"""Pictures and videos on a page: choose, analyse, look, take the table away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import streamlit as st

from fer_core.background.jobs import Job
from fer_core.errors import MediaError
from fer_core.formats import count_text
from fer_core.imaging.sound import CUT_OFF
from fer_core.media.analysis import Choices
from fer_core.media.blur import KEPT_S
from fer_core.media.job import (
    KEPT_MIN,
    AnalyzeMedia,
    MediaResult,
    read_media_result,
    stored_name,
    unique_names,
)
from fer_core.media.names import face_names, merge_faces
from fer_core.media.report import html_report
from fer_core.media.sources import ARCHIVE, PICTURES, VIDEOS, is_picture
from fer_core.media.summary import summarize
from fer_core.recognition.table import score_columns
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.face_cards import face_summaries_html
from fer_core.ui.components.face_table import (
    course_of_faces,
    table_of_faces,
)
from fer_core.ui.components.jobs import keep_while_open, own_job, owner_id, show_failure, show_job, start_own_job
from fer_core.ui.components.label_set_choice import label_set_choice
from fer_core.ui.components.player import PLAYER, link_player
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.media.faces import buttons_on_faces, open_moment, open_row, show_opened_face
from fer_core.ui.media.names import ask_for_names, with_names
from fer_core.ui.media.paste import PASTE_HELP, paste_into

# Of this viewer alone: what is in a picture is nobody else's business.
_RESULT = "media_result"
_EVERY_S = {"All": 0.0, "10 a second": 0.1, "2 a second": 0.5, "1 a second": 1.0}


def media_view(recognizer: EmotionRecognizer, model: Path) -> None:
    """Ask for files, analyse them in the background, and show the results.

    Args:
        recognizer: the model.
        model: its folder.
    """
    job = own_job(AnalyzeMedia.kind)
    running = job is not None and job.running
    with st.container(gap=None):
        uploads = st.file_uploader(
            "Pictures, videos and .zip archives of them, up to 400 MB each",
            accept_multiple_files=True,
            key="media_files",
            type=[suffix.removeprefix(".") for suffix in (*PICTURES, *VIDEOS, ARCHIVE)],
            help=PASTE_HELP,
        )
        paste_into("media_files")
    choices = _choices(recognizer)
    if st.button(
        "Analyse",
        type="primary",
        icon=":material/play_arrow:",
        key="media_start",
        disabled=running or not uploads or choices is None,
    ):
        assert choices is not None
        _start(uploads, model, choices)
    if job is None or job.state == "cancelled":
        empty_state(
            "Results appear here",
            "Choose pictures or videos. Every face of every frame becomes a row: "
            "when, where, which expression, all scores. You take the rows away as a table.",
            220,
        )
    elif running:
        show_job(job)
    elif job.state == "failed":
        show_failure(job)
    else:
        keep_while_open(job)
        _show(_result(job), job.id, model)


def _start(uploads: Sequence[BinaryIO], model: Path, choices: Choices) -> None:
    if (before := own_job(AnalyzeMedia.kind)) is not None:
        before.remove()
    names = unique_names([upload.name for upload in uploads])
    task = AnalyzeMedia(
        names,
        str(model.resolve()),
        owner_id(),
        choices.every_s,
        choices.smoothing_s,
        choices.label_set,
        choices.blur,
        choices.start_s,
        None if math.isinf(choices.end_s) else choices.end_s,
    )
    files = {
        stored_name(number, name): upload for number, (name, upload) in enumerate(zip(names, uploads, strict=True))
    }
    if start_own_job(task, files) is not None:
        st.rerun()


def _result(job: Job) -> MediaResult:
    """Return the result of a job, read once in this viewer's session."""
    job_id, result = st.session_state.get(_RESULT, ("", None))
    if job_id != job.id:
        try:
            result = read_media_result(job.outputs, job.result)
        except MediaError as error:
            st.error(str(error), icon=":material/error:")
            st.stop()
        st.session_state[_RESULT] = job.id, result
    return result


def _choices(recognizer: EmotionRecognizer) -> Choices | None:
    """Ask how to analyse; None where the answers contradict each other."""
    label_set = label_set_choice(recognizer.card)
    with st.sidebar:
        st.subheader("Videos")
        every = st.selectbox(
            "Frames",
            list(_EVERY_S),
            key="media_every",
            persist_state="session",
            help="Fewer frames are analysed sooner. Times in the table are those of the video.",
        )
        smoothing_s = st.slider(
            "Smoothing",
            0.0,
            2.0,
            0.0,
            0.1,
            format="%.1f s",
            key="media_smoothing",
            persist_state="session",
            help="Scores are averaged over about this time. At 0 s the table holds what each frame gave by itself.",
        )
        start_s, end_s = _part()
        blur = _copy_options()
    try:
        return Choices(_EVERY_S[every], smoothing_s, label_set=label_set, blur=blur, start_s=start_s, end_s=end_s)
    except MediaError as error:
        st.sidebar.error(str(error), icon=":material/error:")
        return None


def _part() -> tuple[float, float]:
    """Ask for the part of videos to analyse; return where it begins and ends in seconds."""
    begin, end = st.columns(2)
    start_s = begin.number_input(
        "From, seconds", 0.0, None, None, 1.0, format="%.1f", key="media_from", placeholder="0"
    )
    end_s = end.number_input("To, seconds", 0.0, None, None, 1.0, format="%.1f", key="media_to", placeholder="end")
    return start_s or 0.0, math.inf if end_s is None else end_s


def _copy_options() -> bool:
    with st.expander("Copy"):
        return st.toggle(
            "Blur faces",
            key="media_blur",
            persist_state="session",
            help=f"In the marked copies. A face that is lost stays blurred where it was for {KEPT_S:g} seconds; one "
            "that is never found is not blurred.",
        )


def _show(result: MediaResult, job_id: str, model: Path) -> None:
    if result.cancelled:
        st.warning("Cancelled. The results until then are here.", icon=":material/stop_circle:")
    for file in result.metadata["files"]:
        if "error" in file:
            st.error(file["error"], icon=":material/broken_image:")
    files = [file["file"] for file in result.metadata["files"] if file["frames"]]
    if not files:
        return
    name = files[0] if len(files) == 1 else st.selectbox("File", files, key="media_file")
    result = with_names(result, job_id)
    rows = result.rows[result.rows["file"] == name]
    labels = score_columns(rows)  # of the model that was used, whichever is chosen now
    _look(result, name, rows, labels)
    if not is_picture(Path(name)) and (faces := summarize(rows, labels)):
        ask_for_names(result, job_id, name, faces)
    with st.container(horizontal=True):
        _offer_copy(result, name)
        _offer_report(result)
    table_of_faces(
        result.csv,
        rows,
        result.metadata,
        "expressions",
        ("" if len(files) == 1 else "The download holds all files. ")
        + f"It is deleted when you analyse something else, or {KEPT_MIN} minutes after you close this page.",
        partial(open_row, rows) if result.faces else None,
    )
    show_opened_face(result, model)


def _marked_picture(result: MediaResult, name: str, copy: Path, rows: pd.DataFrame, labels: list[str]) -> None:
    count = int(rows["face"].notna().sum())
    with st.container(key="media_picture", gap=None):
        st.image(str(copy), width="stretch", alt=f"{name} with {count_text(count, 'face')} marked")
        if count and result.faces:
            buttons_on_faces(copy, rows, labels)
    if count and result.faces:
        st.caption("Click on a face to see it as the model gets it, and where the model looks.")


def _moments(result: MediaResult, name: str, rows: pd.DataFrame, labels: list[str]) -> None:
    sound = next(file for file in result.metadata["files"] if file["file"] == name).get("sound", "")
    if sound.startswith(CUT_OFF):
        st.caption(f"Its sound is {sound}.")
    moments = result.moments.get(name, ())
    on_ask = partial(open_moment, rows) if result.faces else None
    link_player(float(rows["time_s"].min()), moments, labels, on_ask=on_ask)
    if moments:
        st.caption("When each expression was strongest. Click on one, or on the curves, to go there.")


def _offer_copy(result: MediaResult, name: str) -> None:
    if (copy := result.copies.get(name)) is None:
        return
    st.download_button(
        "Marked copy",
        copy.read_bytes,
        copy.name,
        "image/png" if is_picture(Path(name)) else "video/mp4",
        icon=":material/download:",
        key="media_copy",
        on_click="ignore",
    )


def _offer_report(result: MediaResult) -> None:
    with st.popover("Report", icon=":material/description:", key="media_report"):
        pictures = st.toggle(
            "With pictures", key="media_report_pictures", help="Of people, in each video's strongest moments."
        )
        st.download_button(
            "Report",
            partial(html_report, result.rows, result.metadata, result.moments if pictures else None),
            "expressions.html",
            "text/html",
            icon=":material/download:",
            key="media_report_file",
            help="HTML: one page that loads nothing, of all files.",
            on_click="ignore",
        )


def _look(result: MediaResult, name: str, rows: pd.DataFrame, labels: list[str]) -> None:
    """Show a file with its faces marked, and each face in short."""
    names = face_names(rows)
    rows = merge_faces(rows)
    faces = summarize(rows, labels)
    media, cards = st.columns([7, 4], gap="medium")
    with media:
        copy = result.copies.get(name)
        if copy is None:
            empty_state("No marked copy", "The file could not be read to its end; the table holds what was found.", 220)
        elif is_picture(Path(name)):
            _marked_picture(result, name, copy, rows, labels)
        else:
            with st.container(key=PLAYER):
                st.video(str(copy), format="video/mp4")
            _moments(result, name, rows, labels)
    with cards, st.container(key="media_cards"):
        if faces:
            st.html(face_summaries_html(faces, labels, result.portraits.get(name, {}), rows["frame"].nunique(), names))
        else:
            empty_state(
                "No face was found",
                "Faces must look towards the camera, in even light, and be at least 48 "
                "pixels wide, in a video also a twenty-fifth of its longer side.",
                220,
            )
    if faces and not is_picture(Path(name)):
        course_of_faces(rows, labels, faces, names)
