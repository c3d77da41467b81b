"""What a viewer reads before the first start, and the measured accuracy as sentences."""

from __future__ import annotations

import streamlit as st

from fer_core.emotions import has_emotions
from fer_core.evaluation.serialization import split_from_json
from fer_core.evaluation.text import people_sentence
from fer_core.models.card import ModelCard, is_fer2013, main_split

_ACKNOWLEDGED = "limits_acknowledged"


def acknowledge_limits(card: ModelCard, title: str) -> None:
    """Show what this cannot know under the page's title and stop it, until the viewer of this session has agreed."""
    if st.session_state.get(_ACKNOWLEDGED):
        return
    st.title(title)
    with st.container(border=True, width=720, key="notice"):
        st.subheader("Before you start")
        st.markdown(
            "- **It classifies expressions, not feelings.** A face shows what its muscles do; what a person feels, "
            "thinks or intends cannot be read from it.\n"
            f"- **It is often wrong.** {accuracy_text(card)}{_agreement_sentence(card)} "
            "Faces that are turned, dark, covered or unlike those it learned from are beyond what was measured.\n"
            "- **Some uses are against the law.** In the European Union it is forbidden to infer emotions of people at "
            "work or in education, except for medical or safety reasons (AI Act, Article 5(1)(f)). Anyone in view of "
            "the camera, or in a picture, should know and agree.\n"
            "- **Pictures stay here.** They go to the computer that runs this page, are analysed there and are not "
            "kept, unless you ask for a recording with the picture."
        )
        if st.button("I understand", type="primary", key="acknowledge"):
            st.session_state[_ACKNOWLEDGED] = True
            st.rerun()
    st.stop()


def accuracy_text(card: ModelCard) -> str:
    """Say how often the model is right, according to its card.

    >>> accuracy_text(ModelCard(name="m", architecture="a", parameters=1, labels=()))
    'How often this model is right has not been measured.'
    """
    split = main_split(card.measured)
    if split is None:
        return "How often this model is right has not been measured."
    figures, synthetic = card.measured[split], card.measured_on.get("synthetic")
    faces = (
        "drawn faces of"
        if synthetic
        else "faces of FER-2013's"
        if is_fer2013(card.measured_on)
        else "faces of the data set's"
    )
    return (
        f"On the {figures['images']:,} {faces} {split} it gave the labelled expression for "
        f"{figures['accuracy'] * 100:.1f} %.{' On photographs it has not been measured.' if synthetic else ''}"
        f"{f' {people}' if (people := measured_with_people(card)) else ''}"
    )


def measured_with_people(card: ModelCard) -> str:
    """Say how often the model agrees with people where people agree; nothing where its card does not say."""
    split = main_split(card.measured)
    if split is None:
        return ""
    people = split_from_json(card.measured[split]).people
    return people_sentence(people) if people else ""


def _agreement_sentence(card: ModelCard) -> str:
    """Say how often people agree, where the model's accuracy on photographs stands beside it."""
    other_classes = card.labels and not has_emotions(card.labels)
    if not card.measured or card.measured_on.get("synthetic") or other_classes:
        return ""
    return " People agree with the labels of FER-2013 about 65 % of the time."
