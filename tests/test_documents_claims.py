"""What the documents say about files, commands and figures is so."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from fer_core.cli import app
from fer_core.models.bundle import load_bundle
from fer_core.models.model_store import BUNDLED_ROOT

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith("http"):
            continue
        name, _, heading = target.partition("#")
        file = document.parent / name if name else document
        assert file.exists(), target
        if heading:
            slugs = {
                re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in _HEADING.findall(file.read_text())
            }
            assert heading in slugs, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_their_options_exist(document):
    root = typer.main.get_command(app)
    for line in _command_lines(document.read_text()):
        command, words = root, shlex.split(line, comments=True)
        for word in words:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
        assert command is not root, line
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known | {"--help"}, line


def _command_lines(text: str) -> list[str]:
    """Return what follows `fer` or `python -m fer_core` on the lines of a document's shell examples."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [
        re.split(r"[|&>]", found[1])[0]
        for line in lines
        if (found := re.match(r"(?:fer|python -m fer_core) (.+)", line))
    ]


@pytest.mark.parametrize("document", ["README.md", "docs/accuracy.md"])
def test_the_table_of_models_is_what_their_cards_say(document):
    rows = re.findall(r"^\| \**`([a-z-]+)`\** \|(.+%.+)\|$", (ROOT / document).read_text(), re.MULTILINE)
    assert len(rows) == 5
    for name, cells in rows:
        figures = load_bundle(BUNDLED_ROOT / name).card.metrics["PrivateTest"]
        people, labels = figures["people"], figures.get("label_sets", {}).get("fer")
        expected = [
            people["clear"]["accuracy"],
            people["neutral_called_negative"]["share"],
            people["negatives_found"]["share"],
            figures["majority"]["accuracy"],
            figures["accuracy"],
            *([labels["accuracy"]] if labels else []),
        ]
        told = [float(value) for value in re.findall(r"(\d+\.\d) %", cells)]
        assert told == pytest.approx([100 * value for value in expected], abs=0.0501), name
