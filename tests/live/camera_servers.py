"""Network cameras for tests, on loopback: MPEG-TS and JPEG over HTTP by FFmpeg's own server, and RTSP."""

from __future__ import annotations

import base64
import re
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 30


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def http_camera(clip: Path, form: str, port: int) -> Iterator[str]:
    """Serve a clip without end to one client at a time, by FFmpeg in a process of its own; yield the address.

    Args:
        clip: to serve, at its own speed.
        form: "mpegts" or "mpjpeg".
        port: to listen on.
    """
    url = f"http://127.0.0.1:{port}/stream"
    codec = {"mpegts": "mpeg2video", "mpjpeg": "mjpeg"}[form]
    with _ffmpeg(clip, "-c:v", codec, "-q:v", "5", "-f", form, "-listen", "1", url):
        yield url


@contextmanager
def _ffmpeg(clip: Path, *output: str) -> Iterator[None]:
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-an", *output]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def rtsp_camera(clip: Path, folder: Path, password: str) -> Iterator[str]:
    """Serve a clip over RTSP to whoever knows the password; yield the address without it, as host and path."""
    media_port, sdp = free_port(), folder / "camera.sdp"
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "12", "-pix_fmt", "yuv420p")
    target = f"rtp://127.0.0.1:{media_port}?pkt_size=1200"
    with _ffmpeg(clip, *codec, "-sdp_file", str(sdp), "-f", "rtp", target):
        deadline_s = time.monotonic() + PATIENCE_S
        while not (sdp.exists() and "m=video" in sdp.read_text()):
            assert time.monotonic() < deadline_s, "FFmpeg wrote no description"
            time.sleep(0.05)
        with _RtspServer(sdp.read_text(), media_port, password) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"127.0.0.1:{server.server_address[1]}/stream"
            server.shutdown()


class _RtspServer(socketserver.ThreadingTCPServer):
    """Answers RTSP and sends on the RTP packets of a port within the connection."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, sdp: str, media_port: int, password: str) -> None:
        self.sdp = re.sub(r"m=video \d+", "m=video 0", sdp[sdp.index("v=0") :]) + "a=control:track\r\n"
        self.media_port = media_port
        self.authorization = "Basic " + base64.b64encode(f"viewer:{password}".encode()).decode()
        super().__init__(("127.0.0.1", 0), _RtspClient)


class _RtspClient(socketserver.StreamRequestHandler):
    server: _RtspServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client has gone
            self._converse()

    def _converse(self) -> None:
        while request := self._request():
            method, number, authorization = request
            if authorization != self.server.authorization:
                self._answer(number, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
            elif method == "DESCRIBE":
                self._answer(number, "200 OK", "Content-Type: application/sdp", body=self.server.sdp)
            elif method == "SETUP":
                self._answer(number, "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1")
            elif method == "PLAY":
                self._answer(number, "200 OK", "Session: 1")
                self._send_media()
            else:
                self._answer(number, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")

    def _request(self) -> tuple[str, str, str] | None:
        lines = []
        while line := self.rfile.readline().decode().strip():
            lines.append(line)
        if not lines:
            return None
        fields = dict(line.split(": ", 1) for line in lines[1:])
        return lines[0].split()[0], fields["CSeq"], fields.get("Authorization", "")

    def _answer(self, number: str, status: str, *fields: str, body: str = "") -> None:
        head = [f"RTSP/1.0 {status}", f"CSeq: {number}", *fields, *([f"Content-Length: {len(body)}"] if body else [])]
        self.wfile.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())

    def _send_media(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
            media.bind(("127.0.0.1", self.server.media_port))
            media.settimeout(PATIENCE_S)
            while True:
                packet = media.recv(65_536)
                self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
