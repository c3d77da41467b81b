import cv2
import pytest

from fer_core.service.limits import Limits
from tests.service.serving import running


@pytest.fixture(scope="session")
def scene(draw_scene) -> bytes:
    """A picture of two faces, as a PNG file."""
    return cv2.imencode(".png", draw_scene((200, 240, 120), (460, 240, 110)))[1].tobytes()


@pytest.fixture(scope="session")
def service():
    """A service with narrow limits."""
    with running(Limits(max_body_bytes=1_500_000, max_pixels=400_000, max_images=3, max_streams=2)) as server:
        yield server
