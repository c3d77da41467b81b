import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_core.audit.corrections import load_corrections
from fer_core.audit.corrections_file import change_corrections, corrections_path
from fer_core.errors import DataError

ROOT = Path(__file__).parents[2]
EACH = 40
SERVER = f"""
import sys
from datetime import UTC, datetime
from fer_core.audit.corrections_file import change_corrections

first = int(sys.argv[1])
for row in range(first, first + {EACH}):
    change_corrections("small", "0123", 1000, lambda list: list.exclude([row], "test", datetime.now(UTC)))
"""


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    corrections_path("small").parent.mkdir(parents=True)


def test_no_correction_of_three_servers_on_one_home_is_lost():
    servers = [subprocess.Popen([sys.executable, "-c", SERVER, str(first)], cwd=ROOT) for first in (0, 100, 200)]
    assert [server.wait() for server in servers] == [0, 0, 0]
    corrections = load_corrections(corrections_path("small"), "0123", 1000)
    assert len(corrections) == 3 * EACH
    assert len({mark.step for mark in corrections.log}) == 3 * EACH


def test_a_data_set_that_is_gone_is_named_and_not_made_again():
    corrections_path("small").parent.rmdir()
    with pytest.raises(DataError, match="small was deleted"):
        change_corrections("small", "0123", 5, lambda list: list.exclude([1], "", datetime.now(UTC)))
    assert not corrections_path("small").parent.exists()


def test_a_broken_list_is_kept():
    corrections_path("small").write_text("broken")
    with pytest.raises(DataError):
        change_corrections("small", "0123", 5, lambda list: list)
    assert corrections_path("small").read_text() == "broken"
