"""What a run writes about itself as JSON, checked when it is read: a damaged file is reported, never trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from fer_core.emotions import LABELS
from fer_core.errors import RunError

# The states in which a process belongs to the run; without one, the run was interrupted.
LiveState = Literal["waiting", "starting", "running", "measuring"]
# What a page makes of a status file that cannot be read, or of a process that is gone, is not written to disk.
State = Literal[LiveState, "stopped", "finished", "failed", "interrupted", "broken"]
LIVE_STATES: tuple[str, ...] = get_args(LiveState)
STATES: tuple[str, ...] = get_args(State)

_Count = Annotated[int, Field(ge=0)]
# Fields that a later version adds are ignored.
_FINITE = ConfigDict(allow_inf_nan=False, extra="ignore")

Record = TypeVar("Record")


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Attributes:
        state: one of `STATES`.
        pid: process id of the process that last wrote the status.
        time_s: when it was written, seconds since 1970.
        epoch: finished epochs.
        step: finished steps of the current epoch.
        steps_per_epoch: steps in an epoch.
        message: what happened, as text; empty while all is well.
        since_s: when the process was started, seconds since 1970.
        device: what it trains on, as text.
        queue: the device it waits for, by `device_key`.
        oom_kills: processes that the system had killed for want of memory by then; None where it does not say.
    """

    __pydantic_config__ = _FINITE

    state: State
    pid: int
    time_s: float
    epoch: _Count = 0
    step: _Count = 0
    steps_per_epoch: _Count = 0
    message: str = ""
    since_s: float = 0.0
    device: str = ""
    queue: str = ""
    oom_kills: int | None = None

    @property
    def live(self) -> bool:
        """Whether a process works on the run or waits for its turn."""
        return self.state in LIVE_STATES


@dataclass(frozen=True)
class WatchedFaces:
    """A few validation faces and what the network said about them.

    Attributes:
        labels: true label of each face, index into the record's class names.
        probs: scores of each face after the last epoch, in the order of the class names.
        predicted: for each epoch, the predicted label of each face.
    """

    __pydantic_config__ = _FINITE

    labels: list[_Count]
    probs: list[list[float]]
    predicted: list[list[_Count]]

    def __post_init__(self) -> None:
        if {len(self.probs), *map(len, self.predicted)} - {len(self.labels)}:
            raise ValueError(f"expected {len(self.labels)} faces in each list")


@dataclass(frozen=True)
class ValidationRecord:
    """What was measured after the last epoch.

    Attributes:
        epoch: counted from 0.
        confusion: counts (k, k), rows true, columns predicted, in the order of `class_names`.
        faces: a few of the faces.
        class_names: of the k classes of the data set.
    """

    __pydantic_config__ = _FINITE

    epoch: _Count
    confusion: list[list[_Count]]
    faces: WatchedFaces
    class_names: tuple[str, ...] = LABELS

    def __post_init__(self) -> None:
        k = len(self.class_names)
        if {len(self.confusion), *map(len, self.confusion), *map(len, self.faces.probs)} != {k}:
            raise ValueError(f"expected {k} counts and scores for each of {k} classes")
        if max((label for labels in (self.faces.labels, *self.faces.predicted) for label in labels), default=0) >= k:
            raise ValueError(f"expected labels below {k}")


@dataclass(frozen=True)
class ExportRecord:
    """What was measured of a run's model in the form of the app.

    Attributes:
        bytes: size of the file.
        ms_per_face: time for one face in the runtime of the app, milliseconds.
        difference: largest difference of its scores from the trained network's, 0 to 1.
        faces: number of faces that both scored.
        weights_sha256: of the weights that it was made from.
    """

    __pydantic_config__ = _FINITE

    bytes: _Count
    ms_per_face: float
    difference: float = 0.0
    faces: _Count = 0
    weights_sha256: str = ""


def read_record(path: Path, kind: type[Record]) -> Record | None:
    """Read a record, or return None if the file does not exist.

    Raises:
        RunError: the file does not hold such a record.
    """
    try:
        return _adapter(kind).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RunError(f"{path.name} cannot be read: {f'{place}: ' if place else ''}{first['msg']}.") from error


@cache
def _adapter(kind: type[Record]) -> TypeAdapter[Record]:
    return TypeAdapter(kind)


def oom_kills() -> int | None:
    """Return how many processes this system has killed because memory ran out; None where it does not say."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), None)
