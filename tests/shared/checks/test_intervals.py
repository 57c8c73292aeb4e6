"""Intervals, beside SciPy's; and how often they hold the true mean."""

import numpy as np
import pytest
import torch
from scipy import stats

from shared.checks.intervals import error_bars, mean_interval, median_interval, share_interval, show_interval


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
    share = sum(half is not None and abs(mean) <= half for mean, half in intervals) / len(intervals)
    assert share == pytest.approx(0.95, abs=0.015), "four standard errors"


def test_one_value_has_no_interval():
    assert mean_interval([2.0]) == (2.0, None)
    assert show_interval(0.25, None, ".1%") == "25.0% (one value: no interval)"
    assert show_interval(0.25, 0.01, "+.1%") == "+25.0% +- 1.0%"
    assert str(error_bars([0.5, None])) == "[0.5, nan]"


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (7, 10), (149, 150), (150, 150)])
def test_a_share_has_wilsons_interval(successes: int, trials: int):
    z, share = stats.norm.ppf(0.975), successes / trials
    centre = share + z * z / (2 * trials)
    half = z * (share * (1 - share) / trials + z * z / (4 * trials * trials)) ** 0.5
    expected = ((centre - half) / (1 + z * z / trials), (centre + half) / (1 + z * z / trials))
    low, high = share_interval(successes, trials)
    assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert 0 <= low <= share <= high <= 1
    assert share_interval(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_a_share_of_nothing_is_refused(successes: int, trials: int):
    with pytest.raises(ValueError, match=f"got {successes} of {trials}"):
        share_interval(successes, trials)


def test_times_of_day_are_not_rounded_to_minutes():
    """In single precision, seconds since 1970 are the same for a minute."""
    median, low, high = median_interval([1_700_000_000.0 + second for second in range(41)], torch.Generator())
    assert median == 1_700_000_020
    assert 10 < low - 1_700_000_000 < 20 < high - 1_700_000_000 < 30


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
