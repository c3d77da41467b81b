"""What this machine trains on, found out without loading TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# What brings CUDA for TensorFlow or JAX.
_CUDA_PACKAGES = ("nvidia", "jax_cuda12_plugin", "jax_cuda13_plugin")
# Names the share of a device that a run has, where several train beside each other.
SHARE_VARIABLE = "FER_DEVICE_SHARE"
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Device:
    """Attributes:
    name: in words, such as "AMD EPYC 9R14, 2 cores".
    bfloat16: whether it computes in bfloat16 natively, so that mixed precision is faster.
    """

    name: str
    bfloat16: bool


@lru_cache(maxsize=1)
def find_device() -> Device:
    """Return the graphics processor that NVIDIA's driver names first, or else the processor."""
    return _gpu() or _cpu(_CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else "")


def best_precision() -> str:
    """Return the faster precision on this machine."""
    return "mixed_bfloat16" if find_device().bfloat16 else "float32"


def device_key() -> str:
    """Return what names the device, or the share of it, that a run of this process uses; runs of one take turns."""
    visible, share = os.environ.get("CUDA_VISIBLE_DEVICES", ""), os.environ.get(SHARE_VARIABLE, "")
    device = "gpu-" + "-".join(visible.split(",")) if visible.replace(",", "").isdecimal() else "default"
    return f"{device}-{share}" if share else device


def share_of_device(number: int, shares: int) -> dict[str, str]:
    """Return the variables under which a run trains beside others.

    Args:
        number: of its share, from 0.
        shares: how many runs train at a time; where there are several graphics processors, each in turn gets one.
    """
    gpus = 0 if "CUDA_VISIBLE_DEVICES" in os.environ else _gpu_count()
    variables = {SHARE_VARIABLE: str(number)} if shares > 1 else {}
    if shares > 1 and gpus > 1:
        variables["CUDA_VISIBLE_DEVICES"] = str(number % gpus)
    if shares > max(1, gpus):  # JAX would take most of a graphics processor's memory for its first run
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    return variables


def _gpu_count() -> int:
    if not shutil.which("nvidia-smi"):
        return 0
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=10, check=False)
    return len(listed.stdout.splitlines())


def _gpu() -> Device | None:
    if not shutil.which("nvidia-smi") or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    if not any(importlib.util.find_spec(name) for name in _CUDA_PACKAGES):
        return None  # there is a driver, but nothing that computes on it
    try:
        completed = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
        )
        name, capability = completed.stdout.splitlines()[0].rsplit(",", 1)
        return Device(name.strip(), bfloat16=float(capability) >= 8)
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return None  # the driver answers otherwise than expected


def _cpu(info: str) -> Device:
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    name = fields.get("model name") or platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Emulated bfloat16 is slower than float32, so only a processor that has it counts.
    bfloat16 = bool({"avx512_bf16", "amx_bf16"} & set(fields.get("flags", "").split()))
    return Device(f"{name}, {cores} core{'s' if cores > 1 else ''}", bfloat16)
