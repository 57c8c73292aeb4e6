"""Tolerances as numpy's isclose has them, which pattern counts, and what a learner is shown."""

import numpy as np
import pytest

from shared.lab.compare import (
    EXACT,
    ROUNDING,
    TIMING,
    TRAINED,
    Tolerance,
    differences,
    flatten,
    main_figures,
    tolerance_of,
)


@pytest.mark.parametrize("relative", [0.0, 1e-3, 0.1])
@pytest.mark.parametrize("absolute", [0.0, 1e-6, 0.5])
def test_a_tolerance_is_numpys(relative: float, absolute: float):
    tolerance = Tolerance(relative, absolute)
    for recorded in (0.0, 1.0, -2.0, 300.0):
        for new in (recorded, recorded + 1e-7, recorded * 1.0005, recorded * 1.05 + 0.01, recorded + 0.4, -recorded):
            # numpy's tolerance is relative to its second argument.
            assert tolerance.allows(recorded, new) == bool(np.isclose(new, recorded, relative, absolute))


def test_words_are_compared_by_exact_tolerances_only():
    assert not EXACT.allows("Soup", "Stew")
    assert TRAINED.allows("Soup", "Stew")
    assert TIMING.allows(None, 3.0)
    assert not TRAINED.allows(None, 3.0)
    assert not ROUNDING.allows(True, "yes")
    assert [str(kind) for kind in (EXACT, TIMING, TRAINED)] == ["exact", "timing: not compared", "5.0% + 0.02"]


def test_the_last_pattern_that_fits_counts():
    stated = {"models.*": TRAINED, "models.*.parameters": EXACT}
    assert tolerance_of("models.1 head.loss", stated) == TRAINED
    assert tolerance_of("models.1 head.parameters", stated) == EXACT
    assert tolerance_of("chance", stated) == ROUNDING
    assert tolerance_of("training_seconds", stated) == TIMING
    assert tolerance_of("tokens_per_second.0", {"*": EXACT}) == TIMING, "what is stated for all leaves timings alone"
    assert tolerance_of("models.ours.seconds", stated) == TIMING


def test_figures_have_the_names_that_pages_use():
    assert flatten({"models": {"ours": {"loss": 1.5, "steps": [1, 2]}}, "chance": None}) == {
        "models.ours.loss": 1.5, "models.ours.steps.0": 1, "models.ours.steps.1": 2, "chance": None,
    }  # fmt: skip


def test_differences_are_named_with_both_values_and_missing_figures_count():
    recorded = {"loss": 1.0, "seconds": 3.0, "gone": 2, "text": "a"}
    new = {"loss": 1.1, "seconds": 9.0, "text": "a", "fresh": True}
    found = {line.name: (line.recorded, line.new) for line in differences(recorded, new, {})}
    assert found == {"loss": (1.0, 1.1), "gone": (2, "-"), "fresh": ("-", True)}
    assert not differences(recorded, dict(recorded), {})


def test_main_figures_lie_at_the_surface_and_a_list_is_a_mean_with_its_recorded_range():
    new = {
        "models": {"ours": {"loss": [1.0, 2.0, 1.5], "curve": [0.0] * 50}, "mean": [3.0, 0.1]},
        "chance": 0.5,
        "done": True,
        "name": "x",
    }
    recorded = {"models": {"ours": {"loss": [1.0, 4.0, 2.5]}}, "chance": 0.25}
    lines = main_figures(new, recorded)
    assert [(line.name, line.new, line.recorded, line.spread) for line in lines] == [
        ("chance", 0.5, 0.25, None),
        ("models.ours.loss", 1.5, 2.5, (1.0, 4.0)),
        ("models.mean.0", 3.0, None, None),
        ("models.mean.1", 0.1, None, None),
    ]
    assert main_figures(new, {})[0].recorded is None
    assert len(main_figures({str(index): index for index in range(40)}, {}, most=5)) == 5
