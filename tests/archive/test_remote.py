"""Files of an archive that lie on a web server."""

import functools
import http.server
import threading
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from fer_core.archive.remote import at_hand, signature_at
from fer_core.cli import main
from fer_core.errors import DependencyError, MediaError
from tests.archive.conftest import done_in, manifest_of, rows_of, write_clip

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(media):
    """The address of a server of the folder with media."""
    handler = functools.partial(Quiet, directory=str(media))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_files_of_a_server_have_the_rows_of_the_same_files_here(server, media, draw_scene, capsys):
    names = [f"{server}/{name}" for name in ("a.jpg", "c.mp4", "broken.jpg", "none.jpg")]
    command = ["analyze", "media/b.jpg", *names, "--out", "there/"]
    assert main(command) == 1
    assert done_in(Path("there")) == {"media/b.jpg", *names[:2]}
    entries = manifest_of(Path("there"))
    assert entries[names[0]]["size_bytes"] == (media / "a.jpg").stat().st_size
    assert "broken.jpg cannot be read" in entries[names[2]]["reason"]
    assert f"{names[3]} cannot be fetched" in entries[names[3]]["reason"]
    assert main(["analyze", "media/b.jpg", "media/a.jpg", "media/c.mp4", "--out", "here.parquet"]) == 0
    here, there = pd.read_parquet("here.parquet"), rows_of(Path("there"))
    there["file"] = there["file"].str.replace(server, "media")
    columns = ["file", "frame", "face"]
    pd.testing.assert_frame_equal(
        there.sort_values(columns, ignore_index=True), here.sort_values(columns, ignore_index=True)
    )
    # Started again it knows what is done by what the server tells of it.
    attempts = {file: entry["attempts"] for file, entry in entries.items()}
    write_clip(media / "c.mp4", draw_scene, frames=2)
    assert main(command) == 1
    again = {file for file, entry in manifest_of(Path("there")).items() if entry["attempts"] != attempts[file]}
    assert again == {*names[2:]} and manifest_of(Path("there"))[names[1]]["frames"] == 2


def test_a_pattern_stands_for_what_the_server_lists(server):
    assert main(["analyze", f"{server}/*.jpg", "--out", "there/"]) == 1  # one is broken
    assert done_in(Path("there")) == {f"{server}/a.jpg", f"{server}/b.jpg"}
    assert main(["analyze", f"{server}/*.png", "--out", "there/"]) == 1


def test_one_table_takes_no_url(server, capsys):
    assert main(["analyze", f"{server}/a.jpg", "--out", "table.csv"]) == 1
    assert "lies elsewhere: name a folder" in capsys.readouterr().err


def test_what_cannot_be_reached_is_said_in_words():
    assert signature_at("http://127.0.0.1:9/a.jpg") is None
    with (
        pytest.raises(MediaError, match=r"http://127.0.0.1:9/a.jpg cannot be fetched"),
        at_hand("http://127.0.0.1:9/a.jpg"),
    ):
        pass
    with pytest.raises(MediaError, match="cannot be reached: Protocol not known"):
        signature_at("gopher://a/b.jpg")
    if find_spec("s3fs") is None:
        with pytest.raises(DependencyError, match="Install s3fs"):
            signature_at("s3://bucket/a.jpg")
