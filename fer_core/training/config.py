"""The whole configuration of a training run: one frozen dataclass, saved beside the results."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fer_core.data.split_names import SPLITS
from fer_core.errors import RunError
from fer_core.face_size import FACE_SIZE
from fer_core.legacy import with_current_keys
from fer_core.models.label_sets import trained_label_sets
from fer_core.models.registry import architectures, resizable

PRECISIONS = ("float32", "mixed_bfloat16")
OPTIMIZERS = ("adam", "adamw", "sgd-nesterov")
SCHEDULES = ("constant", "inverse-time", "cosine")
LABEL_SETS = ("fer", "ferplus", "both")
SELECTIONS = ("best", "last")
AUGMENT_ON = ("auto", "host", "device")
_KINDS = {str: "text", bool: "true or false", tuple: "a list of names"}
# By how many pixels faces grow at a time, if they begin small.
_SIZE_STEP = 8


def _choice(
    default: Any,
    words: str,
    least: float | None = None,
    most: float | None = None,
    options: Callable[[], tuple[str, ...]] | tuple[str, ...] = (),
    step: float | None = None,
) -> Any:
    """A field with its meaning in `words`, shown by the command line's help and by the page.

    `step` is by how much the page's + and - change a number; unless stated otherwise, by a tenth of its value.
    """
    return dataclasses.field(
        default=default, metadata={"words": words, "least": least, "most": most, "options": options, "step": step}
    )


def options_of(field: dataclasses.Field) -> tuple[str, ...]:
    """Return the values that a field can have; empty if it can have any."""
    options = field.metadata.get("options", ())
    return options() if callable(options) else options


def _refuse_unknown(cls: type, values: Mapping[str, Any]) -> None:
    unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
    if unknown:
        raise RunError(f"The configuration has unknown fields: {', '.join(sorted(unknown))}.")


def _check(config: Any) -> None:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        _check_type(field, value)
        if options := options_of(field):
            for name in value if isinstance(value, tuple) else (value,):
                if name not in options:
                    raise RunError(f"Expected {field.name} out of {', '.join(options)}; got {name!r}.")
        least, most = field.metadata.get("least"), field.metadata.get("most")
        # Written so that NaN fails too.
        if least is not None and not value >= least:
            raise RunError(f"Expected {field.name} to be at least {least}; got {value}.")
        if most is not None and not value <= most:
            raise RunError(f"Expected {field.name} to be at most {most}; got {value}.")


def _check_type(field: dataclasses.Field, value: Any) -> None:
    kind = Augmentation if field.default is dataclasses.MISSING else type(field.default)
    if kind in (int, float):
        allowed = int if kind is int else int | float
        is_number = isinstance(value, allowed) and not isinstance(value, bool)
        if not is_number or value == math.inf:
            number = "a whole number" if kind is int else "a number"
            raise RunError(f"Expected {field.name} to be {number}; got {value!r}.")
    elif not isinstance(value, kind) or (kind is tuple and not all(isinstance(name, str) for name in value)):
        raise RunError(f"Expected {field.name} to be {_KINDS.get(kind, 'a group of settings')}; got {value!r}.")


@dataclass(frozen=True)
class Augmentation:
    """How far each training face is changed at random, anew in every epoch; the default changes nothing.

    Where a change would show what lies outside the picture, its border is repeated.
    """

    flip: float = _choice(0.0, "share of faces that are mirrored", 0, 1, step=0.1)
    warp: float = _choice(1.0, "share of faces that are rotated, scaled and shifted", 0, 1, step=0.1)
    rotate_deg: float = _choice(0.0, "largest rotation to either side, degrees", 0, 180, step=1)
    shift: float = _choice(0.0, "largest shift in each direction, share of the width", 0, 0.5, step=0.01)
    scale: float = _choice(0.0, "largest change of size, share", 0, 0.5, step=0.05)
    brightness: float = _choice(0.0, "largest change of brightness, share of white", 0, 1, step=0.05)
    contrast: float = _choice(0.0, "largest change of contrast, share", 0, 0.9, step=0.05)
    blur: float = _choice(0.0, "share of faces that are blurred, standard deviation 0.3 to 1 pixel", 0, 1, step=0.05)
    noise: float = _choice(0.0, "share of faces with noise, standard deviation up to 4 % of white", 0, 1, step=0.05)
    jpeg: float = _choice(0.0, "share of faces compressed as JPEG, quality 30 to 90", 0, 1, step=0.05)
    erase: float = _choice(0.0, "share of faces in which a rectangle of noise covers 2 to 15 %", 0, 1, step=0.05)

    def __post_init__(self) -> None:
        _check(self)

    def __bool__(self) -> bool:
        return self != Augmentation()


# What the published recipes for FER-2013 agree on; stronger changes cost accuracy in a small network.
_WARP = Augmentation(flip=0.5, warp=0.75, rotate_deg=12, shift=0.1, scale=0.15)
STANDARD_AUGMENTATION = dataclasses.replace(
    _WARP, brightness=0.25, contrast=0.25, blur=0.1, noise=0.2, jpeg=0.2, erase=0.25
)


# The detector cuts the same face tighter or looser: of 430 pasted faces its box's side is 0.71 to 1.36 of the face's
# (2nd and 98th percentile; standard deviation 0.146), its centre off by 0.05 of the side (standard deviation).
DETECTOR_AUGMENTATION = dataclasses.replace(STANDARD_AUGMENTATION, warp=0.8, shift=0.12, scale=0.25)


@dataclass(frozen=True)
class RunConfig:
    """What a run trains and how."""

    data: str = _choice("fer2013", "name of a data set, or path of fer2013.csv, plain or compressed")
    corrections: str = _choice("", "file with images to leave out or relabel; none if empty")
    subset: str = _choice(
        "", "subset of the data set, saved on the Data set page, whose training faces are trained on; all if empty"
    )
    label_set: str = _choice(
        "fer",
        "fer: the data set's own labels; ferplus: how ten people voted on each face; both: one network that answers "
        "for the labels, for the votes, and for both together, which is what people see",
        options=LABEL_SETS,
    )
    label_votes: float = _choice(
        4.0, "votes that the data set's label counts for beside people's, with the label set both", 0, 100, step=1
    )
    train_splits: tuple[str, ...] = _choice(("Training",), "splits to train on", options=SPLITS)
    validation_splits: tuple[str, ...] = _choice(
        ("PublicTest",), "splits to validate on, together, after each epoch", options=SPLITS
    )

    architecture: str = _choice("seed-cnn", "network, by its name in the registry", options=architectures)
    start_from: str = _choice("", "run or model to take the initial weights from, by name or path; random if empty")
    epochs: int = _choice(50, "passes over the training faces", 1, 100_000)
    batch_size: int = _choice(64, "faces per step", 1, 100_000)
    initial_size: int = _choice(
        FACE_SIZE,
        f"width of the faces in the first epoch, pixels; below {FACE_SIZE} it grows in steps of {_SIZE_STEP}, which "
        "saves time",
        24,
        FACE_SIZE,
        step=_SIZE_STEP,
    )
    progressive_resizing: float = _choice(
        0.8, f"share of the epochs after which faces are {FACE_SIZE} wide, if they begin smaller", 0, 1, step=0.1
    )

    optimizer: str = _choice("adam", "optimizer", options=OPTIMIZERS)
    learning_rate: float = _choice(1e-4, "learning rate, before warm-up and schedule", 1e-12)
    schedule: str = _choice(
        "constant",
        "how the learning rate falls: not at all; as 1 / (1 + decay × step); as a cosine down to 0 at the last step",
        options=SCHEDULES,
    )
    decay_per_step: float = _choice(0.0, "decay of the inverse-time schedule", 0, step=1e-6)
    warmup_epochs: int = _choice(0, "epochs over which the learning rate rises from 0", 0, 100_000)
    weight_decay: float = _choice(0.0, "decoupled weight decay of kernels", 0, step=0.01)

    label_smoothing: float = _choice(0.0, "share of each target that is spread over all expressions", 0, 0.9, step=0.05)
    mixup: float = _choice(
        0.0, "mixes pairs of faces and their targets; alpha of the Beta distribution, 0 for none", 0, step=0.1
    )
    teachers: tuple[str, ...] = _choice(
        (),
        "models or runs whose scores become part of the target (distillation): the mean over the changed face and its "
        "mirror image",
    )
    teacher_share: float = _choice(0.7, "share of the teachers' scores in the target", 0, 1, step=0.1)
    mixup_share: float = _choice(1.0, "share of the epochs, from the first, that use mixup", 0, 1, step=0.05)
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    augment_on: str = _choice(
        "auto",
        "where faces are changed and teachers asked: device: where the network trains; host: beside it; auto: on the "
        "device if it is an accelerator",
        options=AUGMENT_ON,
    )
    class_weighting: bool = _choice(False, "rare expressions weigh as much in the loss as frequent ones")
    early_stopping: int = _choice(
        0, "epochs without a better validation accuracy after which the run ends, 0 for never", 0, 100_000
    )
    precision: str = _choice(
        "float32", "arithmetic; mixed_bfloat16 is faster where the processor has it", options=PRECISIONS
    )
    ema: float = _choice(
        0.0,
        "momentum of an exponential moving average of the weights, which is then measured and kept; 0 for none",
        0,
        0.99999,
        step=0.001,
    )
    selection: str = _choice(
        "best",
        "epoch whose weights are the result: the one with the best validation accuracy, or the last",
        options=SELECTIONS,
    )
    tensorboard: bool = _choice(False, "also writes the history as event files for TensorBoard, in the run's folder")
    mlflow: bool = _choice(False, "also logs the settings and each epoch to MLflow, where MLFLOW_TRACKING_URI says")
    seed: int = _choice(0, "seed of initial weights, order, dropout and augmentation", 0, 2**32 - 1)

    def __post_init__(self) -> None:
        _check(self)
        both = set(self.train_splits) & set(self.validation_splits)
        if both:
            raise RunError(f"A split cannot be trained on and validated on at once: {', '.join(sorted(both))}.")
        if self.initial_size < FACE_SIZE and not resizable(self.architecture):
            raise RunError(
                f"The network {self.architecture} takes faces of {FACE_SIZE} pixels only; got a start size "
                f"of {self.initial_size}."
            )
        if not (self.train_splits and self.validation_splits):
            raise RunError("Expected at least one split to train on and one to validate on; got none.")
        if self.early_stopping and self.sees_private_test:
            raise RunError(
                "Early stopping would choose the last epoch by PrivateTest, which is looked at once, at the end. "
                "Validate on PublicTest, or on a Validation split held out of Training."
            )
        if len(set(self.teachers)) < len(self.teachers) or "" in self.teachers:
            raise RunError(f"Expected the names of different teachers; got {', '.join(map(repr, self.teachers))}.")
        if not self.data:
            raise RunError("Expected the name of a data set; got none.")

    @property
    def label_sets(self) -> tuple[str, ...]:
        """The label sets that the network answers for, out of "people", "fer" and "votes"; the default first."""
        return trained_label_sets(self.label_set)

    @property
    def keeps_best(self) -> bool:
        """Whether the result is the epoch with the best validation accuracy; otherwise it is the last.

        A run that sees PrivateTest while it trains must not pick its result by it.
        """
        return self.selection == "best" and not self.sees_private_test

    @property
    def sees_private_test(self) -> bool:
        """Whether it validates on PrivateTest, by which nothing may be chosen."""
        # A folder tree has both tests in one split, Test.
        return bool({"PrivateTest", "Test"} & set(self.validation_splits))

    def size_at(self, epoch: int) -> int:
        """Return the width of the faces in `epoch`, counted from 0, in pixels."""
        sizes = [*range(self.initial_size, FACE_SIZE, _SIZE_STEP)]
        # The last epoch at least sees faces of the size that is measured.
        grown = min(self.progressive_resizing * self.epochs, self.epochs - 1)
        return FACE_SIZE if epoch >= grown else [*sizes, FACE_SIZE][int(epoch / grown * len(sizes))]

    def mixes_at(self, epoch: int) -> bool:
        """Return whether pairs of faces are mixed in `epoch`, counted from 0."""
        return self.mixup > 0 and epoch < self.mixup_share * self.epochs

    @property
    def relative_cost(self) -> float:
        """Return the cost of an average epoch, as a share of one with faces of whole size."""
        return sum(self.size_at(epoch) ** 2 for epoch in range(self.epochs)) / (self.epochs * FACE_SIZE**2)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> RunConfig:
        """Return the configuration that `to_dict` wrote; fields that are missing have their default.

        Raises:
            RunError: a field is unknown or has a value that cannot be used.
        """
        if not isinstance(content, Mapping):
            raise RunError(f"Expected the configuration to be a JSON object; got {type(content).__name__}.")
        current = with_current_keys(content)
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in current.items()}
        if "schedule" not in values and values.get("decay_per_step"):
            values["schedule"] = "inverse-time"  # written before there was a choice of schedules
        if isinstance(teacher := values.pop("teacher", None), str):
            values["teachers"] = (teacher,) if teacher else ()  # written while there could be only one
        _refuse_unknown(cls, values)
        if isinstance(values.get("augmentation"), Mapping):
            _refuse_unknown(Augmentation, values["augmentation"])
            values["augmentation"] = Augmentation(**values["augmentation"])
        return cls(**values)


def flat(config: RunConfig) -> dict[str, Any]:
    """Return all choices in one level, augmentation's among them, in the order they are declared."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        values.update(dataclasses.asdict(value) if isinstance(value, Augmentation) else {field.name: value})
    return values


