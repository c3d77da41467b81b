"""Frames keep their pictures on the way to OpenCV and back, and streams are encoded by the light encoder."""

import fractions

import av
import cv2
import numpy as np
import pytest
from aiortc.codecs import get_encoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

import fer_core.ui.live.webrtc  # noqa: F401  # sets the encoder
from fer_core.ui.live.codec import LightVp8Encoder, to_bgr, to_frame
from tests.scenes import scene_drawer

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)


@pytest.fixture(scope="module")
def scene():
    return scene_drawer()((320, 240, 150))


def error_db(image, other):
    return 10 * np.log10(255**2 / (np.mean((image.astype(float) - other) ** 2) + 1e-9))


@pytest.mark.parametrize("size_wh", [(640, 480), (639, 480), (640, 359)])
def test_a_picture_comes_back_as_it_was_whatever_its_size(scene, size_wh):
    image = cv2.resize(scene, size_wh)
    assert error_db(to_bgr(to_frame(image)), image) > 35


def test_decoded_frames_get_the_colours_that_ffmpeg_gives_them(scene):
    frame = av.VideoFrame.from_ndarray(scene, format="bgr24").reformat(format="yuv420p")
    assert error_db(to_bgr(frame), frame.to_ndarray(format="bgr24")) > 38


def test_a_stream_is_encoded_by_the_light_encoder_anew_where_the_size_changes(scene):
    encoder, decoder, sizes, codecs = get_encoder(VP8), Vp8Decoder(), [], []
    assert isinstance(encoder, LightVp8Encoder)
    for number, size_wh in enumerate([(640, 480), (640, 480), (320, 240)]):
        frame = to_frame(cv2.resize(scene, size_wh))
        frame.pts, frame.time_base = number * 6000, fractions.Fraction(1, 90_000)
        payloads, _ = encoder.encode(frame)
        codecs.append(encoder.codec)
        data = b"".join(payload[4 if payload[1] & 0x80 else 1 :] for payload in payloads)
        shown = to_bgr(decoder.decode(JitterFrame(data, number * 6000))[0])
        sizes.append(shown.shape[1::-1])
        assert error_db(shown, cv2.resize(scene, size_wh)) > 28
    assert sizes == [(640, 480), (640, 480), (320, 240)]
    assert codecs[0] is codecs[1] is not codecs[2]
    assert not any(codec.thread_count > 1 for codec in codecs)


def test_a_frame_of_an_impossible_time_is_left_out_and_those_after_it_are_sent(scene):
    encoder, sent = get_encoder(VP8), []
    for pts in (60_000, 6_000, 12_000, 18_000):
        frame = to_frame(scene)
        frame.pts, frame.time_base = pts, fractions.Fraction(1, 90_000)
        payloads, timestamp = encoder.encode(frame)
        sent.append((bool(payloads), timestamp))
        assert (frame.pts, frame.time_base) == (pts, fractions.Fraction(1, 90_000))  # nobody wrote into it
    assert sent == [(True, 60_000), (False, 0), (True, 12_000), (True, 18_000)]
