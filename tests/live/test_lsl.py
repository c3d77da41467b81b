"""Scores as streams of the Lab Streaming Layer, read by an inlet in another process."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import DependencyError
from fer_core.live import lsl
from fer_core.live.lsl import LslChoice, LslOutput, lsl_unavailable
from fer_core.live.sending import Sending
from fer_core.sessions.settings_log import RecordedSettings
from tests.sessions.recording import CARD, frame

PATIENCE_S = 60
# Machines that test often have no multicast: streams are looked for at this machine's own address.
LOOPBACK = (
    "[lab]\nKnownPeers = {127.0.0.1}\nSessionID = %s\n[multicast]\nResolveScope = machine\n[ports]\nIPv6 = disable\n"
)
# Reads the streams whose names begin so until the marker `end`, then writes down all that it got.
INLET = """
import json, sys, time
import pylsl
names, found = sys.argv[1:], {}
end_s = time.monotonic() + 60
while len(found) < len(names) and time.monotonic() < end_s:
    for name in set(names) - set(found):
        for info in pylsl.resolve_byprop("name", name, timeout=1.0):
            inlet = pylsl.StreamInlet(info, processing_flags=pylsl.proc_clocksync)
            inlet.open_stream(timeout=30)
            inlet.time_correction(timeout=30)
            found[name] = inlet
print("ready", flush=True)
got = {name: {"xml": found[name].info().as_xml(), "samples": []} for name in names}
ended = False
while time.monotonic() < end_s and not ended:
    for name in names:
        sample, at = found[name].pull_sample(timeout=0.05)
        while sample is not None:
            got[name]["samples"].append([at, sample])
            ended |= sample == ["end"]
            sample, at = found[name].pull_sample(timeout=0.2)
print(json.dumps(got))
"""


@pytest.fixture
def loopback(tmp_path, monkeypatch):
    """Let this process and those that it starts find streams on this machine alone."""
    pylsl = pytest.importorskip("pylsl")
    config = LOOPBACK % f"test{time.monotonic_ns()}"
    (tmp_path / "lsl_api.cfg").write_text(config)
    monkeypatch.setenv("LSLAPICFG", str(tmp_path / "lsl_api.cfg"))
    pylsl.set_config_content(config)
    return pylsl


def test_another_program_reads_scores_markers_and_what_they_are(loopback):
    settings, sending = RecordedSettings(CARD), Sending()
    output = LslOutput("fer-test", LslChoice(faces=2, kind="unsmoothed"), settings)
    sending.use(output)
    command = [sys.executable, "-c", INLET, *output.names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "ready\n"
        assert output.listened_to
        captured, results = [], [frame(index, faces=1 + index % 2) for index in range(20)]
        for result in results:
            came_s = time.monotonic()
            captured.append(came_s - 0.25 + loopback.local_clock() - time.monotonic())
            sending.captured_s(came_s, None)
            sending.add(result, came_s - 0.25, settings, 0.0, None)
        sending.mark("film", "key 1", None, begins_range=True)
        sending.mark("end", "button", None)
        got = json.loads(program.communicate(timeout=PATIENCE_S)[0])
    first, second, markers = (got[name] for name in output.names)
    values = np.array([sample for _, sample in first["samples"]], np.float32)
    np.testing.assert_array_equal(values[:, :7], np.stack([result.unsmoothed[0] for result in results]))
    assert (values[:, 7] == 1).all() and (values[:, 8] == 1).all()
    np.testing.assert_allclose([at for at, _ in first["samples"]], captured, atol=0.1)
    absent = np.isnan(np.array([sample for _, sample in second["samples"]])).all(axis=1)
    assert absent.tolist() == [len(result) < 2 for result in results]
    assert [sample for _, sample in markers["samples"]] == [["film (begin)"], ["end"]]
    described = first["xml"]
    assert described.count("<channel>") == 9
    assert all(f"<label>{label}</label>" in described for label in (*LABELS, "face", "valid"))
    for words in ("<unit>normalized</unit>", "<sha256>ab</sha256>", "<type>Expression</type>", "of each frame alone"):
        assert words in described
    assert "<nominal_srate>0" in described and "<type>Markers</type>" in markers["xml"]


def test_frames_of_another_model_wait_for_streams_of_their_own(loopback):
    pushed = []
    settings, other = RecordedSettings(CARD), RecordedSettings(CARD.__class__(**{**vars(CARD), "name": "other"}))
    output, sending = LslOutput("fer-two", LslChoice(), settings), Sending()
    sending.use(output)

    def send():
        before = output._outlets
        output._outlets = (SimpleNamespace(push_sample=lambda values, at: pushed.append(values[3])),)
        sending.add(frame(0), sending.captured_s(time.monotonic(), None), other, 0.0, None)
        output._outlets = before

    send()
    assert not pushed
    output.use(other)
    send()
    assert pushed == [pytest.approx(0.7)]
    streams = output._outlets
    output.use(other)
    assert output._outlets is streams  # the same model again changes nothing
    sending.close("over")
    send()
    assert len(pushed) == 1 and not output.listened_to


def test_a_missing_package_or_library_is_explained(monkeypatch):
    monkeypatch.setattr("fer_core.dependencies.find_spec", lambda name: None)
    assert lsl_unavailable().endswith('Install with: pip install "fer-dashboard[lsl]"')
    monkeypatch.undo()
    monkeypatch.setattr(lsl, "require_package", lambda *_: None)
    monkeypatch.setitem(sys.modules, "pylsl", None)

    class NoLibrary:
        def find_spec(self, name, path=None, target=None):
            if name == "pylsl":
                raise RuntimeError("LSL binary library file was not found.")

    monkeypatch.delitem(sys.modules, "pylsl")
    monkeypatch.setattr(sys, "meta_path", [NoLibrary(), *sys.meta_path])
    with pytest.raises(DependencyError, match="PYLSL_LIB"):
        LslOutput("x", LslChoice(), RecordedSettings(CARD))
