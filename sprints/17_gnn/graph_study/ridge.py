"""Ridge regression for several penalties at once; validation chooses between them."""

from collections.abc import Sequence

import numpy as np

STRENGTHS = tuple(10.0**power for power in range(-3, 5))


def solve_ridge(inputs: np.ndarray, targets: np.ndarray, strengths: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (features, strengths) and offsets (strengths) of ridge regression for several penalties."""
    centre, mean = inputs.mean(axis=0, dtype=np.float64), targets.mean()
    centred = inputs - centre
    # One eigendecomposition serves all strengths: (X'X + s I)^-1 X'y = V (V'X'y / (values + s)).
    values, vectors = np.linalg.eigh(centred.T @ centred)
    projected = vectors.T @ (centred.T @ (targets - mean))
    weights = vectors @ (projected[:, None] / (values.clip(min=0)[:, None] + np.array(strengths)))
    return weights, mean - centre @ weights


def ridge_errors(
    inputs: Sequence[np.ndarray], targets: Sequence[np.ndarray], strengths: Sequence[float]
) -> tuple[float, float]:
    """Return the mean absolute errors of ridge regression on validation and test.

    Args:
        inputs, targets: those of training, validation and test.
        strengths: penalties to try; the validation set chooses.
    """
    weights, offsets = solve_ridge(inputs[0], targets[0], strengths)
    validation, test = (
        np.abs(data @ weights + offsets - truth[:, None]).mean(axis=0)
        for data, truth in zip(inputs[1:], targets[1:], strict=True)
    )
    best = int(validation.argmin())
    return float(validation[best]), float(test[best])
