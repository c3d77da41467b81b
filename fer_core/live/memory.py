"""How the C library hands out memory to a server of many streams.

glibc gives threads up to eight heaps a core, and grows the size from which on memory goes straight back to the system.
An encoder holds 13 MB, and is made anew when the bandwidth changes; with several streams, half of what the heaps held
was free and could not be returned. Two heaps cost no time that could be measured: threads that wait for one another do
so in Python.
"""

from __future__ import annotations

import ctypes
import os
import platform

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # glibc's malloc.h
_ARENAS = 2
_STRAIGHT_BACK = 4 * 2**20  # bytes; pictures of a camera, which come with each frame, stay below
_OWN_CHOICE = ("MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES", "LD_PRELOAD")


def use_few_heaps() -> bool:
    """Let this process keep less memory that is free, where its C library is glibc and nobody chose otherwise.

    Returns:
        Whether it was done.
    """
    if platform.libc_ver()[0] != "glibc" or any(os.environ.get(name) for name in _OWN_CHOICE):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_ARENA_MAX, _ARENAS)) and bool(mallopt(_MMAP_THRESHOLD, _STRAIGHT_BACK))
