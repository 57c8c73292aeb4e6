"""What do the neurons of a feed-forward network respond to? In the model that the repository ships, on recipes.

    uv run sprints/07_transformer_block/neurons.py

The grammar labels every token, so "this neuron is for amounts" can be scored: a neuron's class is chosen on one half of
the recipes and its selectivity measured on the other, beside neurons with random keys in the same model and beside the
same model untrained. Theory: notes/09_what_neurons_do.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from block_study.labelled_recipes import LABELS
from block_study.neuron_reading import ABOUT, Half, load, random_directions, rank_neurons, read_half, record
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER

KINDS = ("trained", "random keys", "untrained")


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    recipes: PositiveInt = 30  # recipes of each half


@dataclass(frozen=True)
class Results:
    """How selective neurons are on the second half, for classes that were chosen on the first.

    Args:
        mean: over the neurons of each layer, of a neuron's best class, by kind of neuron and what the class is about.
        above_half: share of the neurons of all layers whose selectivity is above 0.5, likewise.
        sorted: selectivities of all neurons from the highest down, every 16th, likewise.
        best: by what it is about and class, the selectivity of the neuron that was best for it, of each kind.
        share: of each class in all tokens, by what it is about.
    """

    mean: dict[str, dict[str, list[float]]]
    above_half: dict[str, dict[str, float]]
    sorted: dict[str, dict[str, list[float]]]
    best: dict[str, dict[str, dict[str, float]]]
    share: dict[str, dict[str, float]]


def hidden_of(kind: str, model: GPT, half: Half, seed: int) -> list[Tensor]:
    """Return the activations of a kind of neurons in each layer at the places of a half, (places, neurons)."""
    recording = record(model, half.recipes.tokens[:, :-1])
    if kind != "random keys":
        return [layer[half.places] for layer in recording.hidden]
    # The same keys for both halves.
    generator = torch.Generator().manual_seed(seed)
    return [
        random_directions(model, layer, inputs[half.places], generator) for layer, inputs in enumerate(recording.inputs)
    ]


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    model, tokenizer = load(config.model)
    models = {"trained": model, "random keys": model, "untrained": GPT(model.config, generator).eval()}
    first, second = (read_half(tokenizer, start, config.recipes) for start in (0, config.recipes))
    mean, above, ordered, best = {}, {}, {}, {about: {label: {} for label in LABELS} for about in ABOUT}
    for kind in tqdm(KINDS, desc="kinds of neurons"):
        ours, others = (hidden_of(kind, models[kind], half, config.seed) for half in (first, second))
        mean[kind], above[kind], ordered[kind] = {}, {}, {}
        for about in ABOUT:
            choice, test = rank_neurons(ours, first, about), rank_neurons(others, second, about)  # (neurons, labels)
            own = test.gather(1, choice.argmax(dim=1, keepdim=True))[:, 0]
            mean[kind][about] = own.view(len(ours), -1).mean(dim=1).tolist()
            above[kind][about] = (own > 0.5).float().mean().item()
            ordered[kind][about] = own.sort(descending=True).values[::16].tolist()
            for label, neuron in zip(LABELS, choice.argmax(dim=0).tolist(), strict=True):
                best[about][label][kind] = test[neuron, LABELS.index(label)].item()
    share = {
        about: {name: (second.labels[about] == index).float().mean().item() for index, name in enumerate(LABELS)}
        for about in ABOUT
    }
    for about in ABOUT:
        print(f"\n{about}: mean selectivity by layer")
        for kind in KINDS:
            print(f"  {kind:<12}" + "".join(f"{value:7.2f}" for value in mean[kind][about]), end="")
            print(f"   above 0.5: {above[kind][about]:.0%}")
        for label, by_kind in best[about].items():
            print(f"  {label:<24}{share[about][label]:6.1%}" + "".join(f"{by_kind[kind]:8.2f}" for kind in KINDS))
    return Results(mean, above, ordered, best, share)


def plot(results: Results) -> Figure:
    """Draw the selectivities of all neurons in order, and their mean by layer, about the token to come."""
    figure, (left, right) = new_figure(width=9.0, height=3.6, columns=2)
    about = ABOUT[1]
    for colour, kind in enumerate(KINDS):
        values, means = results.sorted[kind][about], results.mean[kind][about]
        left.plot([index / len(values) for index in range(len(values))], values, color=f"C{colour}")
        right.plot(range(1, len(means) + 1), means, "os^"[colour] + "-", color=f"C{colour}")
        right.text(len(means) + 0.1, means[-1], kind, color=f"C{colour}", va="center")
    left.set(xlabel="share of the neurons, the most selective first", ylabel="selectivity", ylim=(-0.05, 1.02))
    left.set_title("every neuron")
    right.set(
        xlabel="layer", ylabel="mean selectivity", ylim=(0, None), xlim=(0.8, len(means) + 1.4), title="mean by layer"
    )
    right.set_xticks(range(1, len(means) + 1))
    return figure


if __name__ == "__main__":
    # Rankings of activations, many of which are nearly equal.
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=0.001, absolute=0.002)})
