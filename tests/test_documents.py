"""The examples in the documents run as they stand."""

import re
from pathlib import Path

import cv2
import pandas
import pytest

from fer_core import EmotionRecognizer

ROOT = Path(__file__).parents[1]


pytestmark = pytest.mark.usefixtures("readers_files")


def test_the_example_of_the_readme_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    with pandas.option_context("display.width", 400, "display.max_columns", None):
        exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]  # two faces
    assert len(lines) == 3 + 4  # and four frames


def test_what_others_call_has_an_answer_here():
    recognizer = EmotionRecognizer()
    image = cv2.imread("photo.jpg")
    text = (ROOT / "docs" / "coming-from.md").read_text()
    calls = re.findall(r"\| `((?:len\(|pandas\.)?[^`]*recognizer\.[^`]*)`", text)
    assert len(calls) >= 6
    for call in calls:
        names = {"recognizer": recognizer, "image": image, "pandas": pandas, "faces": image[:48, :48, 0][None]}
        result = eval(call, names)
        assert result is not None
    face = recognizer.analyze("photo.jpg").to_dict()["faces"][0]
    assert {"expression", "scores", "box"} < set(face)
