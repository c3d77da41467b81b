"""The examples in the documents run as they stand."""

import re
from fractions import Fraction
from pathlib import Path

import cv2
import pandas
import pytest

from fer_core import EmotionRecognizer
from fer_core.imaging.video import write_video

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_files(tmp_path, monkeypatch, draw_scene):
    """A folder with the reader's own photo and clip."""
    cv2.imwrite(str(tmp_path / "photo.jpg"), draw_scene((200, 240, 120), (460, 240, 110)))
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(4):
            writer.write(draw_scene((300, 240, 120)), index / 10)
    monkeypatch.chdir(tmp_path)


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
