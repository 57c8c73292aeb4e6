"""Numbers of a Gaussian on few points: errors as integrals, not as means over draws.

A quantizer sends each x to the nearest of its points. For a Gaussian of mean 0 and variance 1, with density phi and its
integral Phi, what lies between a and b has

    E[1; a < x < b] = Phi(b) - Phi(a),    E[x; ...] = phi(a) - phi(b),    E[x^2; ...] = E[1; ...] + a phi(a) - b phi(b)

so the mean squared error is a finite sum of these. Theory: notes/06_a_gaussian_in_few_bits.md
"""

from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

Layout = Literal["half steps", "with zero"]


def moments(borders: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return E[1], E[x] and E[x^2] of what lies between each two neighbouring borders."""
    density = norm.pdf(borders)
    edge = np.where(np.isfinite(borders), borders, 0) * density  # x phi(x) is 0 at infinity
    mass = np.diff(norm.cdf(borders))
    return mass, -np.diff(density), mass - np.diff(edge)


def borders_of(points: np.ndarray) -> np.ndarray:
    """Return where the cells of points in rising order end: in the middle between neighbours, and at infinity."""
    return np.concatenate(([-np.inf], (points[1:] + points[:-1]) / 2, [np.inf]))


def mean_squared_error(points: np.ndarray) -> float:
    """Return E[(x - nearest point)^2]."""
    return float(_squares(points, borders_of(points)).sum())


def _squares(points: np.ndarray, borders: np.ndarray) -> np.ndarray:
    mass, first, second = moments(borders)
    return second - 2 * points * first + points**2 * mass


def uniform_points(step: float, bits: int, layout: Layout) -> np.ndarray:
    """Return 2^bits points a step apart: around 0 in half steps, or from -2^(bits - 1) on, with 0 one of them."""
    integers = np.arange(2**bits) - 2.0 ** (bits - 1)
    return step * (integers + 0.5 if layout == "half steps" else integers)


def best_step(bits: int, layout: Layout) -> float:
    """Return the step of the uniform quantizer with the least error, found by search."""

    def error(step: float) -> float:
        return mean_squared_error(uniform_points(step, bits, layout))

    found = minimize_scalar(error, bounds=(0.0, 12 / 2**bits), method="bounded", options={"xatol": 1e-9})
    return float(found.x)


def lloyd_max(bits: int, rounds: int = 20_000, close: float = 1e-10) -> np.ndarray:
    """Return the points with the least error (Max 1960; Lloyd 1982): each is the mean of what is nearest to it.

    Points move to the means and borders to the middles, in turns; no turn makes the error larger.
    """
    points = uniform_points(best_step(bits, "half steps"), bits, "half steps")
    for _ in range(rounds):
        mass, first, _ = moments(borders_of(points))
        points, before = first / mass, points
        if np.abs(points - before).max() < close:
            break
    return points


def pull_on_learned_step(step: float, bits: int) -> float:
    """Return half the mean gradient of (x' - x)^2 for the step, as learned step size quantization computes it.

    On the grid it is (x' - x)^2 / s, which always asks for a smaller step; beyond an end e s it is (e s - x) e, which
    asks for a larger one. Training comes to rest where the two cancel.
    """
    points = uniform_points(step, bits, "with zero")
    low, high = points[0] - step / 2, points[-1] + step / 2
    on_grid = _squares(points, np.concatenate(([low], borders_of(points)[1:-1], [high]))).sum() / step
    beyond = 0.0
    for end, borders in ((points[0], [-np.inf, low]), (points[-1], [high, np.inf])):
        mass, first, _ = moments(np.array(borders))
        beyond += (end * mass - first).item() * end / step
    return float(on_grid + beyond)


def resting_step(bits: int) -> float:
    """Return the step at which learned step size quantization of fixed numbers comes to rest."""
    return float(brentq(pull_on_learned_step, 0.1 / 2**bits, 12 / 2**bits, args=(bits,)))
