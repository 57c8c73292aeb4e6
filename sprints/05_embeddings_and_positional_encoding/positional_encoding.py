"""What does a sinusoidal position know about other positions? Distance by dot product, and shifts by rotation.

    uv run sprints/05_embeddings_and_positional_encoding/positional_encoding.py

Each property is measured on random vectors too, which tell positions apart as well but know nothing of distance.
Theory: notes/05_positions_as_clock_hands.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, Even, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.positions import sinusoidal_positions

# The encoding is in float32: what differs from zero is rounding.
ZERO = Tolerance(absolute=1e-4)
TOLERANCE = {
    "*_error*": ZERO,
    "learnt_shift_error.random.*": Tolerance(relative=0.01),
    "spread_at_equal_distance.sinusoidal": ZERO,
}
Positions = Annotated[int, Field(ge=3, le=MOST)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    positions: Positions = 192  # positions to encode
    d_model: Even = 64  # features of a position
    shifts: tuple[PositiveInt, ...] = (1, 5, 20, 60)  # shifts to rotate by

    def check(self) -> None:
        if max(self.shifts) > self.positions - 3:
            raise ValueError(
                f"three positions must be left to shift to; got --shifts {max(self.shifts)} of --positions "
                f"{self.positions}: give smaller shifts"
            )


@dataclass(frozen=True)
class Results:
    positions: int
    d_model: int
    shifts: list[int]
    rotation_error: list[float]
    rotation_is_orthogonal: float
    learnt_shift_error: dict[str, list[float]]
    spread_at_equal_distance: dict[str, float]
    dot_product_formula_error: float
    products: dict[str, list[float]]


def frequencies(d_model: int) -> Tensor:
    """Return the angle by which each pair of features turns from one position to the next, (d_model / 2)."""
    return 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)


def rotation(shift: int, d_model: int) -> Tensor:
    """Return the matrix that maps the encoding of p to that of p + shift, whatever p is, (d_model, d_model).

    Each pair (sin wp, cos wp) turns by the angle w shift:
    sin(w(p + k)) = cos(wk) sin(wp) + sin(wk) cos(wp) and cos(w(p + k)) = -sin(wk) sin(wp) + cos(wk) cos(wp).
    """
    angles = (shift * frequencies(d_model)).tolist()
    blocks = [[[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]] for angle in angles]
    return torch.block_diag(*torch.tensor(blocks, dtype=torch.float64))


def learnt_shift_error(encoding: Tensor, shift: int) -> float:
    """Return the relative error of the best linear map from p to p + shift on positions that it was not fitted to.

    The map is fitted by least squares to every other position. 1 means as wrong as answering zero.
    """
    before, after = encoding[:-shift], encoding[shift:]
    fitted = torch.linalg.lstsq(before[::2], after[::2], rcond=1e-5, driver="gelsd").solution
    return ((before[1::2] @ fitted - after[1::2]).norm() / after[1::2].norm()).item()


def products_by_distance(encoding: Tensor) -> tuple[list[float], float]:
    """Return the mean dot product by distance, as a share of that at distance 0, and its largest spread at one."""
    products = encoding @ encoding.T
    products = products / products.diagonal().mean()
    diagonals = [products.diagonal(distance) for distance in range(len(encoding) - 1)]
    return [diagonal.mean().item() for diagonal in diagonals], max(diagonal.std().item() for diagonal in diagonals)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    sinusoidal = sinusoidal_positions(config.positions, config.d_model).double()
    random = torch.randn(sinusoidal.shape, dtype=torch.float64, generator=generator)
    rivals = {"sinusoidal": sinusoidal, "random": random}

    matrices = [rotation(shift, config.d_model) for shift in config.shifts]
    errors = [
        (sinusoidal[:-shift] @ matrix.T - sinusoidal[shift:]).abs().max().item()
        for shift, matrix in zip(config.shifts, matrices, strict=True)
    ]
    identity = torch.eye(config.d_model, dtype=torch.float64)
    learnt = {
        name: [learnt_shift_error(encoding, shift) for shift in config.shifts] for name, encoding in rivals.items()
    }
    by_distance = {name: products_by_distance(encoding) for name, encoding in rivals.items()}
    distances = torch.arange(config.positions - 1)
    formula = (distances[:, None] * frequencies(config.d_model)).cos().mean(dim=1)
    measured = torch.tensor(by_distance["sinusoidal"][0], dtype=torch.float64)
    results = Results(
        positions=config.positions,
        d_model=config.d_model,
        shifts=list(config.shifts),
        rotation_error=errors,
        rotation_is_orthogonal=max((matrix @ matrix.T - identity).abs().max().item() for matrix in matrices),
        learnt_shift_error=learnt,
        spread_at_equal_distance={name: spread for name, (_, spread) in by_distance.items()},
        dot_product_formula_error=(formula - measured).abs().max().item(),
        products={name: means for name, (means, _) in by_distance.items()},
    )
    for index, shift in enumerate(config.shifts):
        print(
            f"shift {shift:3d}: rotated encoding differs by {errors[index]:.1e}; a map fitted elsewhere is wrong",
            end="",
        )
        print(f" by {learnt['sinusoidal'][index]:.1e}, for random vectors by {learnt['random'][index]:.2f}")
    for name, spread in results.spread_at_equal_distance.items():
        print(f"{name}: dot products at equal distance spread by up to {spread:.1e}")
    return results


def plot(results: Results) -> Figure:
    """Draw the encoding, the dot products of all pairs, and their mean by distance."""
    figure, axes = new_figure(12.0, 3.8, columns=3)
    encoding = sinusoidal_positions(results.positions, results.d_model)
    products = encoding @ encoding.T / (results.d_model / 2)
    for panel, values, title in ((axes[0], encoding, "encoding"), (axes[1], products, "dot products")):
        image = panel.imshow(values.numpy(), cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        panel.set(title=title, ylabel="position", xlabel="feature" if panel is axes[0] else "position")
        panel.grid(False)
        figure.colorbar(image, ax=panel)
    for name, by_distance in results.products.items():
        axes[2].plot(by_distance, label=name)
    axes[2].set(title="dot product by distance", xlabel="distance", ylabel="share of that at distance 0")
    axes[2].legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
