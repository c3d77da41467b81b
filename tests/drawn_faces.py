"""The demo set as tests use it: drawn once in a process, since drawing takes a second for a few hundred faces."""

from functools import cache

from fer_core.data import demo
from fer_core.data.face_set import FaceSet


@cache
def demo_set(count: int = 70, seed: int = 0) -> FaceSet:
    """Return the demo set; its arrays are shared and cannot be written to."""
    faces = demo.demo_set(count, seed)
    for array in (faces.images, faces.labels, faces.split):
        array.setflags(write=False)
    return faces
