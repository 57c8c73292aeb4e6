"""Numbers brought to mean 0 and deviation 1, whatever their unit and however far from 0 they are.

Years, prices and seconds since 1970 differ by little beside what they are: in single precision, 1,700,000,000 and the
number 60 above it are the same. So this is double precision until the mean is gone, and no threshold has a unit.
"""

import torch
from torch import Tensor

# Beside the largest of some numbers, a deviation below this is rounding: they are all the same.
ROUNDING = 8 * torch.finfo(torch.double).eps


def mean_and_deviation(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the columns of a table in double precision; 0 where all are the same."""
    # A power of two is divided out, which changes no digit: squares of 1e200 are too large, and of 1e-200 too small.
    largest = values.abs().amax(dim=0)
    power = torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent)
    unit = values / power
    mean = unit.mean(dim=0)
    deviation = (unit - mean).square().mean(dim=0).sqrt()
    return mean * power, deviation.where(deviation > ROUNDING, 0.0) * power


def standardise(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Return numbers in deviations from the mean, in single precision; 0 where there is no deviation.

    Raises:
        ValueError: a number is so far from the others that it has no place beside them.
    """
    scaled = ((values - mean) / deviation.where(deviation > 0, torch.inf)).float()
    wrong = (~scaled.isfinite()).nonzero()
    if len(wrong):
        row, *column = wrong[0].tolist()
        raise ValueError(
            f"numbers must be of like size; row {row + 1} has {values[row, *column].item():g} where the deviation of "
            f"those of training is {(deviation[*column] if column else deviation).item():g}: correct it"
        )
    return scaled
