"""Do learned positions learn that positions have neighbours? A small GPT is trained until they do.

    uv run sprints/05_embeddings_and_positional_encoding/learned_positions.py

Nothing tells the model that position 7 comes after position 6: the rows of the table start as independent noise. Beside
the trained ones stand the untrained ones, those of the same model trained on the same characters in random order, where
position is of no use, and the sinusoids. Theory: notes/04_positions.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.positions import sinusoidal_positions
from shared.text.batches import BlockBatches
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import character_tokenizer
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: int = 600  # recipes to train on, character by character
    context: int = 32  # positions
    d_model: int = 64  # features of a position
    layers: int = 1  # blocks
    steps: int = 500  # optimizer steps of a run
    batch_size: int = 32  # rows of a batch
    learning_rate: float = 5e-2  # peak learning rate of embeddings, biases and norms
    muon_learning_rate: float = 0.02  # peak learning rate of the matrices of the blocks
    measure_every: int = 25  # steps between measurements
    runs: int = 2  # runs of each kind, each with its own seed


@dataclass(frozen=True)
class Pattern:
    """How far the similarities of positions follow their distances.

    Args:
        correlation: of the cosine of two positions with minus their distance, over all pairs.
        neighbours: share of positions whose most similar other position is the one before or after.
        main_direction: share of the variance along the direction in which positions vary most.
        by_distance: the mean cosine at distance 0, 1, ...
    """

    correlation: float
    neighbours: float
    main_direction: float
    by_distance: list[float]


@dataclass(frozen=True)
class Results:
    steps: list[int]
    losses: dict[str, list[list[float]]]
    correlations: dict[str, list[list[float]]]
    patterns: dict[str, list[Pattern]]
    neighbours_by_chance: float
    similarities: dict[str, list[list[float]]]


def similarities(positions: Tensor) -> Tensor:
    """Return the cosines of all pairs of positions, after the vector that they have in common is taken away."""
    units = normalize(positions - positions.mean(dim=0))
    return units @ units.T


def measure(positions: Tensor) -> Pattern:
    """Return the pattern of a table of positions, (positions, features)."""
    cosines, index = similarities(positions), torch.arange(len(positions))
    distance = (index[:, None] - index).abs()
    pairs = torch.stack([cosines[distance > 0], -distance[distance > 0].float()])
    variances = torch.linalg.svdvals(positions - positions.mean(dim=0)).square()
    closest = cosines.masked_fill(distance == 0, -torch.inf).argmax(dim=1)
    return Pattern(
        correlation=torch.corrcoef(pairs)[0, 1].item(),
        neighbours=((closest - index).abs() == 1).float().mean().item(),
        main_direction=(variances[0] / variances.sum()).item(),
        by_distance=[cosines.diagonal(step).mean().item() for step in index.tolist()],
    )


def train(
    config: Config, tokens: np.ndarray, vocab: int, seed: int, watch: Callable[[int, float, Tensor], None]
) -> None:
    """Train a GPT; `watch` gets the step, the mean loss since it was last called, and the table of positions."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    size = GPTConfig(vocab, config.context, config.layers, heads=4, d_model=config.d_model, dropout=0.0)
    model = GPT(size, generator).to(device)
    positions = model.positions.get_parameter("weight")
    watch(0, float("nan"), positions.detach().cpu().clone())
    progress = train_steps(
        model,
        BlockBatches(tokens, config.batch_size, config.context, generator),
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
        ),
        steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=20),
    )
    recent: list[float] = []
    for step, loss in tqdm(progress, total=config.steps):
        recent.append(loss)
        if step % config.measure_every == 0:
            watch(step, sum(recent) / len(recent), positions.detach().cpu().clone())
            recent.clear()


def main(config: Config) -> Results:
    cookbook = Cookbook()
    text = "\n\n".join(cookbook.recipe("train", index).text for index in range(config.recipes))
    tokenizer = character_tokenizer(text)
    tokens = np.array(tokenizer.encode(text))
    shuffled = np.random.default_rng(config.seed).permutation(tokens)
    steps: list[int] = []
    losses: dict[str, list[list[float]]] = {"text": [], "shuffled text": []}
    tables: dict[str, list[Tensor]] = {"untrained": [], "text": [], "shuffled text": []}
    correlations: dict[str, list[list[float]]] = {"text": [], "shuffled text": []}
    for kind, data in (("text", tokens), ("shuffled text", shuffled)):
        for run in range(config.runs):
            seen: list[tuple[int, float, Tensor]] = []
            train(config, data, tokenizer.vocab_size, config.seed + run, lambda *now, seen=seen: seen.append(now))
            steps = [step for step, _, _ in seen]
            losses[kind].append([loss for _, loss, _ in seen[1:]])
            correlations[kind].append([measure(table).correlation for _, _, table in seen])
            tables[kind].append(seen[-1][2])
            if kind == "text":
                tables["untrained"].append(seen[0][2])
    tables["sinusoidal"] = [sinusoidal_positions(config.context, config.d_model)]
    patterns = {kind: [measure(table) for table in its] for kind, its in tables.items()}
    for kind, its in patterns.items():
        print(f"{kind:<14} cosine and distance correlate by {[round(one.correlation, 2) for one in its]}, ", end="")
        print(f"nearest is a neighbour: {[round(one.neighbours, 2) for one in its]}, ", end="")
        print(f"main direction {[round(one.main_direction, 2) for one in its]}")
    return Results(
        steps=steps,
        losses=losses,
        correlations=correlations,
        patterns=patterns,
        neighbours_by_chance=2 / config.context,
        similarities={
            kind: np.round(similarities(its[0]).double().numpy(), 3).tolist() for kind, its in tables.items()
        },
    )


def plot(results: Results) -> Figure:
    """Draw the similarities of all pairs of positions for each kind, and how the pattern and the loss develop."""
    figure, axes = new_figure(11.0, 6.4, rows=2, columns=3)
    places = dict(zip(results.similarities, (axes[0, 0], axes[0, 1], axes[0, 2], axes[1, 0]), strict=True))
    for kind, values in results.similarities.items():
        image = places[kind].imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        places[kind].set(title=kind, xlabel="position", ylabel="position")
        places[kind].grid(False)
    figure.colorbar(image, ax=axes[0, 2], label="cosine")
    colours = {kind: f"C{index}" for index, kind in enumerate(results.patterns)}
    for kind, runs in results.correlations.items():
        for run, values in enumerate(runs):
            axes[1, 1].plot(results.steps, values, color=colours[kind], label=None if run else kind)
    axes[1, 1].set(xlabel="step", ylabel="correlation", title="cosine and nearness", ylim=(-0.1, 1))
    axes[1, 1].legend()
    for kind, its in results.patterns.items():
        axes[1, 2].plot(its[0].by_distance, color=colours[kind], label=kind)
    axes[1, 2].set(xlabel="distance", ylabel="mean cosine", title="similarity by distance")
    axes[1, 2].legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
