"""The examples of docs/service.md run as they stand, but for the port."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "service.md").read_text()


pytestmark = pytest.mark.usefixtures("readers_files")


def test_the_examples_in_python_run(service, capsys):
    for example in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(example.replace("8000", str(service.port)), "service.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["photo.jpg", "photo.jpg", "0.0", "0.1", "0.2", "0.3"]
    assert lines[0].count("'") == 4 and lines[2].endswith("[]") and "(1, '" in lines[3]


def test_the_examples_with_curl_run(service, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    examples = re.search(r"## curl\n\n```sh\n(.*?)```", TEXT, re.DOTALL)[1].splitlines()
    assert len(examples) == 5
    for example in examples:
        command = example.replace("8000", str(service.port)).replace("curl", "curl -sS --fail-with-body")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "-o" in command or '"expression":' in done.stdout
    assert (tmp_path / "annotated.png").read_bytes().startswith(b"\x89PNG")
