"""Intervals, beside SciPy's."""

import numpy as np
import pytest
import torch

from shared.checks.intervals import mean_interval, median_interval


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_the_mean_has_students_interval(count: int):
    stats = pytest.importorskip("scipy.stats")
    values = torch.randn(count, generator=torch.Generator().manual_seed(count)).tolist()
    mean, half = mean_interval(values)
    low, high = stats.t.interval(0.95, count - 1, loc=np.mean(values), scale=stats.sem(values))
    assert mean == pytest.approx((low + high) / 2)
    assert half == pytest.approx((high - low) / 2, rel=1e-3)


def test_one_value_has_no_interval_and_many_have_one_that_is_not_too_narrow():
    stats = pytest.importorskip("scipy.stats")
    assert mean_interval([2.0]) == (2.0, 0.0)
    values = torch.randn(30, generator=torch.Generator().manual_seed(0)).tolist()
    exact = stats.t.ppf(0.975, 29) * stats.sem(values)
    assert exact < mean_interval(values)[1] < 1.15 * exact


def test_the_bootstrap_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    values = (1 + 0.1 * torch.randn(41, generator=torch.Generator().manual_seed(0))).tolist()
    median, low, high = median_interval(values, torch.Generator().manual_seed(1), resamples=20_000)
    theirs = stats.bootstrap((np.array(values),), np.median, method="percentile", n_resamples=20_000, random_state=0)
    assert median == pytest.approx(np.median(values))
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.004)
    assert median_interval(values, torch.Generator().manual_seed(1), resamples=20_000) == (median, low, high)
    with pytest.raises(ValueError, match="at least one value"):
        median_interval([], torch.Generator())
