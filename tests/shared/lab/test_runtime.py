"""Seeds and devices: the same draws again, the device that is asked for, and the precision that it is fast in."""

import platform
import random
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.lab.runtime import autocast, environment, keep_freed_memory, pick_device, seed_everything, supports_bfloat16

CPU = torch.device("cpu")


def draw(seed: int) -> list[float]:
    generator = seed_everything(seed)
    return [
        random.random(),
        float(np.random.rand()),  # noqa: NPY002 (the global state is what is tested)
        torch.rand(()).item(),
        torch.rand((), generator=generator).item(),
    ]


def test_the_same_seed_draws_the_same_from_every_source():
    assert draw(5) == draw(5)
    assert not set(draw(5)) & set(draw(6))


def test_the_generator_draws_what_pytorch_draws_and_moves_nothing_else():
    expected = torch.rand(4, generator=torch.Generator().manual_seed(5))
    generator = seed_everything(5)
    state = torch.get_rng_state()
    assert torch.equal(torch.rand(4, generator=generator), expected)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_a_gpu_if_there_is_one(cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == expected
    assert pick_device("cpu") == CPU


@pytest.mark.parametrize("name", ["tpu", "cuda", "cuda:1", ""])
def test_an_absent_device_is_an_error_that_names_what_is_there(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=rf"auto or one that is present \(.*cpu\); got '{name}'"):
        pick_device(name)


@pytest.mark.parametrize("fast", [True, False])
def test_autocast_takes_bfloat16_where_it_is_fast(fast: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.lab.runtime.supports_bfloat16", lambda _: fast)
    matrix = torch.ones(2, 2)
    for precision, expected in {"auto": fast, "bfloat16": True, "float32": False}.items():
        with autocast(CPU, precision):
            assert (matrix @ matrix).dtype == (torch.bfloat16 if expected else torch.float32)


def test_bfloat16_support_is_what_the_system_says_of_the_processor():
    flags = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not flags.exists():
        pytest.skip("the flags of the processor are read from Linux on x86")
    assert supports_bfloat16(CPU) == bool({"avx512_bf16", "amx_tile"} & set(flags.read_text().split()))


def test_another_precision_is_an_error():
    with pytest.raises(ValueError, match="auto, bfloat16 or float32; got 'float16'"):
        autocast(CPU, "float16")


def test_keeping_freed_memory_changes_no_number():
    keep_freed_memory()
    assert torch.ones(1 << 20).sum() == 1 << 20


def test_the_environment_names_versions_and_machine_but_nobody():
    described = environment()
    assert described["torch"] == torch.__version__
    assert described["threads"] == torch.get_num_threads()
    assert {"python", "numpy", "processor", "cores", "system", "accelerator"} <= set(described)
    assert {socket.gethostname(), str(Path.home())}.isdisjoint(described.values())
