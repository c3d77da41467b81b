"""One face of the results, large: as the network got it, its scores, and where the model looks.

It opens with a click on a face in a marked picture, with a row of the table, and for a video with the button for the
faces at the player's moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from fer_core.errors import FerError
from fer_core.formats import percent
from fer_core.media.face_crops import read_face
from fer_core.media.job import MediaResult
from fer_core.media.sources import is_picture
from fer_core.models.label_sets import title_of
from fer_core.models.model_store import folder_with
from fer_core.ui.components.loaders import recognizer_of
from fer_core.ui.components.pictures import png_url
from fer_core.ui.components.saliency import where_it_looks

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "fer_picture_faces",
    html='<div class="layer" role="group" aria-label="Faces in the picture"></div>',
    css=(_HERE / "picture_faces.css").read_text(encoding="utf-8"),
    js=(_HERE / "picture_faces.js").read_text(encoding="utf-8"),
)
# The row of the face that is open, as an index of the result's rows.
_OPENED = "media_opened"
_ALONE = "width: 12rem; border-radius: 0.45rem; image-rendering: pixelated"
# A time that a player gives may lie a little before the frame that it shows.
_PLAYER_S = 0.01


def buttons_on_faces(copy: Path, rows: pd.DataFrame, labels: Sequence[str]) -> None:
    """Lay a button on each face of the picture in the container `media_picture`; a click opens the face.

    Args:
        copy: the picture as it is shown.
        rows: its rows of the table.
        labels: names of the scores.
    """

    def opened() -> None:
        if (row := st.session_state["media_faces"].opened) is not None:
            open_face(int(row))

    with Image.open(copy) as image:
        width, height = image.size
    faces = [
        {
            "row": int(index),
            "name": f"Face {row['face']}, {row['expression']} {percent(max(float(row[name]) for name in labels), 0)}",
            "left": row["left"] / width,
            "top": row["top"] / height,
            "width": (row["right"] - row["left"]) / width,
            "height": (row["bottom"] - row["top"]) / height,
        }
        for index, row in rows.dropna(subset="face").iterrows()
    ]
    _component(key="media_faces", data={"faces": faces}, on_opened_change=opened)


def open_face(row: int) -> None:
    """Open a face with the next run of the page, as the callback of a widget; `row` is an index of the rows."""
    st.session_state[_OPENED] = row


def open_row(rows: pd.DataFrame, row: int) -> None:
    """Do what `open_face` does for a row of the table, if it holds a face."""
    if pd.isna(rows.loc[row, "face"]):
        st.toast("This row is a frame in which no face was found.", icon=":material/search_off:")
    else:
        open_face(row)


def open_moment(rows: pd.DataFrame, time_s: float) -> None:
    """Do what `open_face` does for the first face at a moment of a video, whose rows these are."""
    until = rows[rows["time_s"] <= time_s + _PLAYER_S]
    frame = until["frame"].max() if len(until) else rows["frame"].min()
    faces = rows[rows["frame"] == frame].dropna(subset="face").sort_values("face")
    if len(faces):
        open_face(int(faces.index[0]))
    else:
        st.toast("No face was found at this moment.", icon=":material/search_off:")


def show_opened_face(result: MediaResult, model: Path) -> None:
    """Show the face that was opened, if one was.

    Args:
        result: of the job that is shown.
        model: folder of a model to look at besides those available for the one that scored the face.
    """
    row = st.session_state.get(_OPENED)
    if row is None:
        return
    if result.faces is None or row not in result.rows.index or pd.isna(result.rows.loc[row, "face"]):
        _close()  # of results that were replaced in between
        return
    _dialog(result, model)


def _close() -> None:
    st.session_state.pop(_OPENED, None)


@st.dialog("One face", width="medium", on_dismiss=_close)
def _dialog(result: MediaResult, model: Path) -> None:
    row = int(st.session_state.get(_OPENED, 0))
    _choose(result.rows, row)
    face = result.rows.loc[row]
    st.html(f'<p class="fer-note">{escape(_details(result, face))}</p>')
    assert result.faces is not None
    try:
        crop = read_face(result.faces, result.rows, row)
    except FerError as error:
        st.info(str(error), icon=":material/info:")
        return
    used = result.metadata["model"]
    try:
        folder = folder_with(used["sha256"], str(model))
        recognizer = recognizer_of(str(folder)).with_label_set(used["label_set"])
    except FerError:
        st.html(f'<img style="{_ALONE}" src="{png_url(crop)}" alt="The face as the model got it">')
        st.info(
            f"{used['name']}, which scored this face, is no longer among the models. Where it looked cannot be shown; "
            "analyse the file again with another model.",
            icon=":material/info:",
        )
        return
    where_it_looks([(recognizer, folder)], crop, key="media_looks")


def _choose(rows: pd.DataFrame, row: int) -> None:
    """Ask which face of the same picture or frame is shown, if there are several."""
    same = rows[(rows["file"] == rows.loc[row, "file"]) & (rows["frame"] == rows.loc[row, "frame"])]
    faces = same.dropna(subset="face").sort_values("face")
    if len(faces) < 2:
        return
    numbers = {int(index): f"Face {number}" for index, number in faces["face"].items()}
    key = f"media_face_{faces.index[0]}"
    st.session_state[key] = row
    st.selectbox(
        f"Face, of {len(faces)}",
        list(numbers),
        format_func=lambda index: numbers[index],
        key=key,
        width=180,
        on_change=lambda: open_face(st.session_state[key]),
    )


def _details(result: MediaResult, row: pd.Series) -> str:
    """Say which face it is, and what is to be known of its scores."""
    used, parts = result.metadata["model"], [str(row["file"]), f"face {row['face']}"]
    if not is_picture(Path(str(row["file"]))):
        parts.append(f"{row['time_s']:.2f} s, frame {row['frame']}")
    parts.append(f"{row['right'] - row['left']:.0f} pixels wide")
    if row.get("valid") == "no":
        parts.append(f"not valid: {row['not_valid_because']}")
    details = f"{' · '.join(parts)}. Scored for: {title_of(used['label_set'])}"
    smoothed = result.metadata.get("smoothing_s", 0) and not is_picture(Path(str(row["file"])))
    return f"{details}, of this frame alone; the table's scores are smoothed." if smoothed else f"{details}."
