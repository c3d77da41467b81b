"""Files of an archive that lie on a web server."""

import functools
import http.server
import re
import threading
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from fer_core.archive import remote
from fer_core.archive.remote import at_hand, find_sources, signature_at
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
    if find_spec("gcsfs") is None:
        with pytest.raises(DependencyError, match="install gcsfs"):
            signature_at("gs://bucket/a.jpg")


class Bucket(Quiet):
    """As much of S3 as reading takes: what is in a bucket, what an object is, and a range of it."""

    def do_GET(self):
        url = urlsplit(self.path)
        if "list-type" in url.query:
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            return self.answer(listing(Path(self.directory), prefix).encode(), "application/xml")
        path = Path(self.translate_path(url.path.removeprefix("/bucket")))
        if not path.is_file():
            return self.send_error(404)
        content, begin = path.read_bytes(), 0
        if asked := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin = int(asked[1])
            content = content[begin : int(asked[2]) + 1 if asked[2] else None]
        return self.answer(content, "binary/octet-stream", path, begin if asked else None)

    do_HEAD = do_GET

    def answer(self, content, kind, path=None, begin=None):
        self.send_response(200 if begin is None else 206)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if path:
            self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        if begin is not None:
            size = path.stat().st_size
            self.send_header("Content-Range", f"bytes {begin}-{begin + len(content) - 1}/{size}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def listing(folder, prefix):
    objects = "".join(
        f"<Contents><Key>{path.name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<Size>{path.stat().st_size}</Size></Contents>"
        for path in sorted(folder.iterdir())
        if path.name.startswith(prefix)
    )
    return f"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>"


def test_files_of_a_bucket_are_found_fetched_and_known_again(media, monkeypatch):
    handler = functools.partial(Bucket, directory=str(media))
    names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in {**names, "AWS_REGION": "us-east-1", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{served.server_port}")
        remote._s3_of.cache_clear()
        try:
            assert find_sources(["s3://bucket/*.jpg"]) == [f"s3://bucket/{name}.jpg" for name in ("a", "b", "broken")]
            for _ in range(2):
                assert main(["analyze", "s3://bucket/a.jpg", "s3://bucket/none.jpg", "--out", "there/"]) == 1
        finally:
            served.shutdown()
            remote._s3_of.cache_clear()
    entries = manifest_of(Path("there"))
    assert done_in(Path("there")) == {"s3://bucket/a.jpg"} and entries["s3://bucket/a.jpg"]["attempts"] == 1
    assert "s3://bucket/none.jpg cannot be fetched" in entries["s3://bucket/none.jpg"]["reason"]
    assert rows_of(Path("there"))["file"].tolist() == ["s3://bucket/a.jpg"]
