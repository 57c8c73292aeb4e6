"""Seeds, devices, precision, and what a result has to say about the machine that made it."""

import contextlib
import ctypes
import os
import platform
import random
import subprocess
import sys

import numpy as np
import torch

# M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def seed_everything(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Seed Python, NumPy and PyTorch (all devices) and return a generator, seeded too, on the device.

    Data is drawn with a generator on the CPU, the default, so that every device sees the same.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (libraries that draw from NumPy's global state exist)
    torch.manual_seed(seed)
    return torch.Generator(device).manual_seed(seed)


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; "auto" takes a GPU if there is one.

    Raises:
        ValueError: an unknown device, or one that this machine lacks.
    """
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    present = ["cuda"] * bool(gpus) + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    if name == "auto":
        return torch.device(present[0])
    if name not in present + gpus:
        raise ValueError(f"device must be auto or one that is present ({', '.join(present + gpus)}); got {name!r}")
    return torch.device(name)


def supports_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 matrices in hardware."""
    if device.type == "cpu":
        # Without the instructions bfloat16 is emulated and slower than float32.
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def autocast(device: torch.device, precision: str = "auto") -> contextlib.AbstractContextManager:
    """Return a context in which matrix products run in "bfloat16", in "float32", or ("auto") in the faster of the two.

    Raises:
        ValueError: another precision.
    """
    if precision not in ("auto", "bfloat16", "float32"):
        raise ValueError(f"precision must be auto, bfloat16 or float32; got {precision!r}")
    wanted = precision == "bfloat16" or (precision == "auto" and supports_bfloat16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16) if wanted else contextlib.nullcontext()


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees; elsewhere than on Linux with glibc this does nothing.

    A training step frees its large tensors and the next one allocates them again. By default glibc returns each to the
    system, which then has to clear every page anew: a third of the time of a step on a CPU.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)


def environment() -> dict[str, str | int]:
    """Return versions and machine, for results files; no name of a host, a user or a folder."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def _processor() -> str:
    """Return the processor's name, which each system keeps in a place of its own; its kind where there is none."""
    name = ""
    if sys.platform == "linux":
        with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            name = next(names, "")
    elif sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            name = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    elif sys.platform == "win32":
        import winreg

        with contextlib.suppress(OSError):
            path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
                name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return name or platform.processor() or platform.machine()
