"""The form of a new run: a recipe and a data set, and everything else folded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import streamlit as st

from fer_core.data.demo import demo_set
from fer_core.data.face_set import SPLITS
from fer_core.data.resolve import DEMO, class_names_of
from fer_core.data.store import StoreInfo, data_root, list_stores, open_store
from fer_core.emotions import LABELS, has_emotions
from fer_core.errors import FerError
from fer_core.face_size import FACE_SIZE
from fer_core.formats import format_duration
from fer_core.models.registry import resizable
from fer_core.training.arguments import command_line
from fer_core.training.config import (
    PRESETS,
    STANDARD_AUGMENTATION,
    Augmentation,
    RunConfig,
    from_flat,
    options_of,
)
from fer_core.training.loop.augmentation import augment
from fer_core.training.loop.distillation import teachers
from fer_core.training.loop.initialization import initial_weight_sources
from fer_core.training.loop.prerequisites import check_prerequisites
from fer_core.training.run.process import launch
from fer_core.training.run.store import free_name, list_runs, run_named
from fer_core.training.timing.device import best_precision, find_device
from fer_core.training.timing.throughput import (
    end_measuring,
    is_measuring,
    known_throughput,
    start_measuring,
)
from fer_core.ui.components.pictures import png_url
from fer_core.ui.components.selections import saved_selections
from fer_core.ui.components.timers import draw_every
from fer_core.ui.training.rate_finder import rate_finder

FOLLOWED = "followed_run"
_STARTED = "run_started"
_RECIPES = {
    "compact-both": "Labels and votes: hours",
    "compact": "Compact, from random weights: hours",
    "compact-taught": "Compact, self-distilled: hours",
    "compact-ferplus": "Compact, on people's votes",
    "seed-cnn": "The original: 50 epochs",
    "quick": "Quick look: a few epochs",
}
_LABELS = {
    "data": "Data set",
    "label_set": "Labels",
    "label_votes": "Votes that the label counts for",
    "train_splits": "Train on",
    "validation_splits": "Validate on",
    "architecture": "Network",
    "batch_size": "Batch size",
    "decay_per_step": "Decay per step",
    "warmup_epochs": "Warm-up epochs",
    "ema": "Averaged weights",
    "rotate_deg": "Rotation, degrees",
    "class_weighting": "Weight rare expressions more",
    "initial_size": "Width in the first epoch, px",
    "progressive_resizing": "Full size after, share of epochs",
    "mixup_share": "Mixup, share of epochs",
    "tensorboard": "Event files for TensorBoard",
    "mlflow": "Log to MLflow",
}
# The data set's splits that a run may validate on, the best first.
_VALIDATION = ("PublicTest", "Validation", "Test", "PrivateTest")
_PREVIEWED = 16


def new_run_form() -> None:
    """Draw the form, and start a run when its button is pressed."""
    st.subheader("New run")
    stores = {info.name: info for info in list_stores() if not info.problem}
    names = list(stores) if DEMO in stores else [*stores, DEMO]
    real = [name for name in stores if not stores[name].source.synthetic]
    data = st.selectbox(
        "Data set",
        names,
        index=names.index((real or [DEMO])[0]),
        key="train_data",
        format_func=lambda name: _data_text(name, stores.get(name)),
        persist_state="session",
    )
    votes = data in stores and stores[data].votes
    class_names = stores[data].class_names if data in stores else LABELS
    recipes = [name for name in _RECIPES if name in PRESETS and _fits(PRESETS[name], bool(votes), class_names)]
    preset = st.selectbox(
        "Recipe",
        recipes,
        index=0 if data in real else recipes.index("quick"),
        key=f"train_recipe_{data in real}_{bool(votes)}" + ("" if has_emotions(class_names) else "_own"),
        format_func=_RECIPES.get,
        persist_state="session",
    )
    splits = _splits(stores.get(data))
    try:
        base = _for_data(PRESETS[preset], data, splits)
    except FerError as error:  # all of it is one split: there is nothing to validate on
        st.error(f"{error} Hold out a part of Training on the Data set page.", icon=":material/error:")
        return
    if st.session_state.pop(_STARTED, False):
        st.session_state["train_name"] = ""  # it is taken now
    left, right = st.columns(2)
    epochs = left.number_input(
        "Epochs",
        1,
        10_000,
        base.epochs,
        key=f"{preset}_epochs",
        persist_state="session",
        help="Passes over the training faces.",
    )
    name = right.text_input(
        "Name", placeholder=free_name(base), key="train_name", help="Of the run; if empty, the network and a number."
    ).strip()
    with st.expander("Advanced settings", icon=":material/tune:"):
        choices = _advanced_settings(preset, base, splits, stores.get(data))
    try:
        config = from_flat({**choices, "epochs": int(epochs)}, base)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    _time_line(config)
    if st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch", key="start"):
        _start(config, name or free_name(config))
    rate_finder(config, f"{preset}_learning_rate")
    with st.expander("Show command", icon=":material/terminal:"):
        st.code(command_line(config, name or None), language="bash", wrap_lines=True)


def _start(config: RunConfig, name: str) -> None:
    try:
        run = run_named(name)
        check_prerequisites(config)
        run.create(config)
        end_measuring()
        launch(run)
    except (FerError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[FOLLOWED], st.session_state[_STARTED] = run.name, True
    st.rerun()


def _advanced_settings(preset: str, base: RunConfig, splits: Sequence[str], info: StoreInfo | None) -> dict[str, Any]:
    """Draw a widget for every other setting, and return their values, named as by `flat`."""

    def draw(*names: str) -> dict[str, Any]:
        return {name: _widget(name, preset, base, splits) for name in names}

    st.caption("Data")
    chosen = draw("train_splits", "validation_splits")
    if info and info.votes:
        chosen |= draw("label_set")
        if chosen["label_set"] == "both":
            chosen |= draw("label_votes")
    chosen |= _corrections(info) | _subset(info)
    st.caption("Network")
    chosen |= draw("architecture")
    chosen |= _start_from(preset, base, chosen["architecture"])
    chosen |= draw("batch_size", "precision", "seed")
    # A network of one size sees faces of full size from the first epoch on.
    chosen |= draw("initial_size") if resizable(chosen["architecture"]) else {"initial_size": FACE_SIZE}
    if chosen["initial_size"] < FACE_SIZE:
        chosen |= draw("progressive_resizing")
    st.caption("Optimizer")
    chosen |= draw("optimizer", "learning_rate", "schedule")
    if chosen["schedule"] == "inverse-time":
        chosen |= draw("decay_per_step")
    chosen |= draw("warmup_epochs", "weight_decay")
    st.caption("Regularization")
    chosen |= draw("label_smoothing", "mixup")
    if chosen["mixup"]:
        chosen |= draw("mixup_share")
    chosen |= draw("ema", "selection", "early_stopping", "class_weighting")
    chosen |= _teachers(preset, base)
    if chosen["teachers"]:
        chosen |= draw("teacher_share")
    return chosen | _augmentation(preset, base) | _logging(preset, base)


def _logging(preset: str, base: RunConfig) -> dict[str, Any]:
    st.caption("Logging")
    names = ["tensorboard", *(["mlflow"] if find_spec("mlflow") else [])]
    return {name: _widget(name, preset, base) for name in names}


def _start_from(preset: str, base: RunConfig, architecture: str) -> dict[str, str]:
    names = ["", *initial_weight_sources(architecture)]
    chosen = st.selectbox(
        "Initial weights",
        names,
        names.index(base.start_from) if base.start_from in names else 0,
        key=f"{preset}_start_from_{architecture}",
        persist_state="session",
        format_func=lambda name: name or "random",
        help="A run or a model of the same network. The new run continues from where that one ended, with its own "
        "learning rate and number of epochs.",
    )
    return {"start_from": chosen}


def _teachers(preset: str, base: RunConfig) -> dict[str, tuple[str, ...]]:
    names = teachers(class_names_of(st.session_state["train_data"]))
    chosen = st.multiselect(
        "Teachers",
        names,
        [name for name in base.teachers if name in names],
        placeholder="None",
        key=f"{preset}_teachers",
        persist_state="session",
        help="Distillation: models or finished runs whose scores of the same face become part of the target; of "
        "several, their mean.",
    )
    return {"teachers": tuple(chosen)}


def _widget(name: str, preset: str, base: RunConfig | Augmentation, splits: Sequence[str] = ()) -> Any:
    field = next(field for field in dataclasses.fields(base) if field.name == name)
    value, key = getattr(base, name), f"{preset}_{name}"
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    # Not `capitalize`, which would write "FER-2013" and "Training" small.
    text = field.metadata["words"][0].upper() + field.metadata["words"][1:] + "."
    if isinstance(value, tuple):
        return tuple(st.multiselect(label, splits, list(value), key=f"{key}_{'-'.join(splits)}", help=text))
    if isinstance(value, bool):
        return st.toggle(label, value, key=key, help=text, persist_state="session")
    if options := options_of(field):
        return st.selectbox(label, options, options.index(value), key=key, help=text, persist_state="session")
    kind, most = type(value), field.metadata["most"]
    return kind(
        st.number_input(
            label,
            kind(field.metadata["least"]),
            None if most is None else kind(most),
            value,
            step=step_of(field, value),
            format="%d" if kind is int else "%.6g",
            key=key,
            help=text,
            persist_state="session",
        )
    )


def step_of(field: dataclasses.Field, value: float) -> float:
    """Return by how much + and - change a number: as its field says, else whole numbers by 1, others by a tenth.

    >>> step_of(next(field for field in dataclasses.fields(Augmentation) if field.name == "flip"), 0.0)
    0.1
    """
    kind = type(value)
    return kind(field.metadata["step"] or (1 if kind is int else value / 10 or 0.1))


def _augmentation(preset: str, base: RunConfig) -> dict[str, float]:
    """Draw how far faces are changed at random, if at all, and sixteen examples of that."""
    st.caption("Augmentation")
    on = st.toggle(
        "Change the training faces at random",
        bool(base.augmentation),
        key=f"{preset}_augment",
        persist_state="session",
        help="Differently in every epoch, so that the network never sees the same picture twice.",
    )
    if not on:
        return dataclasses.asdict(Augmentation())
    shown = base.augmentation or STANDARD_AUGMENTATION
    chosen = {field.name: _widget(field.name, preset, shown) for field in dataclasses.fields(Augmentation)}
    number = st.session_state.setdefault("train_preview", 0)
    examples = _preview_faces(st.session_state["train_data"])
    st.html(_preview_html(augment(examples, Augmentation(**chosen), np.random.default_rng(number))))
    st.button(
        "More examples",
        icon=":material/refresh:",
        key="train_preview_again",
        on_click=lambda: st.session_state.update(train_preview=number + 1),
    )
    return chosen


def _preview_html(images: np.ndarray) -> str:
    return (
        '<div class="fer-preview">'
        + "".join(f'<img src="{png_url(image)}" alt="Training face after random changes">' for image in images)
        + "</div>"
    )


@st.cache_data(show_spinner=False, max_entries=8)
def _preview_faces(data: str) -> np.ndarray:
    """Return uint8 (16, 48, 48): training faces of a data set, spread over it."""
    if data == DEMO and DEMO not in [info.name for info in list_stores()]:
        return demo_set(70).images[:_PREVIEWED]
    faces = open_store(data)
    rows = faces.rows_of(faces.splits[0])
    return np.array(faces.images[rows[:: max(1, len(rows) // _PREVIEWED)][:_PREVIEWED]])


def _corrections(info: StoreInfo | None) -> dict[str, str]:
    path = data_root() / info.name / "marks.csv" if info else None
    if path is None or not path.exists():
        return {"corrections": ""}
    use = st.toggle(
        "Use the corrections of this data set",
        True,
        key=f"train_marks_{info.name}",
        help="Leaves out and relabels training faces as marked on the Data set page.",
    )
    return {"corrections": str(path) if use else ""}


def _subset(info: StoreInfo | None) -> dict[str, str]:
    """Draw the choice between all training faces and those of a saved subset, where there is one."""
    names = [] if info is None else list(saved_selections(info).subsets)
    if not names or info is None:
        return {"subset": ""}
    chosen = st.selectbox(
        "Subset",
        ["", *names],
        key=f"train_subset_{info.name}",
        format_func=lambda name: name or "all training faces",
        persist_state="session",
        help="Train only on the training faces of a subset that was saved on the Data set page.",
    )
    return {"subset": chosen}


def _time_line(config: RunConfig) -> None:
    """Say how long an epoch takes here, and on which device; measure it if that is not known yet."""
    device = find_device()
    fast = ", computes in bfloat16" if device.bfloat16 else ""
    speed = known_throughput(config)
    if speed is None and not _training_now():
        _measure(config)
    draw_every(1.0 if speed is None else None, _time_text, config, f"{device.name}{fast}")


def _time_text(config: RunConfig, device: str) -> None:
    speed = known_throughput(config)
    if speed is None and is_measuring():
        text = "Measuring how long an epoch takes here…"
    elif speed is None:
        text = "How long an epoch takes is measured when nothing else trains."
        if not _training_now():
            text = _measure(config) or text
    elif speed.error:
        text = f"How long an epoch takes could not be measured. {speed.error}"
    else:
        text = (
            f"About **{format_duration(speed.epoch_s)}** per epoch, **"
            f"{format_duration(speed.epoch_s * config.epochs)}** in all, at "
            f"{speed.images_per_s:,.0f} images/s with {speed.device}."
        )
    st.caption(f"{text}  \n{device}")


def _measure(config: RunConfig) -> str:
    """Start to measure how long an epoch takes; return as text why that is impossible, or an empty text."""
    try:
        start_measuring(config)
    except (FerError, OSError) as error:  # most likely a full disk: the rest of the page still has to be drawn
        return f"How long an epoch takes cannot be measured. {error}"
    return ""


def _training_now() -> bool:
    return any((status := run.status()) and status.live for run in list_runs())


def _for_data(preset: RunConfig, data: str, splits: Sequence[str]) -> RunConfig:
    """Return the preset for a data set: on splits that it has, in the precision that is fast here."""
    train = tuple(split for split in preset.train_splits if split in splits) or tuple(splits[:1])
    validation = tuple(split for split in preset.validation_splits if split in splits and split not in train)
    others = tuple(split for split in _VALIDATION if split in splits and split not in train)
    return dataclasses.replace(
        preset, data=data, precision=best_precision(), train_splits=train, validation_splits=validation or others[:1]
    )


def _fits(preset: RunConfig, votes: bool, class_names: tuple[str, ...]) -> bool:
    """Return whether a recipe can be used: some need votes, and bundled teachers know the seven expressions only."""
    return (votes or preset.label_set == "fer") and (has_emotions(class_names) or not preset.teachers)


def _splits(info: StoreInfo | None) -> tuple[str, ...]:
    return tuple(split for split in SPLITS if split in info.counts) if info else SPLITS[:3]


def _data_text(name: str, info: StoreInfo | None) -> str:
    if info is None:
        return f"{name} (2,000 synthetic faces)"
    return f"{name} ({info.rows:,} {'synthetic ' if info.source.synthetic else ''}faces{_classes_text(info)})"


def _classes_text(info: StoreInfo) -> str:
    return "" if has_emotions(info.class_names) else f", {len(info.class_names)} classes"
