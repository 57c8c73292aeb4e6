"""Seeds and devices: the same draws again, the device that is asked for, and the precision that it is fast in."""

import contextlib
import ctypes
import platform
import random
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.lab import runtime
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
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == expected
    assert pick_device("cpu") == CPU
    if cuda:
        assert pick_device("cuda:1") == torch.device("cuda:1")
        with pytest.raises(ValueError, match=r"\(cuda, cpu, cuda:0, cuda:1\); got 'cuda:2'"):
            pick_device("cuda:2")


@pytest.mark.parametrize("name", ["tpu", "cuda", "cuda:1", "cpu:7", ""])
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


def test_freed_memory_is_kept_on_linux_alone(monkeypatch: pytest.MonkeyPatch):
    loaded = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: loaded.append(name))
    for system in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        keep_freed_memory()
    assert loaded == []


class Registry:
    """A stand-in for winreg, which only Windows has."""

    HKEY_LOCAL_MACHINE = "machine"

    def __init__(self, entries: dict[str, str]) -> None:
        self.entries = entries

    @contextlib.contextmanager
    def OpenKey(self, root: str, path: str) -> Generator[str]:
        yield f"{root}\\{path}"

    def QueryValueEx(self, key: str, name: str) -> tuple[str, int]:
        if f"{key}\\{name}" not in self.entries:
            raise FileNotFoundError(name)
        return self.entries[f"{key}\\{name}"], 1


def test_the_processor_has_its_name_on_macos_and_on_windows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    answer = subprocess.CompletedProcess([], 0, stdout="Apple M4 Pro\n")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: answer if command[0] == "sysctl" else None)
    assert environment()["processor"] == "Apple M4 Pro"
    monkeypatch.setattr(sys, "platform", "win32")
    entry = r"machine\HARDWARE\DESCRIPTION\System\CentralProcessor\0\ProcessorNameString"
    monkeypatch.setitem(sys.modules, "winreg", Registry({entry: "AMD Ryzen 9 9950X 16-Core Processor  "}))
    assert environment()["processor"] == "AMD Ryzen 9 9950X 16-Core Processor"


def test_a_processor_without_a_name_has_its_kind(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setitem(sys.modules, "winreg", Registry({}))
    for system in ("linux", "darwin", "win32", "freebsd"):
        monkeypatch.setattr(sys, "platform", system)
        assert runtime._processor() == "riscv64"


def test_the_environment_names_versions_and_machine_but_nobody():
    described = environment()
    assert described["torch"] == torch.__version__
    assert described["threads"] == torch.get_num_threads()
    assert {"python", "numpy", "processor", "cores", "system", "accelerator"} <= set(described)
    assert {socket.gethostname(), str(Path.home())}.isdisjoint(described.values())
