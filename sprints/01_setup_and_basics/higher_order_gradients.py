"""Can a gradient be differentiated again? Derivatives of any order, Hessians, and Hessians that are never built.

    uv run sprints/01_setup_and_basics/higher_order_gradients.py

Derivatives of tanh are compared with their formulas, a Hessian with its formula and with the library's.
Theory: notes/11_higher_order.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run

Function = Callable[[Tensor], Tensor]
START = (-1.2, 1.0)
Orders = Annotated[int, Field(ge=1, le=4)]  # for more there is no formula here


@dataclass(frozen=True)
class Config(ScriptConfig):
    orders: Orders = 4  # derivatives of tanh to take, at most 4


@dataclass(frozen=True)
class Results:
    points: list[float]
    derivatives: list[list[float]]
    derivative_errors: list[float]
    hessian_error: float
    hessian_error_to_library: float
    product_error: float


def derivatives(function: Function, x: Tensor, orders: int) -> list[Tensor]:
    """Return a function's values and its derivatives at each point, each made from the one before."""
    x = x.detach().requires_grad_()
    series = [function(x)]
    for _ in range(orders):
        # Each output depends on its own point alone, so the gradient of their sum is every point's derivative.
        (derivative,) = torch.autograd.grad(series[-1].sum(), x, create_graph=True)
        series.append(derivative)
    return [values.detach() for values in series]


def tanh_derivatives(x: Tensor) -> list[Tensor]:
    """Return tanh and its first four derivatives by formula: polynomials in t = tanh x."""
    t = x.tanh()
    s = 1 - t**2
    return [t, s, -2 * t * s, (6 * t**2 - 2) * s, (16 * t - 24 * t**3) * s]


def rosenbrock(point: Tensor) -> Tensor:
    """Return (1 - x)^2 + 100 (y - x^2)^2: a curved valley whose lowest point is (1, 1)."""
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosenbrock_hessian(point: Tensor) -> Tensor:
    """Return the matrix of second derivatives, by formula."""
    x, y = point.tolist()
    rows = [[2 - 400 * (y - x**2) + 800 * x**2, -400 * x], [-400 * x, 200.0]]
    return torch.tensor(rows, dtype=point.dtype)


def hessian(function: Function, point: Tensor) -> tuple[Tensor, Tensor]:
    """Return gradient and Hessian; row i of the Hessian is the gradient of the gradient's element i."""
    point = point.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point), point, create_graph=True)
    rows = [torch.autograd.grad(element, point, retain_graph=True)[0] for element in gradient]
    return gradient.detach(), torch.stack(rows)


def hessian_vector_product(function: Function, point: Tensor, vector: Tensor) -> Tensor:
    """Return H v as the gradient of (gradient . v): one more backward pass, and no matrix."""
    point = point.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point), point, create_graph=True)
    return torch.autograd.grad(gradient @ vector, point)[0]


def main(config: Config) -> Results:
    x = torch.linspace(-3, 3, 121, dtype=torch.float64)
    series, by_formula = derivatives(torch.tanh, x, config.orders), tanh_derivatives(x)
    errors = [(ours - formula).abs().max().item() for ours, formula in zip(series, by_formula, strict=False)]
    print("derivatives of tanh differ from their formulas by " + ", ".join(f"{error:.0e}" for error in errors[1:]))

    point, vector = torch.tensor(START, dtype=torch.float64), torch.tensor([0.3, -2.0], dtype=torch.float64)
    matrix = hessian(rosenbrock, point)[1]
    hessian_by_formula, hessian_by_library = (
        rosenbrock_hessian(point),
        torch.autograd.functional.hessian(rosenbrock, point),
    )
    hessian_error, error_to_library = (
        (matrix - h).norm().div(h.norm()).item() for h in (hessian_by_formula, hessian_by_library)
    )
    product = hessian_vector_product(rosenbrock, point, vector)
    product_error = ((product - matrix @ vector).norm() / product.norm()).item()
    print(f"the Hessian differs from its formula by {hessian_error:.0e}, from the library's by {error_to_library:.0e},")
    print(f"the product without a Hessian from the product with it by {product_error:.0e}")

    return Results(
        x.tolist(), [values.tolist() for values in series], errors, hessian_error, error_to_library, product_error
    )


def plot(results: Results) -> Figure:
    """Draw the derivatives of tanh."""
    figure, axes = new_figure()
    for order, values in enumerate(results.derivatives):
        axes.plot(results.points, values, label=f"derivative of order {order}" if order else "tanh")
    axes.set(xlabel="x")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
