"""The size of the faces that networks take, importable without NumPy: the command line's help states it."""

from __future__ import annotations

# Width and height, pixels; FER-2013's images have it too.
FACE_SIZE = 48
