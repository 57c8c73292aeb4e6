"""How much of a score is the split? Shuffled or in file order, and chosen on the test set or not.

    uv run sprints/03_models_and_training_loops/honest_split.py

Three classifiers are scored on a shuffled half and on the second half of digits. Then many small trees of about the
same quality compete on a hundred images, and the winner is scored on images that it was not chosen on.
Theory: notes/08_train_validation_test.md and notes/12_which_images_on_which_side.md
"""

import statistics
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.neighbors import NearestNeighbors
from sklearn.tree import ExtraTreeClassifier
from torch import Tensor
from tqdm import tqdm

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from training_study.classifiers import classifiers

Seen = Annotated[int, Field(ge=1, le=898)]  # so that of the 899 images of the second half one is left


@dataclass(frozen=True)
class Config(ScriptConfig):
    shuffles: AtLeastTwo = 10  # shuffled splits
    candidates: tuple[PositiveInt, ...] = (1, 2, 5, 10, 20, 50, 100, 200)  # trees to choose among
    seen: Seen = 100  # images that the winner is chosen on
    draws: PositiveInt = 300  # draws of these images


@dataclass(frozen=True)
class SplitScores:
    """Accuracy on the second half of the file, and on shuffled halves."""

    in_order: float
    shuffled: float
    shuffled_deviation: float


@dataclass(frozen=True)
class Results:
    neighbour_distance: float
    neighbour_distance_by_chance: float
    splits: dict[str, SplitScores]
    candidates: list[int]
    winner_on_seen: list[float]
    winner_on_fresh: list[float]


def distance_of_neighbours(pixels: np.ndarray, order: np.ndarray) -> float:
    """Return the median distance, in places of an order, between an image and the one that is most like it."""
    nearest = NearestNeighbors(n_neighbors=2).fit(pixels).kneighbors(pixels, return_distance=False)[:, 1]
    position = np.argsort(order)
    return float(np.median(np.abs(position - position[nearest])))


def score_splits(model: Any, pixels: np.ndarray, labels: np.ndarray, orders: list[np.ndarray]) -> SplitScores:
    """Return the accuracy on the second half of the file, and of each order."""
    half = len(labels) // 2
    in_file, *shuffled = (
        float(model.fit(pixels[order[:half]], labels[order[:half]]).score(pixels[order[half:]], labels[order[half:]]))
        for order in (np.arange(len(labels)), *orders)
    )
    return SplitScores(in_file, statistics.mean(shuffled), statistics.stdev(shuffled))


def winners(right: Tensor, count: int, seen: int, draws: int, generator: torch.Generator) -> tuple[float, float]:
    """Return the mean accuracy of the best of `count` candidates where it was chosen, and on the other images.

    Args:
        right: whether each candidate is right about each image, (candidates, images).
    """
    totals = torch.zeros(2, dtype=torch.float64)
    for _ in range(draws):
        among = right[torch.randperm(len(right), generator=generator)[:count]]
        images = torch.randperm(right.shape[1], generator=generator)
        on_seen, on_fresh = among[:, images[:seen]].mean(1), among[:, images[seen:]].mean(1)
        best = on_seen.argmax()
        totals += torch.stack([on_seen[best], on_fresh[best]])
    return totals[0].item() / draws, totals[1].item() / draws


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    digits = load_flat_digits()
    pixels, labels, half = digits[0].double().numpy(), digits[1].numpy(), len(digits[1]) // 2
    orders = [torch.randperm(len(labels), generator=generator).numpy() for _ in range(config.shuffles)]
    models = classifiers("logistic regression", "nearest neighbour", "support vectors")
    splits = {name: score_splits(model, pixels, labels, orders) for name, model in models.items()}
    for name, split in splits.items():
        print(f"{name:<22}in order {split.in_order:.1%}, shuffled {split.shuffled:.1%} ", end="")
        print(f"+- {split.shuffled_deviation:.1%}")

    right = np.stack(
        [
            ExtraTreeClassifier(random_state=tree).fit(pixels[:half], labels[:half]).predict(pixels[half:])
            == labels[half:]
            for tree in tqdm(range(max(config.candidates)), desc="trees")
        ]
    )
    right = torch.from_numpy(right).double()  # (candidates, images)
    scores = [winners(right, count, config.seen, config.draws, generator) for count in config.candidates]
    for count, (on_seen, on_fresh) in zip(config.candidates, scores, strict=True):
        print(f"best of {count:>3}: {on_seen:.1%} where it was chosen, {on_fresh:.1%} elsewhere")
    return Results(
        neighbour_distance=distance_of_neighbours(pixels, np.arange(len(labels))),
        neighbour_distance_by_chance=statistics.mean(distance_of_neighbours(pixels, order) for order in orders),
        splits=splits,
        candidates=list(config.candidates),
        winner_on_seen=[on_seen for on_seen, _ in scores],
        winner_on_fresh=[on_fresh for _, on_fresh in scores],
    )


def plot(results: Results) -> Figure:
    """Draw the winner's accuracy where it was chosen and elsewhere, by the number of candidates."""
    figure, axes = new_figure()
    axes.plot(results.candidates, results.winner_on_seen, marker="o", label="on the images it was chosen on")
    axes.plot(results.candidates, results.winner_on_fresh, marker="s", label="on other images")
    axes.set(xlabel="candidates", ylabel="accuracy of the winner", xscale="log")
    axes.set_xticks(results.candidates, results.candidates)
    axes.set_xticks([], minor=True)
    axes.legend()
    return figure


if __name__ == "__main__":
    # An image or two near a border may fall to the other side.
    run(main, Config, plot=plot, tolerance={"splits.*": Tolerance(absolute=0.003)})
