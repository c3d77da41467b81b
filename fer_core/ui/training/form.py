"""The form of a new run: a recipe and a data set, and everything else folded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from fer_core.data.demo import demo_set
from fer_core.data.face_set import SPLITS
from fer_core.data.resolve import DEMO
from fer_core.data.store import StoreInfo, data_root, list_stores, open_store
from fer_core.errors import FerError
from fer_core.models.registry import FACE_SIZE, resizable
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
from fer_core.training.run.process import launch
from fer_core.training.run.store import free_name, list_runs, run_named
from fer_core.training.timing.device import best_precision, find_device
from fer_core.training.timing.eta import format_duration
from fer_core.training.timing.throughput import (
    end_measuring,
    is_measuring,
    known_throughput,
    start_measuring,
)
from fer_core.ui.components.pictures import png_url

FOLLOWED = "followed_run"
_STARTED = "run_started"
_RECIPES = {
    "compact": "Compact network: hours",
    "compact-taught": "Compact, taught by itself: hours",
    "compact-ferplus": "Compact, on people's votes",
    "seed-cnn": "The original: 50 epochs",
    "quick": "Quick look: a few epochs",
}
_LABELS = {
    "data": "Data set",
    "label_set": "Labels",
    "train_splits": "Train on",
    "validation_splits": "Validate on",
    "architecture": "Network",
    "batch_size": "Batch",
    "decay_per_step": "Decay per step",
    "warmup_epochs": "Warm-up epochs",
    "ema": "Averaged weights",
    "rotate_deg": "Turn, degrees",
    "class_weighting": "Weigh rare expressions more",
    "mixup": "Mixup",
    "initial_size": "Width in the first epoch, px",
    "progressive_resizing": "Whole after, share of epochs",
    "mixup_share": "Mixup, share of epochs",
}
# The data set's splits that a run may be measured by while it trains, the best first.
_VALIDATION = ("PublicTest", "Validation", "Test", "PrivateTest")
_PREVIEWED = 16


def new_run_form() -> None:
    """Draw the form and start a run when it is asked to."""
    st.subheader("New run")
    stores = {info.name: info for info in list_stores() if not info.problem}
    names = list(stores) if DEMO in stores else [*stores, DEMO]
    real = [name for name in stores if not stores[name].source.synthetic]
    data = st.selectbox(
        "Data set",
        names,
        index=names.index((real or [DEMO])[0]),
        key="train_data",
        format_func=lambda name: _data_words(name, stores.get(name)),
        persist_state="session",
    )
    votes = data in stores and stores[data].votes
    recipes = [name for name in _RECIPES if name in PRESETS and (votes or PRESETS[name].label_set == "fer")]
    preset = st.selectbox(
        "Recipe",
        recipes,
        index=0 if data in real else recipes.index("quick"),
        key=f"train_recipe_{data in real}_{bool(votes)}",
        format_func=_RECIPES.get,
        persist_state="session",
    )
    splits = _splits(stores.get(data))
    try:
        base = _for_data(PRESETS[preset], data, splits)
    except FerError as error:  # all of it is one split: there is nothing to validate on
        st.error(f"{error} Hold a part of Training out on the Data set page.", icon=":material/error:")
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
        "Name", placeholder=free_name(base), key="train_name", help="Of the run. Empty: the network and a number."
    ).strip()
    with st.expander("More choices", icon=":material/tune:"):
        choices = _more_choices(preset, base, splits, stores.get(data))
    try:
        config = from_flat({**choices, "epochs": int(epochs)}, base)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    _time_line(config)
    if st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch", key="start"):
        _start(config, name or free_name(config))
    with st.expander("The same as a command", icon=":material/terminal:"):
        st.code(command_line(config, name or None), language="bash", wrap_lines=True)


def _start(config: RunConfig, name: str) -> None:
    try:
        run = run_named(name)
        run.create(config)
        end_measuring()
        launch(run)
    except (FerError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[FOLLOWED], st.session_state[_STARTED] = run.name, True
    st.rerun()


def _more_choices(preset: str, base: RunConfig, splits: Sequence[str], info: StoreInfo | None) -> dict[str, Any]:
    """Draw a widget for every other choice, and return what is chosen, named as by `flat`."""

    def draw(*names: str) -> dict[str, Any]:
        return {name: _widget(name, preset, base, splits) for name in names}

    st.caption("Data")
    chosen = draw("train_splits", "validation_splits")
    if info and info.votes:
        chosen |= draw("label_set")
    chosen |= _marks(info)
    st.caption("Network")
    chosen |= draw("architecture")
    chosen |= _start_from(preset, base, chosen["architecture"])
    chosen |= draw("batch_size", "precision", "seed")
    # A network of one size sees whole faces from the first epoch on.
    chosen |= draw("initial_size") if resizable(chosen["architecture"]) else {"initial_size": FACE_SIZE}
    if chosen["initial_size"] < FACE_SIZE:
        chosen |= draw("progressive_resizing")
    st.caption("Steps")
    chosen |= draw("optimizer", "learning_rate", "schedule")
    if chosen["schedule"] == "inverse-time":
        chosen |= draw("decay_per_step")
    chosen |= draw("warmup_epochs", "weight_decay")
    st.caption("Against learning by heart")
    chosen |= draw("label_smoothing", "mixup")
    if chosen["mixup"]:
        chosen |= draw("mixup_share")
    chosen |= draw("ema", "selection", "early_stopping", "class_weighting")
    chosen |= _teachers(preset, base)
    if chosen["teachers"]:
        chosen |= draw("teacher_share")
    return chosen | _augmentation(preset, base)


def _start_from(preset: str, base: RunConfig, architecture: str) -> dict[str, str]:
    names = ["", *initial_weight_sources(architecture)]
    chosen = st.selectbox(
        "Begin with the weights of",
        names,
        names.index(base.start_from) if base.start_from in names else 0,
        key=f"{preset}_start_from_{architecture}",
        persist_state="session",
        format_func=lambda name: name or "none: random ones",
        help="A run or a model of the same network; the new run goes on from where that one ended, "
        "with a learning rate and a length of its own.",
    )
    return {"start_from": chosen}


def _teachers(preset: str, base: RunConfig) -> dict[str, tuple[str, ...]]:
    names = teachers()
    chosen = st.multiselect(
        "Teachers",
        names,
        [name for name in base.teachers if name in names],
        placeholder="None",
        key=f"{preset}_teachers",
        persist_state="session",
        help="Models or finished runs whose scores of the same changed face are part of the "
        "target; of several, their mean.",
    )
    return {"teachers": tuple(chosen)}


def _widget(name: str, preset: str, base: RunConfig | Augmentation, splits: Sequence[str] = ()) -> Any:
    each = next(field for field in dataclasses.fields(base) if field.name == name)
    value, key = getattr(base, name), f"{preset}_{name}"
    label, words = _LABELS.get(name, name.replace("_", " ").capitalize()), each.metadata["words"].capitalize() + "."
    if isinstance(value, tuple):
        return tuple(st.multiselect(label, splits, list(value), key=f"{key}_{'-'.join(splits)}", help=words))
    if isinstance(value, bool):
        return st.toggle(label, value, key=key, help=words, persist_state="session")
    if options := options_of(each):
        return st.selectbox(label, options, options.index(value), key=key, help=words, persist_state="session")
    if isinstance(value, int):
        least, most = int(each.metadata["least"]), each.metadata["most"]
        return int(
            st.number_input(
                label, least, None if most is None else int(most), value, key=key, help=words, persist_state="session"
            )
        )
    return float(
        st.number_input(
            label,
            float(each.metadata["least"]),
            each.metadata["most"] and float(each.metadata["most"]),
            float(value),
            step=max(float(value) / 10, 1e-6),
            format="%.6g",
            key=key,
            help=words,
            persist_state="session",
        )
    )


def _augmentation(preset: str, base: RunConfig) -> dict[str, float]:
    """Let faces be changed at random or not, and how far; show what that does to sixteen of them."""
    st.caption("Augmentation")
    on = st.toggle(
        "Change the training faces at random",
        bool(base.augmentation),
        key=f"{preset}_augment",
        persist_state="session",
        help="Anew in every epoch: the network never sees the same face twice.",
    )
    if not on:
        return dataclasses.asdict(Augmentation())
    shown = base.augmentation or STANDARD_AUGMENTATION
    chosen = {field.name: _widget(field.name, preset, shown) for field in dataclasses.fields(Augmentation)}
    how = Augmentation(**chosen)
    number = st.session_state.setdefault("train_preview", 0)
    st.html(_preview_html(augment(_preview_faces(st.session_state["train_data"]), how, np.random.default_rng(number))))
    st.button(
        "Other examples",
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


def _marks(info: StoreInfo | None) -> dict[str, str]:
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


def _time_line(config: RunConfig) -> None:
    """Say how long an epoch takes here, and on what; measure it if nobody has."""
    device = find_device()
    fast = ", computes in bfloat16" if device.bfloat16 else ""
    speed = known_throughput(config)
    if speed is None and not _training_now():
        _measure(config)
    st.fragment(_time_words, run_every=1.0 if speed is None else None)(config, f"{device.name}{fast}")


def _time_words(config: RunConfig, device: str) -> None:
    speed = known_throughput(config)
    if speed is None and is_measuring():
        words = "Measuring how long an epoch takes here…"
    elif speed is None:
        words = "How long an epoch takes is measured when nothing else trains."
        if not _training_now():
            words = _measure(config) or words
    elif speed.error:
        words = f"How long an epoch takes could not be measured. {speed.error}"
    else:
        words = (
            f"About **{format_duration(speed.epoch_s)}** an epoch, **"
            f"{format_duration(speed.epoch_s * config.epochs)}** in all, at "
            f"{speed.images_per_s:,.0f} images/s with {speed.device}."
        )
    st.caption(f"{words}  \n{device}")


def _measure(config: RunConfig) -> str:
    """Start to measure how long an epoch takes; return why that cannot be, in words, or nothing."""
    try:
        start_measuring(config)
    except (FerError, OSError) as error:  # a full disk, most likely: what stands below still has to be drawn
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


def _splits(info: StoreInfo | None) -> tuple[str, ...]:
    return tuple(split for split in SPLITS if split in info.counts) if info else SPLITS[:3]


def _data_words(name: str, info: StoreInfo | None) -> str:
    if info is None:
        return f"{name} (2,000 drawn faces)"
    return f"{name} ({info.rows:,} {'drawn ' if info.source.synthetic else ''}faces)"
