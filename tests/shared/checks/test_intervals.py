"""Intervals, beside SciPy's; and how often they hold the true mean."""

import numpy as np
import pytest
import torch
from scipy import stats

from shared.checks.intervals import mean_interval, median_interval


@pytest.mark.parametrize("count", [2, 3, 5, 10, 30])
def test_the_mean_has_students_interval(count: int):
    values = torch.randn(count, generator=torch.Generator().manual_seed(count)).tolist()
    mean, half = mean_interval(values)
    low, high = stats.t.interval(0.95, count - 1, loc=np.mean(values), scale=stats.sem(values))
    assert mean == pytest.approx((low + high) / 2)
    assert half == pytest.approx((high - low) / 2, rel=1e-9)


def test_the_interval_holds_the_true_mean_nineteen_times_in_twenty():
    rows = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0)).tolist()
    intervals = [mean_interval(row) for row in rows]
    share = sum(abs(mean) <= half for mean, half in intervals) / len(intervals)
    assert share == pytest.approx(0.95, abs=0.015), "four standard errors"


def test_one_value_has_no_interval():
    assert mean_interval([2.0]) == (2.0, 0.0)


def test_the_bootstrap_is_scipys():
    values = (1 + 0.1 * torch.randn(41, generator=torch.Generator().manual_seed(0))).tolist()
    median, low, high = median_interval(values, torch.Generator().manual_seed(1), resamples=20_000)
    theirs = stats.bootstrap((np.array(values),), np.median, method="percentile", n_resamples=20_000, random_state=0)
    assert median == pytest.approx(np.median(values))
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.004)
    assert median_interval(values, torch.Generator().manual_seed(1), resamples=20_000) == (median, low, high)


def test_the_median_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one value"):
        median_interval([], torch.Generator())
