import pytest

from fer_core.training.timing import device

AMD = "processor : 0\nmodel name\t: AMD EPYC 9R14\nflags\t: fpu avx512f avx512_bf16\n\n"


@pytest.mark.parametrize(("info", "bfloat16"), [(AMD, True), (AMD.replace("avx512_bf16", "avx512_vnni"), False)])
def test_a_processor_is_named_and_asked_for_bfloat16(info, bfloat16):
    found = device._cpu(info)
    assert found.name.startswith("AMD EPYC 9R14, ")
    assert found.bfloat16 == bfloat16


def test_an_unknown_processor_does_not_claim_bfloat16():
    assert not device._cpu("").bfloat16


@pytest.mark.parametrize(
    ("visible", "key"), [(None, "default"), ("1", "gpu-1"), ("0,1", "gpu-0-1"), ("", "default"), ("/../x", "default")]
)
def test_runs_on_other_devices_do_not_wait_for_each_other(monkeypatch, visible, key):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device.device_key() == key


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A function that puts a driver in place which answers with this text."""

    def answer(text: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\necho '{text}'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return answer


def with_cuda(monkeypatch, there: bool) -> None:
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: object() if there else None)


def test_a_graphics_processor_is_named_if_something_computes_on_it(driver, monkeypatch):
    driver("NVIDIA H100, 9.0")
    with_cuda(monkeypatch, True)
    assert device._gpu() == device.Device("NVIDIA H100", bfloat16=True)
    with_cuda(monkeypatch, False)
    assert device._gpu() is None


@pytest.mark.parametrize("text", ["", "No devices were found", "NVIDIA Tesla, [N/A]"])
def test_a_driver_that_answers_otherwise_names_nothing(driver, monkeypatch, text):
    driver(text)
    with_cuda(monkeypatch, True)
    assert device._gpu() is None
