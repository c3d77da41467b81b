"""`fer serve` as its users start it: real processes, one of them killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.service.client import ServiceClient

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")


def workers_of(pid: int) -> list[int]:
    """Return the processes that serve, without the one that cleans up after them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The process of a service with two workers, and its client."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "fer_core", "serve", "--port", str(port), "--workers", "2", "--model", "compact"]
    with (tmp_path_factory.mktemp("log") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        ServiceClient(f"http://127.0.0.1:{port}", attempts=8).models()
        yield process, ServiceClient(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_killed_worker_loses_no_request(served, scene):
    process, client = served
    before = workers_of(process.pid)
    third = threading.Event()

    def ask(number: int) -> int:
        if number == 3:
            third.set()
        return len(client.analyze(scene)["results"][0]["faces"])

    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(ask, range(30))
        assert third.wait(30)
        os.kill(before[0], signal.SIGKILL)
        assert list(answers) == [2] * 30
    deadline = time.monotonic() + 30
    while len(alive := workers_of(process.pid)) < 2 or before[0] in alive:
        assert time.monotonic() < deadline, "the worker was not replaced"
        time.sleep(0.1)
    assert before[1] in alive


def test_metrics_are_those_of_all_workers_and_survive_them(served):
    from urllib.request import urlopen

    text = urlopen(f"{served[1]._url}/metrics", timeout=20).read().decode()
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(samples['fer_requests_total{method="POST",route="/v1/analyze",status="200"}']) >= 25
    assert float(samples["fer_requests_in_progress"]) == 0


def test_nothing_of_tensorflow_or_streamlit_is_loaded_after_requests(scene):
    code = (
        "import sys\n"
        "from fer_core.service.client import ServiceClient\n"
        "from tests.service.serving import running\n"
        "image = sys.stdin.buffer.read()\n"
        "with running(model='people') as server:\n"
        "    client = ServiceClient(server.url)\n"
        "    assert len(client.analyze(image)['results'][0]['faces']) == 2\n"
        "    client.classify(image)\n"
        "    client.annotate(image)\n"
        "loaded = {'tensorflow', 'keras', 'jax', 'streamlit', 'pandas', 'av'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], input=scene, capture_output=True, timeout=120, cwd=root)
    assert done.returncode == 0, done.stderr.decode()


def test_it_does_not_start_where_others_could_reach_it_without_a_key(capsys, monkeypatch):
    monkeypatch.delenv("FER_API_KEYS", raising=False)
    assert main(["serve", "--host", "0.0.0.0"]) == 1
    assert "export FER_API_KEYS=" in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys):
    with socket.create_server(("127.0.0.1", 0)) as used:
        assert main(["serve", "--port", str(used.getsockname()[1])]) == 1
    assert "cannot be used: Address already in use" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("fer_core.dependencies.find_spec", lambda name: None)
    assert main(["serve"]) == 1
    assert 'pip install "fer-dashboard[service]"' in capsys.readouterr().err
