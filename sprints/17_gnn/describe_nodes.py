"""Can a language model put into words what a graph network knows of a node?

    uv run sprints/17_gnn/describe_nodes.py
    uv run sprints/17_gnn/describe_nodes.py --preset graph
    uv run sprints/17_gnn/describe_nodes.py --preset own_features

A graph network reads a small graph of ingredients; its embedding of a node becomes four vectors that the shipped GPT
reads as if they were words; and the GPT writes which side the node is on, who its friends are, whether it is a bridge.
Facts are read from the text and counted, on graphs that training never saw. Theory: notes/12_graphs_into_words.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure

from graph_study.describer_training import HELD_OUT, DescriberTraining, Source, train_describer
from graph_study.ingredient_graphs import IngredientGraph, optimum
from graph_study.node_facts import FACTS, describe, facts_of, most_frequent, score, with_mean
from graph_study.options import from_options
from graph_study.prefix_gpt import Kind
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, NonNegativeInt, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED

COLUMNS = (*FACTS, "all")
# What a model writes turns with the last digit of a logit; how often it is right is compared.
TOLERANCE = {
    "unseen_graphs.*": TRAINED,
    "unseen_nodes.*": TRAINED,
    "losses.*": TRAINED,
    "samples.*": Tolerance(compared=False),
    "before": Tolerance(compared=False),
}
LONG = {"seeds": (0, 1, 2), "graphs": 4000, "steps": 1200}
KNOWN_FIRST = {**LONG, "encoder": "comparing", "encoder_steps": 3000}
PRESETS = {
    # By the loss of the text alone.
    "seeds": LONG,
    # The encoder learns to know before both learn to say: what prefixes are made from, at one budget.
    "graph": KNOWN_FIRST,
    "own_features": {**KNOWN_FIRST, "sources": ("own features",)},
    "untrained_encoder": {**KNOWN_FIRST, "sources": ("untrained encoder",)},
    "nothing": {**KNOWN_FIRST, "sources": ("nothing",)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), gpt2, or a folder
    sources: Annotated[tuple[Source, ...], Different] = ("graph",)  # what prefixes are made from
    graphs: PositiveInt = 1500  # training graphs of 14 nodes
    test_graphs: PositiveInt = 40  # graphs for the test, drawn after those of training
    prefix: PositiveInt = 4  # vectors before the text
    encoder: Kind = "sage"  # layers of the graph network; those of comparing see both ends of an edge
    encoder_steps: NonNegativeInt = 0  # steps in which the encoder learns alone to know the facts, before the text
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 4  # graphs of a step
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.01  # of Muon, for the hidden matrices
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products
    seeds: Seeds = (0,)  # of graphs and weights


@dataclass(frozen=True)
class Results:
    # By what the prefix is made from: the share of facts that are right, on graphs that training never saw.
    unseen_graphs: dict[str, dict[str, MeanInterval]]
    # The same for nodes of training graphs that training never described.
    unseen_nodes: dict[str, dict[str, MeanInterval]]
    # The best that anything can do on the graphs of the test, and guessing the most frequent answer there.
    optimum: dict[str, float]
    chance: dict[str, float]
    losses: dict[str, list[float]]
    # What was written of some nodes of a test graph, and what is true of them.
    samples: list[tuple[str, str]]
    before: str


@dataclass(frozen=True)
class DescriberScores:
    """What one training is worth: shares by condition on unseen graphs, shares on unseen nodes, and what it wrote.

    `test` has the unseen graphs.
    """

    unseen_graphs: dict[str, dict[str, float]]
    unseen_nodes: dict[str, float]
    losses: list[float]
    samples: list[tuple[str, str]]
    before: str
    test: list[IngredientGraph]


def train_and_score(config: Config, source: str, seed: int) -> DescriberScores:
    """Train a describer, let it write about nodes it has not seen, and count the facts that are right."""
    generator = seed_everything(seed)
    how = from_options(DescriberTraining, config, device=pick_device(config.device))
    trained = train_describer(how, source, seed, generator)
    test, some = trained.test, trained.training[: config.test_graphs]
    texts = trained.write(test)
    order = torch.randperm(len(texts), generator=generator)
    unseen_graphs = {source: score(texts, test)}
    if source == "graph":
        unseen_graphs["graph, shuffled"] = score(trained.write(test, order), test)
    return DescriberScores(
        unseen_graphs,
        score(trained.write(some), some, HELD_OUT),
        trained.losses[:: max(1, config.steps // 60)],
        [(text.strip(), describe(facts_of(test[0], node))) for node, text in enumerate(texts[:6])],
        trained.before,
        test,
    )


def means(seeds: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, MeanInterval]]:
    """Return means and intervals over the seeds, by condition and fact."""
    return {
        name: {fact: mean_interval([shares[name][fact] for shares in seeds]) for fact in COLUMNS} for name in seeds[0]
    }


def main(config: Config) -> Results:
    keep_freed_memory()
    unseen_graphs, unseen_nodes, first, test = {}, {}, {}, []
    for source in config.sources:
        seeds = [train_and_score(config, source, config.seed + seed) for seed in config.seeds]
        unseen_graphs |= means([scores.unseen_graphs for scores in seeds])
        unseen_nodes |= means([{source: scores.unseen_nodes} for scores in seeds])
        first[source] = seeds[0]
        # A seed draws the same graphs whatever prefixes are made from.
        test = [ingredients for scores in seeds for ingredients in scores.test]
    results = Results(
        unseen_graphs=unseen_graphs,
        unseen_nodes=unseen_nodes,
        optimum=with_mean(optimum(test)),
        chance=most_frequent(test),
        losses={source: scores.losses for source, scores in first.items()},
        samples=first["graph"].samples if "graph" in first else [],
        before=first["graph"].before if "graph" in first else "",
    )
    report(results)
    return results


def report(results: Results) -> None:
    def line(name: str, shares: Sequence[float]) -> str:
        return f"{name:<30} {'  '.join(f'{share:8.1%}' for share in shares)}"

    print(f"{'facts right':<30}", "  ".join(f"{fact:>8}" for fact in COLUMNS))
    for name, shares in results.unseen_graphs.items():
        print(line(name, [mean for mean, _ in shares.values()]))
    for name, shares in results.unseen_nodes.items():
        print(line(f"{name}, unseen nodes", [mean for mean, _ in shares.values()]))
    for name, shares in (("optimum", results.optimum), ("the most frequent answer", results.chance)):
        print(line(name, [shares[fact] for fact in COLUMNS]))
    for text, true in results.samples:
        print(f"  {text}" + ("" if text == true else f"    (true: {true})"))


def plot(results: Results) -> Figure:
    """Draw which facts are right, with intervals where there are seeds, beside the optimum."""
    figure, axes = new_figure(7.5, 4)
    rows = {name: list(shares.values()) for name, shares in results.unseen_graphs.items()}
    rows["most frequent answer"] = [(results.chance[fact], None) for fact in COLUMNS]
    width = 0.8 / len(rows)
    for number, (name, shares) in enumerate(rows.items()):
        means, halves = zip(*shares, strict=True)
        places = [index + number * width for index in range(len(COLUMNS))]
        axes.bar(places, means, width, yerr=error_bars(halves), label=name, error_kw={"capsize": 2, "linewidth": 1})
    for index, fact in enumerate(COLUMNS):
        ends = [index - width / 2, index + 0.8 - width / 2]
        label = "optimum" if index == 0 else None
        axes.plot(ends, [results.optimum[fact]] * 2, color="black", linewidth=1.5, label=label)
    axes.set_xticks([index + 0.4 - width / 2 for index in range(len(COLUMNS))], COLUMNS)
    axes.set(ylim=(0, 1.05), ylabel="share of nodes", title="facts right on unseen graphs")
    figure.legend(fontsize=9, ncols=4, loc="outside lower center")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
