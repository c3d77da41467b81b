import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_core.audit.selections_file import change_selections, read_selections, selections_path
from fer_core.errors import DataError

ROOT = Path(__file__).parents[2]
EACH = 20
SERVER = f"""
import sys
from datetime import UTC, datetime
from fer_core.audit.selections_file import change_selections

first = int(sys.argv[1])
for row in range(first, first + {EACH}):
    change_selections("small", "0123", 1000, lambda selections: selections.tag([row], "seen", datetime.now(UTC)))
"""


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    selections_path("small").parent.mkdir(parents=True)


def test_no_tag_of_two_servers_on_one_home_is_lost():
    servers = [subprocess.Popen([sys.executable, "-c", SERVER, str(first)], cwd=ROOT) for first in (0, 100)]
    assert [server.wait() for server in servers] == [0, 0]
    assert len(read_selections("small", "0123", 1000).tags["seen"]) == 2 * EACH


def test_a_data_set_that_is_gone_is_named_and_not_made_again():
    selections_path("small").parent.rmdir()
    with pytest.raises(DataError, match="small was deleted"):
        change_selections("small", "0123", 5, lambda selections: selections.tag([1], "a", datetime.now(UTC)))
    assert not selections_path("small").parent.exists()


def test_a_refused_change_leaves_the_file_as_it_was():
    change_selections("small", "0123", 5, lambda selections: selections.tag([1], "a", datetime.now(UTC)))
    before = selections_path("small").read_text()
    with pytest.raises(DataError):
        change_selections("small", "0123", 5, lambda selections: selections.tag([5], "a", datetime.now(UTC)))
    assert selections_path("small").read_text() == before


def test_a_damaged_file_is_kept():
    selections_path("small").write_text("broken")
    with pytest.raises(DataError, match="damaged"):
        change_selections("small", "0123", 5, lambda selections: selections)
    assert selections_path("small").read_text() == "broken"
