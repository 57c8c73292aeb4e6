"""What can a dtype hold, what does it cost, and which dtype does an operation give?

    uv run sprints/01_setup_and_basics/dtypes_and_memory.py

Where counting by ones stops is measured and compared with theory; promotion is tabulated; and a view of ten numbers is
saved, with four megabytes of others. Theory: notes/06_numbers.md
"""

import io
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST
from shared.lab.run import run

FLOATS = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float8_e4m3fn": torch.float8_e4m3fn,
}
Elements = Annotated[int, Field(ge=10, le=MOST)]  # ten of them are viewed


@dataclass(frozen=True)
class Config(ScriptConfig):
    elements: Elements = 1_000_000  # float32 numbers of the tensor that a view is taken of


@dataclass(frozen=True)
class FloatFormat:
    bytes: int
    largest: float
    smallest_normal: float
    spacing_at_one: float
    counting_stops_at: int
    counting_should_stop_at: int
    a_tenth: float


@dataclass(frozen=True)
class Results:
    floats: dict[str, FloatFormat]
    promotions: dict[str, str]
    overflow: dict[str, str]
    saved_bytes: dict[str, int]
    magnitudes: list[float]
    spacings: dict[str, list[float | None]]


def counting_stops_at(dtype: torch.dtype) -> int:
    """Return the first power of two to which adding 1 changes nothing."""
    count = 1
    # The sum is made in float64 and rounded once, as a hardware addition would be; float64 adds for itself.
    while torch.tensor(count + 1.0, dtype=torch.float64).to(dtype).double().item() != count:
        count *= 2
    return count


def describe(dtype: torch.dtype) -> FloatFormat:
    """Return what a floating-point type can hold; counting should stop where the spacing of numbers reaches 2."""
    limits = torch.finfo(dtype)
    return FloatFormat(
        bytes=dtype.itemsize,
        largest=limits.max,
        smallest_normal=limits.smallest_normal,
        spacing_at_one=limits.eps,
        counting_stops_at=counting_stops_at(dtype),
        counting_should_stop_at=int(2 / limits.eps),
        a_tenth=torch.tensor(0.1, dtype=torch.float64).to(dtype).double().item(),
    )


def promotions() -> dict[str, str]:
    """Return the dtype of some mixed operations."""
    small = torch.ones(2)
    integers, byte, flag, wide = small.long(), small.byte(), small.bool(), small.double()
    results = {
        "int64 + float32": integers + small,
        "float32 + float64": small + wide,
        "float32 + Python's 1.0": small + 1.0,
        "float32 + float64 without axes": small + wide.sum(),
        "int64 + Python's 1.0": integers + 1.0,
        "int64 / int64": integers / integers,
        "int64 // int64": integers // integers,
        "uint8 + int8": byte + small.char(),
        "bool + bool": flag + flag,
        "bool.sum()": flag.sum(),
        "float16 + bfloat16": small.half() + small.bfloat16(),
    }
    return {name: str(result.dtype).removeprefix("torch.") for name, result in results.items()}


def saved_bytes(tensor: Tensor) -> int:
    """Return the size of the file that torch.save makes."""
    buffer = io.BytesIO()
    torch.save(tensor, buffer)
    return buffer.tell()


def spacing(power_of_two: float, dtype: torch.dtype) -> float | None:
    """Return the distance from a power of two to the next number, None outside of the type's range."""
    limits = torch.finfo(dtype)
    return limits.eps * power_of_two if limits.smallest_normal <= power_of_two <= limits.max else None


def main(config: Config) -> Results:
    floats = {name: describe(dtype) for name, dtype in FLOATS.items()}
    for name, kind in floats.items():
        print(f"{name:<14} {kind.bytes} bytes, up to {kind.largest:.1e}, 0.1 is {kind.a_tenth:.10f}, ", end="")
        print(f"counts to {kind.counting_stops_at:,} (theory {kind.counting_should_stop_at:,})")
    promoted = promotions()
    for name, dtype in promoted.items():
        print(f"{name:<31} {dtype}")
    overflow = {
        "uint8 200 + 100": str((torch.tensor(200, dtype=torch.uint8) + 100).item()),
        "int32 2,147,483,647 + 1": str((torch.tensor(2**31 - 1, dtype=torch.int32) + 1).item()),
        "float16 300 × 300": str((torch.tensor(300.0).half() * 300).item()),
        "bfloat16 300 × 300": str((torch.tensor(300.0).bfloat16() * 300).item()),
    }
    print(", ".join(f"{name} is {value}" for name, value in overflow.items()))
    x = torch.zeros(config.elements)
    saved = {
        "all numbers": saved_bytes(x),
        "a view of ten": saved_bytes(x[:10]),
        "a clone of the view": saved_bytes(x[:10].clone()),
    }
    print(", ".join(f"{name} takes {size:,} bytes in a file" for name, size in saved.items()))
    magnitudes = [2.0**power for power in range(-20, 21)]
    spacings = {name: [spacing(magnitude, dtype) for magnitude in magnitudes] for name, dtype in FLOATS.items()}
    return Results(floats, promoted, overflow, saved, magnitudes, spacings)


def plot(results: Results) -> Figure:
    """Draw the distance of neighbouring numbers by their size."""
    figure, axes = new_figure()
    for name, spacings in results.spacings.items():
        within = [(size, gap) for size, gap in zip(results.magnitudes, spacings, strict=True) if gap is not None]
        axes.plot(*zip(*within, strict=True), label=name)
    axes.axhline(2, color="black", linestyle=":", linewidth=1)
    axes.annotate("adding 1 changes nothing from here on", (2.0**-19, 3), fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="size of a number", ylabel="distance to the next one")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