def from_flat(values: Mapping[str, Any], base: RunConfig) -> RunConfig:
    """Return `base` with the given choices, named as by `flat`, in place of its own."""
    names = {field.name for field in dataclasses.fields(Augmentation)}
    changes = {name: value for name, value in values.items() if name not in names}
    augmentation = {name: value for name, value in values.items() if name in names}
    return dataclasses.replace(base, **changes, augmentation=dataclasses.replace(base.augmentation, **augmentation))


def differences(configs: list[RunConfig]) -> dict[str, list[Any]]:
    """Return the choices in which the configurations differ: name to one value a configuration."""
    tables = [flat(config) for config in configs]
    names = tables[0] if tables else {}
    return {
        name: [table[name] for table in tables]
        for name in names
        if any(table[name] != tables[0][name] for table in tables)
    }


# The public script's recipe. It validated on all 7,178 test images: the one stated exception to the rule that
# PrivateTest is not looked at before the end. No epoch is picked by it.
SEED_CNN = RunConfig(
    architecture="seed-cnn",
    epochs=50,
    batch_size=64,
    learning_rate=1e-4,
    schedule="inverse-time",
    decay_per_step=1e-6,
    validation_splits=("PublicTest", "PrivateTest"),
)

# Shows moving curves on the synthetic demo set within a minute on two cores.
QUICK = RunConfig(
    data="demo",
    architecture="small-cnn",
    epochs=10,
    batch_size=16,
    learning_rate=2e-3,
    schedule="cosine",
    augmentation=Augmentation(flip=0.5, rotate_deg=5),
)

