"""What does a graph network know of a node before anybody asks it to speak?

    uv run sprints/17_gnn/encoder_alone.py
    uv run sprints/17_gnn/encoder_alone.py --kinds comparing --depth 6

The encoders of describe_nodes.py with linear heads instead of a GPT: which facts can they learn, how soon, and does it
matter whether messages see both ends of an edge? Beside them, the optimum. Theory: notes/12_graphs_into_words.md
"""

import statistics
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from tqdm import tqdm

from graph_study.encoder_training import FactHeads, fact_accuracy, fact_batches, train_encoder
from graph_study.ingredient_graphs import NAMES, SIZE, draw_ingredients, optimum
from graph_study.prefix_gpt import KINDS, Kind, NodeEncoder
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

FACTS = ("name", "side", "friends", "bridge")
TOLERANCE = {"accuracy.*": TRAINED, "validation.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: Annotated[tuple[Kind, ...], Different] = KINDS  # of layer
    depth: PositiveInt = 4  # layers
    graphs: PositiveInt = 4000  # training graphs of 14 nodes
    test_graphs: PositiveInt = 200  # graphs for the test
    steps: PositiveInt = 3000  # optimizer steps
    batch_size: PositiveInt = 24  # graphs of a step
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.01  # of Muon, for the hidden matrices
    factors: Annotated[tuple[PositiveFloat, ...], Different] = (0.5, 1.0, 2.0)  # of both rates; the best is chosen
    looks: PositiveInt = 6  # how often accuracy is measured on the way
    seeds: Seeds = (0, 1, 2)  # of graphs and weights


@dataclass(frozen=True)
class Results:
    steps: list[int]
    # By kind of layer and fact: the share that is right on unseen graphs, by step.
    accuracy: dict[str, dict[str, list[MeanInterval]]]
    optimum: dict[str, float]
    parameters: dict[str, int]
    # By kind: the factor of the learning rates that was chosen, and what each had on the validation graphs.
    factor: dict[str, float]
    validation: dict[str, dict[str, float]]


@dataclass(frozen=True)
class TrainedEncoder:
    """What one training found: accuracies on test graphs by step, the mean on validation graphs, and its size."""

    by_step: list[dict[str, float]]
    validation: float
    parameters: int


def train_one(config: Config, kind: Kind, factor: float, seed: int, steps: list[int]) -> TrainedEncoder:
    """Train an encoder with linear heads, and measure it on the way."""
    generator, device = seed_everything(seed), pick_device(config.device)
    training = [draw_ingredients(generator) for _ in range(config.graphs)]
    test, validation = ([draw_ingredients(generator) for _ in range(config.test_graphs)] for _ in range(2))
    encoder = NodeEncoder(len(NAMES) + 2, depth=config.depth, kind=kind)
    model = FactHeads(encoder, encoder.width).to(device)
    batches = fact_batches(training, range(SIZE), config.batch_size, generator, device)
    rates = {
        "learning_rate": factor * config.learning_rate,
        "muon_learning_rate": factor * config.muon_learning_rate,
    }
    found = []
    trained = train_encoder(model, batches, steps=config.steps, **rates)
    for step, _ in tqdm(trained, f"{kind}, rates x {factor:g}, seed {seed}", config.steps):
        if step in steps:
            found.append(fact_accuracy(model, test, device))
    chosen_by = statistics.mean(fact_accuracy(model, validation, device).values())
    return TrainedEncoder(found, chosen_by, sum(parameter.numel() for parameter in encoder.parameters()))


def train_kind(config: Config, kind: Kind, steps: list[int]) -> tuple[list[TrainedEncoder], float, dict[str, float]]:
    """Choose the rates on the validation graphs of the first seed, and return the trainings of all seeds with them."""
    first, *others = (config.seed + seed for seed in config.seeds)
    tried = {factor: train_one(config, kind, factor, first, steps) for factor in config.factors}
    best = max(tried, key=lambda factor: tried[factor].validation)
    trained = [tried[best], *(train_one(config, kind, best, seed, steps) for seed in others)]
    return trained, best, {f"{factor:g}": one.validation for factor, one in tried.items()}


def main(config: Config) -> Results:
    steps = sorted({max(1, round(config.steps * (look + 1) / config.looks)) for look in range(config.looks)})
    accuracy, parameters, factors, validation = {}, {}, {}, {}
    for kind in config.kinds:
        trained, factors[kind], validation[kind] = train_kind(config, kind, steps)
        parameters[kind] = trained[0].parameters
        accuracy[kind] = {
            fact: [mean_interval([one.by_step[look][fact] for one in trained]) for look in range(len(steps))]
            for fact in FACTS
        }
    generator = seed_everything(config.seed)
    best = optimum([draw_ingredients(generator) for _ in range(min(60, config.test_graphs))])
    for kind, facts in accuracy.items():
        print(f"{kind:<12}", ", ".join(f"{fact} {values[-1][0]:.1%}" for fact, values in facts.items()))
    print(f"{'optimum':<12}", ", ".join(f"{fact} {best[fact]:.1%}" for fact in FACTS))
    return Results(steps, accuracy, best, parameters, factors, validation)


def plot(results: Results) -> Figure:
    """Draw the two facts that have to be inferred, by step."""
    figure, axes = new_figure(9, 3.4, columns=2)
    for axis, fact in zip(axes, ("side", "bridge"), strict=True):
        for number, (kind, facts) in enumerate(results.accuracy.items()):
            means, halves = zip(*facts[fact], strict=True)
            axis.errorbar(
                results.steps, means, error_bars(halves), marker="o", capsize=2, color=COLOURS[number], label=kind
            )  # fmt: skip
        axis.axhline(results.optimum[fact], color="black", linewidth=1, label="optimum")
        axis.set(xlabel="training step", ylabel="accuracy on unseen graphs", title=fact, ylim=(0.5, 1.0))
        axis.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
