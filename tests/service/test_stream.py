import json

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.service.limits import Limits
from fer_core.settings import Settings
from tests.service.serving import running


def address(service, query: str = "") -> str:
    return f"ws://127.0.0.1:{service.port}/v1/stream{query}"


def ask(stream, frame: bytes) -> dict:
    stream.send(frame)
    return json.loads(stream.recv(timeout=20))


def test_frames_give_what_the_cores_stream_gives(service, draw_scene):
    frames = [cv2.imencode(".jpg", draw_scene((300 + 6 * step, 240, 120)))[1].tobytes() for step in range(4)]
    core = EmotionRecognizer("compact").stream(StreamSettings(smoothing_s=0.2))
    with connect(address(service, "?fps=10&smoothing_s=0.2")) as stream:
        for number, frame in enumerate(frames):
            image = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
            expected = core.process(image, number / 10).to_dict()
            answer = ask(stream, frame)
            assert [face.pop("uncertain") in (True, False) for face in answer["faces"]] == [True] * (number > 0)
            assert answer == expected
        service.wait_for("fer_streams 1.0")
    service.wait_for("fer_streams 0.0")


def test_a_frame_that_cannot_be_read_does_not_end_the_stream(service, draw_scene):
    with connect(address(service)) as stream:
        assert "Frame 1 cannot be read" in ask(stream, b"damaged")["detail"]
        stream.send("text")
        assert "Frame 2 cannot be read" in json.loads(stream.recv(timeout=20))["detail"]
        assert ask(stream, cv2.imencode(".jpg", draw_scene())[1].tobytes())["index"] == 0


def test_a_frame_that_is_too_large_ends_it(service):
    with connect(address(service)) as stream:
        stream.send(bytes(200_000))
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=20)
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?fps=0", "fps: Input should be greater than 0"),
        ("?smooth=1", "smooth: Extra inputs"),
        ("?model=nonesuch", "No model is named 'nonesuch'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(service, query, message):
    with pytest.raises(InvalidStatus) as refusal, connect(address(service, query)):
        pass
    assert refusal.value.response.status_code == 422
    assert message in json.loads(refusal.value.response.body)["detail"]


def test_no_more_streams_are_open_than_may(service):
    with (
        connect(address(service)),
        connect(address(service)),
        pytest.raises(InvalidStatus) as refusal,
        connect(address(service)),
    ):
        pass
    assert refusal.value.response.status_code == 503 and refusal.value.response.headers["Retry-After"]


def test_a_silent_stream_is_closed_and_a_key_is_asked_for():
    key = "k" * 16
    with running(Limits(idle_timeout_s=1.0), Settings(api_keys=(key,))) as server:
        with pytest.raises(InvalidStatus) as refusal, connect(address(server)):
            pass
        assert refusal.value.response.status_code == 401
        with connect(address(server), additional_headers={"Authorization": f"Bearer {key}"}) as stream:
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=20)
            assert "no frame for 1 s" in closed.value.rcvd.reason