# Strong regularization, many epochs on faces that grow, averaged weights; docs/ablation.md says what was tried.
COMPACT = RunConfig(
    architecture="compact",
    epochs=145,
    batch_size=128,
    initial_size=32,
    progressive_resizing=0.6,
    optimizer="adamw",
    learning_rate=2e-3,
    schedule="cosine",
    warmup_epochs=3,
    weight_decay=0.05,
    label_smoothing=0.1,
    mixup=0.2,
    mixup_share=0.7,
    augmentation=STANDARD_AUGMENTATION,
    ema=0.999,
    selection="last",
)

# Self-distillation: a trained network starts again at a high learning rate with its former self as the teacher. The
# weights that come with the package went through it twice, for 84 and 40 epochs, after 137 in two runs much like the
# one above.
COMPACT_TAUGHT = dataclasses.replace(
    COMPACT,
    start_from="compact",
    teachers=("compact",),
    epochs=84,
    initial_size=FACE_SIZE,
    learning_rate=1.5e-3,
    warmup_epochs=1,
    mixup_share=0.85,
)

# Both truths in one network: FER-2013's label, the votes of ten people, and the label counted as four further votes.
# It starts from the bundled network, which also teaches it, and sees faces cropped as loosely as a detector crops them.
COMPACT_BOTH = dataclasses.replace(
    COMPACT_TAUGHT,
    label_set="both",
    epochs=56,
    initial_size=40,
    progressive_resizing=0.4,
    augmentation=DETECTOR_AUGMENTATION,
)

# The bundled network, trained further on what ten people say about each face instead of the one label it came with.
# Their votes are as soft as smoothed labels, and softer where a face is hard.
COMPACT_FERPLUS = dataclasses.replace(
    COMPACT,
    label_set="ferplus",
    start_from="compact",
    epochs=36,
    initial_size=FACE_SIZE,
    learning_rate=1e-3,
    warmup_epochs=1,
    label_smoothing=0.0,
)

PRESETS: Mapping[str, RunConfig] = MappingProxyType(
    {
        "compact-both": COMPACT_BOTH,
        "compact": COMPACT,
        "compact-taught": COMPACT_TAUGHT,
        "compact-ferplus": COMPACT_FERPLUS,
        "seed-cnn": SEED_CNN,
        "quick": QUICK,
    }
)
