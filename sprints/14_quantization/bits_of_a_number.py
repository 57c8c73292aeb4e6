"""Where do the bits of a floating-point number go? One number in float32, float16 and bfloat16.

    uv run sprints/14_quantization/bits_of_a_number.py
    uv run sprints/14_quantization/bits_of_a_number.py --number 300

Theory: notes/03_number_formats.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

# Type of the number, an integer type of its size, and bits of exponent and mantissa.
FORMATS = {
    "float32": (torch.float32, torch.int32, 8, 23),
    "float16": (torch.float16, torch.int16, 5, 10),
    "bfloat16": (torch.bfloat16, torch.int16, 8, 7),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    number: PositiveFloat = 0.1  # what is written in bits


@dataclass(frozen=True)
class Bits:
    sign: str
    exponent: str
    mantissa: str
    power: int
    fraction: int
    value: float | None


@dataclass(frozen=True)
class Results:
    number: float
    formats: dict[str, Bits]


def main(config: Config) -> Results:
    formats = {}
    for name, (kind, integer, exponent_bits, mantissa_bits) in FORMATS.items():
        number = torch.tensor(config.number, dtype=kind)
        size = 1 + exponent_bits + mantissa_bits
        bits = format(number.view(integer).item() % 2**size, f"0{size}b")
        sign, exponent, mantissa = bits[0], bits[1 : 1 + exponent_bits], bits[1 + exponent_bits :]
        power = int(exponent, 2) - (2 ** (exponent_bits - 1) - 1)  # the bias makes room for negative powers
        value = number.double().item() if number.isfinite() else None  # float16 ends at 65,504
        formats[name] = Bits(sign, exponent, mantissa, power, int(mantissa, 2), value)
        print(f"{name:<9}{sign} {exponent} {mantissa}: 2^{power} (1 + {int(mantissa, 2)} / {2**mantissa_bits})", end="")
        print(f" = {value!r}")
    return Results(config.number, formats)


def plot(results: Results) -> Figure:
    """Draw the bits as cells: sign grey, exponent orange, mantissa green."""
    figure, axes = drawings.canvas(9.6, 2.9)
    size = 0.235
    for index, (name, bits) in enumerate(results.formats.items()):
        y, x = 2.35 - 0.8 * index, 0.95
        drawings.text(axes, name, x - 0.1, y - size / 2, align="right", bold=True)
        for digits, colour in (
            (bits.sign, drawings.TOKEN),
            (bits.exponent, drawings.KEY),
            (bits.mantissa, drawings.VALUE),
        ):
            width, _ = drawings.cells(axes, [digits], x, y, size=size, colour=colour)
            x += width + 0.06
        shown = "infinity" if bits.value is None else f"{bits.value:.10g}"
        steps = 2 ** len(bits.mantissa)
        drawings.text(
            axes, f"2^{bits.power} · (1 + {bits.fraction:,} / {steps:,}) = {shown}", 0.98, y - 0.4, align="left"
        )
    drawings.text(axes, f"{results.number:g}: sign, exponent (orange), mantissa (green)", 4.8, 2.72)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
