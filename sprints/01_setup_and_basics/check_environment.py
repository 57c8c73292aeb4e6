"""Is this machine ready for the sprints? Versions, seeds, gradients, precision, and a figure without a display.

    uv run sprints/01_setup_and_basics/check_environment.py

Each check says what it found and, where it fails, what to do; the exit status is 1 if one fails.
Theory: notes/01_environment.md
"""

import io
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

import torch

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.datasets import VARIABLE
from shared.lab.figures import new_figure
from shared.lab.paths import CACHE, ROOT
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything, supports_bfloat16


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveInt = 512  # rows of the matrices that are multiplied


@dataclass(frozen=True)
class Check:
    name: str
    passed: bool
    found: str
    remedy: str


@dataclass(frozen=True)
class Results:
    checks: list[Check]
    device: str
    bfloat16_in_hardware: bool


def check_python(rule: str, version: tuple[int, int]) -> Check:
    """Check a version of Python against a rule such as ">=3.11,<3.14"."""
    low, high = (tuple(map(int, pair)) for pair in re.findall(r"(\d+)\.(\d+)", rule))
    return Check("Python", low <= version < high, "{}.{}".format(*version), f"install a Python {rule}")


def read_pins(requirements: list[str]) -> dict[str, str]:
    """Return the version that each requirement pins."""
    return dict(requirement.split("==") for requirement in requirements)


def installed_versions(names: list[str]) -> dict[str, str]:
    """Return the versions of the packages that are installed; a build's suffix, as in 2.15.0+cpu, does not count."""
    versions = {distribution.name.lower(): distribution.version for distribution in metadata.distributions()}
    return {name: versions.get(name, "missing").partition("+")[0] for name in names}


def check_packages(pins: Mapping[str, str], installed: Mapping[str, str]) -> Check:
    """Check that every package has the version that pyproject.toml pins."""
    wrong = [f"{name} {installed[name]} instead of {pin}" for name, pin in pins.items() if installed[name] != pin]
    return Check("packages", not wrong, ", ".join(wrong) or f"all {len(pins)} as pinned", "uv sync")


def check_seeds(seed: int, device: torch.device) -> Check:
    """Check that the same seed draws the same numbers on the device, twice."""
    first, second = (torch.randn(1000, device=device, generator=seed_everything(seed, device)) for _ in range(2))
    same = torch.equal(first, second)
    return Check("seeds", same, "equal draws" if same else "draws differ", "report the versions and the device")


def check_gradient(device: torch.device) -> Check:
    """Check that autograd finds 3 x^2 for x^3 at x = 2."""
    x = torch.tensor(2.0, device=device, requires_grad=True)
    (gradient,) = torch.autograd.grad(x**3, x)
    return Check("gradient", gradient.item() == 12.0, f"{gradient.item():g} for 12", "reinstall torch")


def check_precision(size: int, generator: torch.Generator, device: torch.device) -> Check:
    """Check a float32 matrix product against float64; some GPUs round the factors to TF32 by default."""
    left, right = torch.randn(2, size, size, generator=generator, dtype=torch.float64)
    product = (left.float().to(device) @ right.float().to(device)).cpu().double()
    error = ((product - left @ right).norm() / (left @ right).norm()).item()
    remedy = "torch.set_float32_matmul_precision('highest')"
    return Check("matrix product", error < 1e-6, f"relative error {error:.0e}", remedy)


def check_figure() -> Check:
    """Check that a figure can be drawn without a display."""
    figure, axes = new_figure(2, 2)
    axes.plot([0, 1], [0, 1])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    drawn = buffer.getvalue().startswith(b"\x89PNG")
    return Check("figure", drawn, "a PNG without a display" if drawn else "no PNG", "reinstall matplotlib")


def check_data_folder() -> Check:
    """Check that downloads can be written."""
    writable = os.access(CACHE if CACHE.is_dir() else CACHE.parent, os.W_OK)
    found = "data/cache can be written" if writable else "data/cache cannot be written"
    return Check("data folder", writable, found, f"set {VARIABLE} to a folder that holds the data")


def main(config: Config) -> Results:
    device, generator = pick_device(config.device), seed_everything(config.seed)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = read_pins(project["dependencies"])
    checks = [
        check_python(project["requires-python"], sys.version_info[:2]),
        check_packages(pins, installed_versions(list(pins))),
        check_seeds(config.seed, device),
        check_gradient(device),
        check_precision(config.size, generator, device),
        check_figure(),
        check_data_folder(),
    ]
    for check in checks:
        print(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<15} {check.found}")
        if not check.passed:
            print(f"      {'':<15} what to do: {check.remedy}")
    bfloat16 = supports_bfloat16(device)
    print(f"\ndevice {device.type}, bfloat16 in hardware: {'yes' if bfloat16 else 'no (float32 is used instead)'}")
    if not all(check.passed for check in checks):
        sys.exit(1)  # nothing is written then: a machine that is not ready makes no record
    return Results(checks, device.type, bfloat16)


if __name__ == "__main__":
    # What a machine is differs between machines; that it passes must not.
    run(main, Config, tolerance={"checks.*.found": TIMING, "device": TIMING, "bfloat16_in_hardware": TIMING})
