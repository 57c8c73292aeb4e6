"""What stands in the residual stream on its way up? Read the shipped model's after every part, as if it were the end.

    uv run sprints/07_transformer_block/residual_stream.py
    uv run sprints/07_transformer_block/residual_stream.py --recipes 4

At every place the stream goes through the last norm and the head, which gives a prediction and its loss. Beside it: how
large the stream is, and how large what each part adds. Theory: notes/02_the_residual_stream.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from block_study.neuron_reading import load, read_half
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.training.losses import token_losses


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    recipes: PositiveInt = 16  # recipes of the validation stream


@dataclass(frozen=True)
class Results:
    """By place in the stream, from the embedding on; root mean squares are over tokens and features.

    Args:
        places: what was added last.
        losses: of the prediction read there, in nats per token.
        stream: root mean square of the stream.
        added: root mean square of what was added last.
        difference: between the embedding plus all that was added and what the last norm of the model receives.
    """

    places: list[str]
    losses: list[float]
    stream: list[float]
    added: list[float]
    difference: float


def additions(model: GPT, tokens: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Return the embedding and what each part adds, in order, and what the last norm receives."""
    added: dict[str, Tensor] = {}
    end: dict[str, Tensor] = {}
    hooks = [
        model.blocks[0].register_forward_pre_hook(lambda _part, given: added.update(embedding=given[0])),
        model.norm.register_forward_pre_hook(lambda _part, given: end.update(norm=given[0])),
    ]
    for layer, block in enumerate(model.blocks, start=1):
        for name in ("attention", "feed_forward"):
            key = f"{name.replace('_', '-')} {layer}"
            hooks.append(
                block.get_submodule(name).register_forward_hook(
                    lambda _part, _given, output, key=key: added.update({key: output})
                )
            )
    try:
        model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return added, end["norm"]


@torch.no_grad()
def main(config: Config) -> Results:
    model, tokenizer = load(config.model)
    half = read_half(tokenizer, 0, config.recipes)
    tokens = half.recipes.tokens
    parts, end = additions(model, tokens[:, :-1])
    stream = torch.zeros_like(end)
    results = Results([], [], [], [], 0.0)
    for place, added in parts.items():
        stream = stream + added  # (recipes, tokens, d_model)
        losses = token_losses(model.head(model.norm(stream)), tokens)[half.places]
        results.places.append(place)
        results.losses.append(losses.mean().item())
        results.stream.append(size(stream[half.places]))
        results.added.append(size(added[half.places]))
        print(f"{place:<15} adds {results.added[-1]:6.2f} to {results.stream[-1]:6.2f}; ", end="")
        print(f"read here the loss is {results.losses[-1]:.3f}")
    difference = (stream - end)[half.places].abs().max().item()
    return Results(results.places, results.losses, results.stream, results.added, difference)


def size(x: Tensor) -> float:
    return x.square().mean().sqrt().item()


def plot(results: Results) -> Figure:
    """Draw the loss read at each place, and the sizes of the stream and of what is added."""
    figure, (left, right) = new_figure(width=9.0, height=3.8, columns=2)
    rows = range(len(results.places))
    left.plot(results.losses, rows, "o-", color="C0")
    for row, loss in enumerate(results.losses):
        left.annotate(f"{loss:.2f}", (loss, row), (7, 0), textcoords="offset points", va="center", fontsize=9)
    left.set(xlabel="loss if read here, nats per token", xlim=(0, 1.12 * max(results.losses)))
    left.set_yticks(rows, results.places)
    right.barh(rows, results.added, color="C1", height=0.6)
    right.plot(results.stream, rows, "o-", color="black")
    right.set(xlabel="root mean square of a feature", xlim=(0, None))
    right.set_yticks(rows, [])
    right.text(results.stream[4], 4, "  the stream", va="center")
    right.text(0.02 * results.added[-1], len(rows) - 1, " what a part adds", va="center")
    for axes in (left, right):
        axes.set_ylim(len(rows) - 0.5, -0.5)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"difference": Tolerance(absolute=1e-3)})
