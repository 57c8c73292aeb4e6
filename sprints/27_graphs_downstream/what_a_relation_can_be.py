"""Which relations can TransE, DistMult, ComplEx and RotatE represent? Five made worlds, each with one property.

    uv run sprints/27_graphs_downstream/what_a_relation_can_be.py

Where a theorem bounds the mean reciprocal rank, the bound stands beside it. Theory: notes/06_what_a_relation_can_be.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.kg_embeddings import MODELS, NAMES, Name, all_entities_loss
from downstream.ranking import Frequency, rank_facts
from downstream.synthetic_relations import BOUNDS, WORLDS, Made, World, make
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    groups: PositiveInt = 20  # of entities in each world
    features: PositiveInt = 16  # of an embedding
    steps: PositiveInt = 300  # optimizer steps, each with all facts
    sharpness: tuple[PositiveFloat, ...] = (3.0, 10.0)  # of the softmax; chosen by the facts that were trained with
    learning_rate: PositiveFloat = 0.05  # of Adam
    seeds: PositiveInt = 5  # runs of each model in each world

    def check(self) -> None:
        if self.groups < 4:
            raise ValueError(f"--groups must be at least 4; got {self.groups}")


@dataclass(frozen=True)
class Results:
    mrr: dict[World, dict[str, MeanInterval]]  # filtered, both sides, of the facts that are asked
    single: dict[World, dict[str, list[float]]]  # of each seed
    bounds: dict[World, dict[str, float]]


def train(made: Made, name: Name, sharpness: float, config: Config, seed: int) -> tuple[float, float]:
    """Return the filtered MRR of the facts of training, and of those asked."""
    model = MODELS[name](made.num_entities, made.num_relations, config.features, torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(model.parameters(), config.learning_rate)
    for _ in range(config.steps):
        optimizer.zero_grad()
        all_entities_loss(model, made.train, sharpness, 1e-4).backward()
        optimizer.step()
    # In float32 a distance and its rival may differ by rounding alone, and then a query is solved that cannot be.
    model.double()
    with torch.no_grad():
        known, asked = (
            rank_facts(model.all_scores, facts, made.num_entities, made.true).mrr for facts in (made.train, made.asked)
        )
    return known, asked


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found: dict[World, dict[str, list[float]]] = {world: {} for world in WORLDS}
    work = [(world, seed) for world in WORLDS for seed in range(config.seed, config.seed + config.seeds)]
    for world, seed in tqdm(work):
        made = make(world, config.groups, torch.Generator().manual_seed(seed))
        frequency = Frequency(made.train, made.num_entities, made.num_relations)
        chance = rank_facts(frequency, made.asked, made.num_entities, made.true).mrr
        found[world].setdefault("frequency", []).append(chance)
        for name in NAMES:
            tried = [train(made, name, sharpness, config, seed) for sharpness in config.sharpness]
            found[world].setdefault(name, []).append(max(tried)[1])
    for world, rows in found.items():
        print(f"{world:<10}" + "  ".join(f"{name} {mean_interval(values)[0]:.3f}" for name, values in rows.items()))
    return Results(
        {world: {name: mean_interval(values) for name, values in rows.items()} for world, rows in found.items()},
        found,
        {world: {name: BOUNDS[world, name] for name in NAMES if (world, name) in BOUNDS} for world in WORLDS},
    )


def plot(results: Results) -> Figure:
    """Draw a bar for each model in each world, a dot for each seed, and the bound of a theorem as a line."""
    figure, axes = new_figure(7.5, 3.6)
    for place, world in enumerate(WORLDS):
        for number, (name, (mean, _)) in enumerate(results.mrr[world].items()):
            x = place * 6 + number
            axes.bar(x, mean, color="#999999" if name == "frequency" else COLOURS[number - 1], 
                     width=0.9, label=name if place == 0 else None)  # fmt: skip
            dots = results.single[world][name]
            axes.plot([x + 0.1 * place for place in range(-(len(dots) // 2), (len(dots) + 1) // 2)], dots, "k.", ms=4)
            if (bound := results.bounds[world].get(name)) is not None:
                axes.hlines(bound, x - 0.5, x + 0.5, color="black", linewidth=2)
    axes.set_xticks([place * 6 + 2 for place in range(len(WORLDS))], WORLDS)
    axes.set(ylim=(0, 1.05), ylabel="filtered MRR, both sides")
    figure.legend(loc="outside upper center", ncols=5)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
