"""Does a neuron matter for what it responds to? Hold it at its mean, and see which predictions get worse.

    uv run sprints/07_transformer_block/remove_neurons.py

For each class of tokens the neurons that find it best, chosen on one half of the recipes, are removed, and as many
others drawn from the same layers; the loss on tokens of that class is measured on the other half.
Theory: notes/09_what_neurons_do.md
"""

from dataclasses import dataclass
from statistics import mean

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from block_study.labelled_recipes import LABELS
from block_study.neuron_reading import ABOUT, Half, load, rank_neurons, read_half, record, without
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.training.losses import token_losses


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    recipes: PositiveInt = 24  # recipes of each half
    counts: tuple[PositiveInt, ...] = (1, 16)  # neurons to remove at once
    draws: PositiveInt = 3  # draws of random neurons to compare with


@dataclass(frozen=True)
class Removal:
    """What a removal does to the loss, in nats per token.

    Args:
        own: change on tokens of the class.
        others: change on all other tokens.
        random: change on tokens of the class when as many others are removed instead, draw by draw.
        layers: how many of the removed neurons each layer had.
    """

    own: float
    others: float
    random: list[float]
    layers: list[int]


@dataclass(frozen=True)
class Results:
    """By number of neurons and class; and the loss on each class with all neurons."""

    removals: dict[str, dict[str, Removal]]
    losses: dict[str, float]
    harmed_more: dict[str, int]


def losses_of(model: GPT, half: Half) -> Tensor:
    """Return the loss of the token to come at each place of a half, in nats."""
    tokens = half.recipes.tokens
    return token_losses(model(tokens[:, :-1]), tokens)[half.places]


def others_like(neurons: list[int], d_hidden: int, generator: torch.Generator) -> list[int]:
    """Return other neurons: as many of each layer, drawn at random."""
    drawn = []
    for layer in sorted({neuron // d_hidden for neuron in neurons}):
        own = [neuron for neuron in neurons if neuron // d_hidden == layer]
        order = torch.randperm(d_hidden, generator=generator) + layer * d_hidden
        drawn += [neuron for neuron in order.tolist() if neuron not in own][: len(own)]
    return drawn


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    model, tokenizer = load(config.model)
    first, second = (read_half(tokenizer, start, config.recipes) for start in (0, config.recipes))
    hidden = [layer[first.places] for layer in record(model, first.recipes.tokens[:, :-1]).hidden]
    ranking, means = rank_neurons(hidden, first, ABOUT[1]), [layer.mean(dim=0) for layer in hidden]
    d_hidden, before = len(means[0]), losses_of(model, second)
    if max(config.counts) > d_hidden // 2:
        raise ValueError(
            f"as many others must be left in a layer to compare with; got --counts {max(config.counts)} of {d_hidden}: "
            "give less"
        )
    members = {label: second.labels[ABOUT[1]] == index for index, label in enumerate(LABELS)}

    def change(neurons: list[int]) -> Tensor:
        with without(model, neurons, means):
            return losses_of(model, second) - before

    removals: dict[str, dict[str, Removal]] = {}
    for count in config.counts:
        by_label = removals[str(count)] = {}
        for index, label in enumerate(tqdm(LABELS, desc=f"{count} neurons")):
            neurons = ranking[:, index].topk(count).indices.tolist()
            moved, member = change(neurons), members[label]
            draws = [change(others_like(neurons, d_hidden, generator)) for _ in range(config.draws)]
            by_label[label] = Removal(
                own=moved[member].mean().item(),
                others=moved[~member].mean().item(),
                random=[draw[member].mean().item() for draw in draws],
                layers=[sum(neuron // d_hidden == layer for neuron in neurons) for layer in range(len(means))],
            )
    losses = {label: before[member].mean().item() for label, member in members.items()}
    harmed = {
        count: sum(removal.own > max(removal.random) for removal in by_label.values())
        for count, by_label in removals.items()
    }
    for count, by_label in removals.items():
        print(f"\n{count} neurons removed: change of the loss on the class, on the rest; random neurons, on the class")
        for label, removal in by_label.items():
            print(f"  {label:<24}{losses[label]:7.3f}{removal.own:+9.4f}{removal.others:+9.4f}", end="")
            print(f"{mean(removal.random):+9.4f}  {removal.layers}")
        print(f"the class is harmed more than by any random draw in {harmed[count]} of {len(by_label)}")
    return Results(removals, losses, harmed)


def plot(results: Results) -> Figure:
    """Draw the change of the loss by class for the largest number of neurons."""
    count, by_label = list(results.removals.items())[-1]
    figure, axes = new_figure(width=8.0, height=5.6)
    labels = sorted(by_label, key=lambda label: by_label[label].own)
    rows = range(len(labels))
    axes.barh(rows, [by_label[label].own for label in labels], label=f"its {count} best neurons removed: this class")
    axes.plot([by_label[label].others for label in labels], rows, "D", color="C1", label="the same: all other tokens")
    for draw in range(len(by_label[labels[0]].random)):
        name = None if draw else f"{count} random neurons: this class"
        changes = [by_label[label].random[draw] for label in labels]
        axes.plot(changes, rows, "x", color="black", markersize=5, label=name)
    axes.set_yticks(rows, labels)
    axes.set(xlabel="change of the loss in nats per token", ylabel="class of the token to come")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


if __name__ == "__main__":
    # Small differences of losses, of neurons that a ranking chose.
    run(main, Config, plot=plot, tolerance={"removals.*": Tolerance(relative=0.01, absolute=1e-4)})
