"""What the service answers, under the names that results have everywhere in this package."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from fer_core.recognition.provenance import metadata
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="what was expected, what came, and what to do")


class UsedModel(BaseModel):
    """The model that scored the faces."""

    name: str
    sha256: str | None = Field(description="of its network")
    label_set: str = Field(description="what the faces were scored for")
    temperature: float
    entropy_power: float
    uncertain_below: float | None = Field(description="best score below which a face is uncertain, 0 to 1")


class ScoredFace(BaseModel):
    """The expression of a face."""

    face: int = Field(description="its number, from 1; in a stream the same number for the same face")
    expression: str = Field(description="the label with the best score")
    uncertain: bool = Field(description="whether its best score is below the model's `uncertain_below`")
    scores: dict[str, float] = Field(description="by label, 0 to 1, with a sum of 1")


class FoundFace(ScoredFace):
    """A face that was found, and its expression."""

    box: tuple[float, float, float, float] = Field(description="left, top, right, bottom in pixels")
    face_size_px: float = Field(description="side of its box in pixels")
    sharpness: float = Field(description="strength of its edges relative to its contrast; 0.4 to 1.2 in photos")
    brightness: float = Field(description="mean of its pixels, 0 (black) to 1 (white)")
    detector_score: float = Field(description="how often the detector found it again at nearby places and sizes")
    valid: bool = Field(description="whether it can be seen well enough for its scores to be used")
    not_valid_because: str = Field(description="why not, such as blurred, dark; empty if it is valid")


class Frame(BaseModel):
    """The faces of one frame of a stream."""

    index: int = Field(description="number of the frame, from 0")
    time_s: float = Field(description="time of the frame in seconds")
    width: int = Field(description="in pixels, upright")
    height: int
    faces: list[FoundFace]


class AnalyzedImage(Frame):
    """The faces of one image."""

    image: str = Field(description="name of its file, or images[0] and so on")


class _Answer(BaseModel):
    program: str
    model: UsedModel
    note: str


class Analysis(_Answer):
    """Faces found in images."""

    results: list[AnalyzedImage] = Field(description="one for each image, in their order")


class ClassifiedFace(ScoredFace):
    """A face that came cropped, and its expression."""

    image: str = Field(description="name of its file, or images[0] and so on")


class Classification(_Answer):
    """Scores of cropped faces."""

    faces: list[ClassifiedFace] = Field(description="one for each image, in their order")


class ModelInfo(BaseModel):
    """A model of this machine; one that cannot be read says why in `error`."""

    name: str
    bundled: bool
    in_use: bool = Field(description="whether requests that name no model use it")
    architecture: str | None
    parameters: int | None
    labels: list[str] | None
    label_sets: list[str] | None = Field(description="what it can score faces for, the default first")
    error: str


class Models(BaseModel):
    """The models that a request can name."""

    models: list[ModelInfo]


class Health(BaseModel):
    """That the service works."""

    status: str
    version: str
    model: str


def frame_fields(result: FrameResult, uncertain_below: float | None) -> dict[str, Any]:
    """Return the fields of a `Frame`: the result as plain values, and whether each face is uncertain.

    Args:
        result: the frame.
        uncertain_below: best score below which a face is uncertain, 0 to 1; none is if None.
    """
    fields = result.to_dict()
    threshold = uncertain_below or 0.0
    for face, probs in zip(fields["faces"], result.prediction.probs, strict=True):
        face["uncertain"] = bool(probs.max() < threshold)
    return fields


def analysis_of(recognizer: EmotionRecognizer, results: list[tuple[str, FrameResult]]) -> Analysis:
    """Return the answer for the results of images, each with its name."""
    images = [AnalyzedImage(image=name, **frame_fields(result, recognizer.uncertain_below)) for name, result in results]
    return Analysis(**metadata(recognizer.card, recognizer.label_set), results=images)


def classification_of(recognizer: EmotionRecognizer, names: list[str], scores: Any) -> Classification:
    """Return the answer for the scores (n, k) of n cropped faces with these names."""
    threshold = recognizer.uncertain_below or 0.0
    faces = [
        ClassifiedFace(
            image=name,
            face=number,
            expression=recognizer.labels[int(row.argmax())],
            uncertain=bool(row.max() < threshold),
            scores=dict(zip(recognizer.labels, map(float, row), strict=True)),
        )
        for number, (name, row) in enumerate(zip(names, scores, strict=True), 1)
    ]
    return Classification(**metadata(recognizer.card, recognizer.label_set), faces=faces)
