"""A photo instead of the camera's stream: taken or uploaded, the same analysis and the same cards."""

from __future__ import annotations

import streamlit as st

from fer_core.annotate import annotate
from fer_core.errors import MediaError
from fer_core.imaging.images import decode_image
from fer_core.live.session import LiveSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.face_cards import face_cards_html
from fer_core.ui.components.widgets import empty_state

_TYPES = ["jpg", "jpeg", "png", "webp", "bmp"]
# The smallest face that the detector's own defaults let it find, a little rounded up.
_SMALLEST = "at least 48 pixels wide"


def photo_view(recognizer: EmotionRecognizer, settings: LiveSettings) -> None:
    """Ask for a photo, then show it annotated with a card for each face."""
    picture, cards = st.columns([7, 4], gap="medium")
    with picture:
        source = st.segmented_control(
            "Photo from",
            ["Choose a file", "Take a photo"],
            default="Choose a file",
            required=True,
            key="photo_from",
            label_visibility="collapsed",
        )
        upload = (
            st.file_uploader("A photo with one or more faces", type=_TYPES, max_upload_size=25, key="photo_file")
            if source == "Choose a file"
            else st.camera_input("Take a photo", resolution="720p", key="photo_camera")
        )
    if upload is None:
        with cards.container(key="photo_cards"):
            empty_state(
                "Faces appear here", "Choose a photo. Each face gets a card with its expression and all scores."
            )
        return
    try:
        image_bgr = decode_image(upload.getvalue(), upload.name)
    except MediaError as error:
        picture.error(str(error), icon=":material/broken_image:")
        return
    result = recognizer.with_label_set(settings.stream.label_set).analyze(image_bgr)
    annotated = annotate(image_bgr, result, settings.draw)
    faces = "1 face" if len(result) == 1 else f"{len(result)} faces"
    picture.image(
        annotated, channels="BGR", output_format="JPEG", width="stretch", alt=f"The photo with {faces} marked"
    )
    with cards.container(key="photo_cards"):
        if len(result) == 0:
            empty_state(
                "No face in the photo",
                "Try one where faces look towards the camera, in even light. They must "
                f"be {_SMALLEST}: make the photo larger if they are smaller.",
            )
        else:
            st.html(face_cards_html(result, image_bgr, settings.draw.threshold))
            st.caption(f"Faces are found that are {_SMALLEST}.")
