"""How near is evidence that was learnt without labels to the best decision that there is? A world whose law is known.

    uv run sprints/26_dynamic_knowledge_graph/how_good_can_it_be.py
    uv run sprints/26_dynamic_knowledge_graph/how_good_can_it_be.py --persons 200 --seeds 3

Every person has one record in each of two lists. Theory: notes/03_the_weight_of_evidence.md
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from matplotlib.figure import Figure
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cdist
from torch import Tensor
from tqdm import tqdm

from knowledge.comparisons import person_comparisons
from knowledge.contexts import choose_subjects, context_bits
from knowledge.optimum import World, best_assignment, draw_world, log_ratios
from knowledge.scores import at_threshold, best_threshold
from knowledge.weighing import weigh
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

PRESETS = {"few": {"persons": 150}}  # so few words that subjects are hard to learn
STRINGS, OPTIMUM = "similarity of the names", "likelihood ratio (optimum)"


@dataclass(frozen=True)
class Config(ScriptConfig):
    persons: AtLeastTwo = 1000  # of each world
    seeds: PositiveInt = 5  # pairs of worlds: one for the choices, one for the figures
    subjects: tuple[PositiveInt, ...] = (6, 8, 10, 12, 16)  # tried; the likelihood of words left out chooses


@dataclass(frozen=True)
class Results:
    """By rule: scores of pairs, with the threshold of the first world, and accuracy of one partner for each."""

    precision: dict[str, MeanInterval]
    recall: dict[str, MeanInterval]
    f1: dict[str, MeanInterval]
    accuracy: dict[str, MeanInterval]
    behind: dict[str, MeanInterval]  # the optimum, in points of F1, from world to world
    behind_accuracy: dict[str, MeanInterval]
    subjects: list[int]


def rules(world: World, subjects: tuple[int, ...], generator: torch.Generator) -> tuple[dict[str, Tensor], int]:
    """Return the weight that each rule gives each pair, (persons, persons), and how many subjects were found."""
    first, second = world.records[::2], world.records[1::2]
    people = len(first)
    names = [[f"{record.first} {record.last}" for record in records] for records in (first, second)]
    strings = torch.from_numpy(cdist(*names, scorer=JaroWinkler.similarity)).double()

    pairs = torch.cartesian_prod(torch.arange(people), torch.arange(people))
    kinds = person_comparisons(world.records)
    weighed = weigh(first, second, pairs, kinds, 1 / people)
    highest = torch.tensor([len(kind.levels) - 1 for kind in kinds])
    points = (weighed.levels.clamp(min=0) / highest).double().sum(dim=1)  # 1 for what is equal, less for what is alike
    plain, rare = weighed.evidence.weights(weighed.levels), weighed.bits
    about = [[record.about for record in records] for records in (first, second)]
    found = choose_subjects([*about[0], *about[1]], subjects, generator)
    by_subject = torch.cat((rare[:, :-1], context_bits(found, *about, pairs).unsqueeze(1)), dim=1)
    return {
        STRINGS: strings,
        "points added up": points.view(people, people),
        "evidence": plain.sum(dim=1).view(people, people),
        "and rare values": rare.sum(dim=1).view(people, people),
        "and subjects": by_subject.sum(dim=1).view(people, people),
        OPTIMUM: log_ratios(first, second),
    }, len(found.prior)


def measured(chosen_on: Float64[Tensor, "n n"], tested_on: Float64[Tensor, "n n"]) -> tuple[float, float, float, float]:
    """Return precision, recall and F1 of a threshold that another world chose, and accuracy of the best assignment."""
    true = torch.eye(len(tested_on), dtype=torch.bool).flatten()
    threshold, _ = best_threshold(chosen_on.flatten(), true)
    found = at_threshold(tested_on.flatten(), true, threshold)
    partners = best_assignment(tested_on) == torch.arange(len(tested_on))
    return found.precision, found.recall, found.f1, float(partners.double().mean())


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    columns: list[dict[str, list[float]]] = [{} for _ in range(4)]
    numbers = []
    for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="pair of worlds"):
        generator = torch.Generator().manual_seed(seed)
        worlds = [draw_world([2] * config.persons, generator) for _ in range(2)]
        (chosen, _), (tested, number) = (rules(world, config.subjects, generator) for world in worlds)
        numbers.append(number)
        for name in tested:
            for column, value in zip(columns, measured(chosen[name], tested[name]), strict=True):
                column.setdefault(name, []).append(value)
    behind, behind_accuracy = (
        {
            name: mean_interval([100 * (best - value) for value, best in zip(values, column[OPTIMUM], strict=True)])
            for name, values in column.items()
        }
        for column in columns[2:]
    )
    means = [{name: mean_interval(values) for name, values in column.items()} for column in columns]
    for name in columns[2]:
        shown = f"F1 {means[2][name][0]:.3f}, one partner each {means[3][name][0]:.3f}"
        print(f"{name:<27} {shown}, behind the optimum by {behind[name][0]:.2f} points of F1")
    return Results(*means, behind, behind_accuracy, numbers)


def plot(results: Results) -> Figure:
    """Draw F1 and accuracy of each rule with their intervals."""
    figure, axes = new_figure(7, 3.2)
    names = list(results.f1)
    for shift, (title, column) in enumerate((("pairs: F1", results.f1), ("one partner each", results.accuracy))):
        means = [column[name][0] for name in names]
        places = [len(names) - place - 0.35 * shift for place in range(len(names))]
        axes.barh(places, means, height=0.32, color=COLOURS[shift], label=title)
        for name, place, mean in zip(names, places, means, strict=True):
            half = column[name][1] or 0.0
            axes.errorbar(mean, place, xerr=half, color="black", linewidth=1)
            axes.text(mean + half + 0.01, place, f"{mean:.3f}", va="center", fontsize=8)
    axes.set_yticks([len(names) - place - 0.17 for place in range(len(names))], names)
    axes.set(xlim=(0, 1.12), xlabel="F1 of pairs, and share of persons who got their partner")
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
