"""How often labels change on a video, by model, label set and smoothing.

    python -m tests.benchmarks.bench_steadiness VIDEO [MODEL ...]

Each row is one pass over the video through the line that analyses files. A change is a face whose best label differs
from the one in its frame before; the delay is after how long half of a sudden change is seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fer_core.models.bundle import bundled_models
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognition.steadiness import delay_s, measure_steadiness
from fer_core.recognizer import EmotionRecognizer

SMOOTHING_S = (0.0, 0.2, 0.4, 0.8)


def main(video: Path, models: tuple[str, ...]) -> None:
    """Print changes a minute for each model and label set."""
    columns = "".join(f"{f'{delay_s(s):.2f} s late':>14}" for s in SMOOTHING_S)
    print(f"{video.name}: changes of label a minute\n{'model':<18}{'label set':<10}{columns}")
    for name in models:
        recognizer = EmotionRecognizer(name)
        for label_set in recognizer.label_sets:
            row = [
                measure_steadiness(
                    recognizer.analyze_video(
                        video, settings=StreamSettings(smoothing_s=smoothing_s, label_set=label_set)
                    )
                ).changes_per_min
                for smoothing_s in SMOOTHING_S
            ]
            print(f"{name:<18}{label_set:<10}" + "".join(f"{changes:>14.0f}" for changes in row), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]) or bundled_models())
