"""Pictures and videos on a page: choose, analyse, look, take the table away."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.media.analysis import PICTURES, VIDEOS, Choices, is_picture
from fer_core.media.summary import FaceSummary, summarize
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.face_cards import face_summaries_html
from fer_core.ui.components.face_table import (
    count_words,
    course_of_faces,
    table_of_faces,
)
from fer_core.ui.components.jobs import Job, show_job
from fer_core.ui.components.label_set_choice import label_set_choice
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.media.job import Found, analyse

# Of this viewer alone: what is in a picture is nobody else's business.
_JOB = "media_job"
_EVERY_S = {"All": 0.0, "10 a second": 0.1, "2 a second": 0.5, "1 a second": 1.0}


def media_view(recognizer: EmotionRecognizer) -> None:
    """Ask for files, analyse them in the background, and show what was found."""
    job: Job | None = st.session_state.get(_JOB)
    running = job is not None and job.progress.running
    uploads = st.file_uploader(
        "Pictures and videos, up to 400 MB each",
        accept_multiple_files=True,
        key="media_files",
        type=[suffix.removeprefix(".") for suffix in PICTURES + VIDEOS],
    )
    choices = _choices(recognizer)
    if st.button(
        "Analyse", type="primary", icon=":material/play_arrow:", key="media_start", disabled=running or not uploads
    ):
        st.session_state[_JOB] = Job(_title(uploads), lambda report: analyse(recognizer, uploads, choices, report))
        st.rerun()
    if job is None:
        empty_state(
            "What is found appears here",
            "Choose pictures or videos. Every face of every frame becomes a row: "
            "when, where, which expression, all seven scores. You take the rows away as a table.",
            220,
        )
    elif running:
        show_job("media", job)
    elif job.progress.error:
        st.error(f"**{job.title} failed.** {job.progress.error}", icon=":material/error:")
    else:
        _show(job.result, recognizer)


def _choices(recognizer: EmotionRecognizer) -> Choices:
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
    return Choices(_EVERY_S[every], smoothing_s, label_set=label_set)


def _title(uploads: list) -> str:
    return f"Analysing {uploads[0].name}" if len(uploads) == 1 else f"Analysing {len(uploads)} files"


def _show(found: Found, recognizer: EmotionRecognizer) -> None:
    if found.stopped:
        st.warning("Stopped. What had been found by then is here.", icon=":material/stop_circle:")
    for file in found.about["files"]:
        if "error" in file:
            st.error(file["error"], icon=":material/broken_image:")
    files = [file["file"] for file in found.about["files"] if file["frames"]]
    if not files:
        return
    name = files[0] if len(files) == 1 else st.selectbox("File", files, key="media_file")
    rows = found.rows[found.rows["file"] == name]
    faces = summarize(rows, recognizer.labels)
    _look(found, name, rows, faces, recognizer)
    table_of_faces(
        found.csv,
        found.rows,
        found.about,
        "expressions",
        "It stays here until you analyse something else or leave the app; then it is forgotten.",
    )


def _look(found: Found, name: str, rows: pd.DataFrame, faces: list[FaceSummary], recognizer: EmotionRecognizer) -> None:
    """Show a file with its faces marked, and each face in short."""
    media, cards = st.columns([7, 4], gap="medium")
    with media:
        copy = found.copies.get(name)
        if copy is None:
            empty_state("No marked copy", "The file could not be read to its end; the table holds what was found.", 220)
        elif is_picture(Path(name)):
            st.image(copy, width="stretch", alt=f"{name} with {count_words(len(faces), 'face')} marked")
        else:
            st.video(copy, format="video/mp4")
            st.caption("Without its sound.")
    with cards, st.container(key="media_cards"):
        if faces:
            st.html(
                face_summaries_html(faces, recognizer.labels, found.portraits.get(name, {}), rows["frame"].nunique())
            )
        else:
            empty_state(
                "No face was found",
                "Faces must look towards the camera, in even light, and be at least 48 "
                "pixels wide and a twenty-fifth of the picture's longer side.",
                220,
            )
    if faces and not is_picture(Path(name)):
        course_of_faces(rows, recognizer.labels, faces)
