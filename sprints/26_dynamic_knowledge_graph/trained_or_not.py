"""What are vectors of neighbours worth, untrained and trained? A new package, one of whose needs is to be found.

    uv run sprints/26_dynamic_knowledge_graph/trained_or_not.py
    SPRINTS_DATA=DIR uv run sprints/26_dynamic_knowledge_graph/trained_or_not.py --preset debian

By default a world of packages is drawn whose best ranking is known; the preset takes the packages of Debian, whose
words are those of the line that sums a package up. Theory: notes/12_vectors_of_neighbours.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from knowledge.hidden_links import (
    LinkTask,
    Questions,
    averaged,
    cosines,
    make_task,
    needed_together,
    reciprocal_ranks,
)
from knowledge.packages import best_scores, draw_packages
from knowledge.sage import LinkSAGE, hashed_words, message_graph, train
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.text.debian import dependency_links, read_packages

BEST = "best possible"


@dataclass(frozen=True)
class Config(ScriptConfig):
    world: Literal["drawn", "debian"] = "drawn"  # whose packages
    packages: PositiveInt = 4000  # of the drawn world
    topics: PositiveInt = 20  # of the drawn world
    words: PositiveInt = 256  # places at which words are counted
    width: PositiveInt = 64  # numbers of a vector
    layers: tuple[PositiveInt, ...] = (1, 2)  # how far messages travel, besides 0
    steps: PositiveInt = 120  # optimizer steps at most: validation says when to stop
    learning_rates: tuple[PositiveFloat, ...] = (3e-3, 1e-2)  # of which validation chooses, for each model
    seeds: Seeds = (0, 1, 2, 3, 4)  # worlds, splits and trainings


PRESETS = {"debian": {"world": "debian", "steps": 240, "seeds": (0, 1, 2)}}


@dataclass(frozen=True)
class Results:
    reciprocal_ranks: dict[str, MeanInterval]  # of the hidden need among 100, by who ranks
    by_seed: dict[str, list[float]]
    learning_rates: dict[str, list[float]]  # chosen
    gain_of_training: MeanInterval  # trained minus untrained, of as many layers as were given last
    gain_of_hearing: MeanInterval  # that, minus the same model that hears nobody
    over_needed_together: MeanInterval
    chance: float
    questions: list[int]
    nodes: int
    links: int


def read_task(config: Config, seed: int) -> tuple[LinkTask, Callable[[Questions], Tensor] | None]:
    """Return the task of a seed, and what scores best where that is known."""
    generator = torch.Generator().manual_seed(config.seed + seed)
    if config.world == "drawn":
        world = draw_packages(config.packages, config.topics, generator)
        new = torch.arange(world.core, config.packages)
        validation, test = new[torch.randperm(len(new), generator=generator)].chunk(2)
        task = make_task(hashed_words(world.texts, config.words), world.needs, validation, test, generator)
        return task, lambda questions: best_scores(world, task, questions)
    packages = read_packages()
    links = torch.tensor(dependency_links(packages, recommended=False)).T
    order, tenth = torch.randperm(len(packages), generator=generator), len(packages) // 10
    features = hashed_words([package.short for package in packages], config.words)
    return make_task(features, links, order[:tenth], order[tenth : 2 * tenth], generator), None


@torch.no_grad()
def scores_of(model: LinkSAGE, task: LinkTask, questions: Questions) -> Tensor:
    """Return how well candidates fit askers, with all that is known when they ask."""
    states = model.eval()(task.features, message_graph(task.seen(questions), len(task.features)))
    asks, offers = model.asks(states[questions.askers]), model.offers(states)
    return torch.stack([offers[row] @ ask for row, ask in zip(questions.candidates, asks, strict=True)])


def trained_score(config: Config, task: LinkTask, layers: int, seed: int) -> tuple[float, float]:
    """Return what the model that validation prefers reaches on the test questions, and its learning rate."""

    def score(model: LinkSAGE, questions: Questions) -> float:
        return reciprocal_ranks(scores_of(model, task, questions)).mean().item()

    tried = []
    for learning_rate in config.learning_rates:
        torch.manual_seed(config.seed + seed)
        model = LinkSAGE(task.features.shape[1], config.width, layers)
        generator = torch.Generator().manual_seed(config.seed + seed)
        train(
            model, task.features, task.needs, steps=config.steps, learning_rate=learning_rate, generator=generator,
            validate=lambda model: score(model, task.validation),
        )  # fmt: skip
        tried.append((score(model, task.validation), score(model, task.test), learning_rate))
    return max(tried)[1:]


def untrained(config: Config, task: LinkTask, seed: int) -> Tensor:
    """Return the scores of a model with the weights that it begins with: one map for asking and for offering."""
    torch.manual_seed(config.seed + seed)
    model = LinkSAGE(task.features.shape[1], config.width, config.layers[-1]).eval()
    with torch.no_grad():
        states = model(task.features, message_graph(task.seen(task.test), len(task.features)))
    return cosines(states, task.test)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    questions, nodes, links = [], 0, 0
    for seed in tqdm(config.seeds, "seeds"):
        task, best = read_task(config, seed)
        test, graph = task.test, message_graph(task.seen(task.test), len(task.features))
        plain = {
            "popularity": task.popularity.float()[test.candidates],
            "words alone, untrained": cosines(task.features, test),
            "mean of neighbours, untrained": cosines(averaged(task.features, graph), test),
            f"{config.layers[-1]} layers, untrained": untrained(config, task, seed),
            "needed together": needed_together(task, test),
        }
        for name, scores in plain.items():
            found.setdefault(name, []).append(reciprocal_ranks(scores).mean().item())
        for layers in (0, *config.layers):
            name = "words alone, trained" if not layers else f"{layers} layer{'s' * (layers > 1)}, trained"
            score, rate = trained_score(config, task, layers, seed)
            found.setdefault(name, []).append(score)
            rates.setdefault(name, []).append(rate)
        if best is not None:
            found.setdefault(BEST, []).append(reciprocal_ranks(best(test).float()).mean().item())
        questions.append(len(test.askers))
        nodes, links = len(task.features), task.needs.shape[1]
    chance = sum(1 / rank for rank in range(1, 101)) / 100
    means = {name: mean_interval(values) for name, values in found.items()}
    for name, (mean, half) in means.items():
        print(f"{name:<32}{show_interval(mean, half, '.3f')}")
    print(f"{'chance':<32}{chance:.3f}")
    last = f"{config.layers[-1]} layer{'s' * (config.layers[-1] > 1)}, trained"

    def gain(other: str) -> MeanInterval:
        return mean_interval([one - two for one, two in zip(found[last], found[other], strict=True)])

    return Results(
        means, found, rates, gain(f"{config.layers[-1]} layers, untrained"), gain("words alone, trained"),
        gain("needed together"), chance, questions, nodes, links,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the mean reciprocal rank of each way, with its interval."""
    figure, axes = new_figure(7.2, 3.6)
    ways = sorted(results.reciprocal_ranks, key=lambda name: results.reciprocal_ranks[name][0])
    means, halves = zip(*(results.reciprocal_ranks[way] for way in ways), strict=True)
    colours = ["#999999" if way == BEST else COLOURS[0 if ", trained" in way else 1] for way in ways]
    axes.barh(ways, means, xerr=error_bars(halves), color=colours, capsize=3)
    for place, (mean, half) in enumerate(zip(means, halves, strict=True)):
        axes.text(mean + (half or 0) + 0.008, place, f"{mean:.3f}", va="center", fontsize=9)
    axes.axvline(results.chance, color="black", linewidth=1, linestyle="--")
    axes.text(results.chance, len(ways) - 0.4, " chance", fontsize=9)
    axes.set(
        xlabel="mean reciprocal rank of the hidden need among 100",
        xlim=(0, 1.12 * max(mean + (half or 0) for mean, half in results.reciprocal_ranks.values())),
    )
    axes.grid(visible=False, axis="y")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
