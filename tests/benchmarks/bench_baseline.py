"""Whether correcting scores by a neutral baseline does harm, and what it gains for people whose neutral face misleads.

    FER_HOME=… python -m tests.benchmarks.bench_baseline fer2013

FER-2013 does not say whose faces are whose. So people are simulated: all faces of PublicTest become one person's by the
same random shift of their logits, some clear neutral ones become the baseline, the others are corrected. Without a
shift there is nothing to gain: what is lost then is the harm that a baseline does by chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from fer_core.data.resolve import open_faces
from fer_core.data.votes import clear_expression, unique_majority
from fer_core.recognition.baseline import EXPECTED_NEUTRAL, NEUTRAL, Baseline, logits_of
from fer_core.recognizer import EmotionRecognizer

_PEOPLE = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set with votes")
    parser.add_argument("--model", default="people")
    options = parser.parse_args()
    recognizer, faces = EmotionRecognizer(options.model), open_faces(options.data)
    if faces.votes is None:
        parser.error(f"{options.data} has no votes; import it together with FER+'s fer2013new.csv.")
    rows = faces.rows_of("PublicTest")
    rows = rows[unique_majority(faces.votes[rows]) >= 0]
    probs = np.concatenate([recognizer.classify(faces.images[part]) for part in np.array_split(rows, 16)])
    majority, clear = unique_majority(faces.votes[rows]), clear_expression(faces.votes[rows])
    neutral = recognizer.labels.index(NEUTRAL)
    print(f"{options.model}, {len(rows):,} faces of PublicTest with a unique majority, {_PEOPLE} people, means in %")
    print("shift  frames  scores       right  clear neutral right  other expressions right  people made worse")
    for shift, frames in ((0.0, 1), (0.0, 15), (1.0, 1), (1.0, 15)):
        people = list(_people(probs, np.flatnonzero(clear == neutral), majority, clear, neutral, shift, frames))
        for name in people[0]:
            right = np.array([person[name] for person in people])
            worse = np.mean(right[:, 0] < np.array([person["raw"][0] for person in people]))
            figures = "  ".join(f"{value:6.1%}" for value in (*right.mean(axis=0), worse))
            print(f"{shift:5.1f}  {frames:6}  {name:11}  {figures}")


def _people(
    probs: np.ndarray,
    neutral_rows: np.ndarray,
    majority: np.ndarray,
    clear: np.ndarray,
    neutral: int,
    shift: float,
    frames: int,
) -> Iterator[dict[str, tuple[float, ...]]]:
    """Yield each person's share of faces that are right: all, clear neutral ones, and other expressions."""
    rng = np.random.default_rng(0)
    for _ in range(_PEOPLE):
        raw = _scores(logits_of(probs) + rng.normal(0, shift, probs.shape[1]))
        used = rng.choice(neutral_rows, frames, replace=False)
        baseline = Baseline.of_frames(raw[used], tuple(_names(probs.shape[1], neutral)), range(frames))
        scores = {"raw": raw, "corrected": baseline.correct(raw), "even shares": _even_shares(baseline, raw, neutral)}
        rest = np.setdiff1d(np.arange(len(probs)), used)
        groups = rest, rest[clear[rest] == neutral], rest[majority[rest] != neutral]
        yield {
            name: tuple(float((values[group].argmax(axis=1) == majority[group]).mean()) for group in groups)
            for name, values in scores.items()
        }


def _even_shares(baseline: Baseline, raw: np.ndarray, neutral: int) -> np.ndarray:
    """Return scores corrected towards a neutral face on which all other expressions score the same."""
    expected = np.full(raw.shape[1], (1 - EXPECTED_NEUTRAL) / (raw.shape[1] - 1))
    expected[neutral] = EXPECTED_NEUTRAL
    return _scores(logits_of(raw) - baseline.logits + logits_of(expected))


def _scores(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _names(count: int, neutral: int) -> list[str]:
    return [NEUTRAL if column == neutral else str(column) for column in range(count)]


if __name__ == "__main__":
    main()
