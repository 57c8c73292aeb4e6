"""What several trainings are worth: the score of each seed, their mean, and how well it is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.checks.intervals import MeanInterval, mean_interval, show_interval


@dataclass(frozen=True)
class SeedScores:
    """Scores on the test, one for each seed."""

    test: list[float]
    mean: MeanInterval

    def __str__(self) -> str:
        return show_interval(*self.mean, ".4g")


def seed_scores(test: Sequence[float]) -> SeedScores:
    """Return the scores of all seeds, and their mean."""
    return SeedScores([*test], mean_interval(test))
