"""Do learned positions learn that positions have neighbours? A small GPT is trained until they do.

    uv run sprints/05_embeddings_and_positional_encoding/learned_positions.py

Nothing tells the model that position 7 comes after position 6: the rows of the table start as independent noise. Beside
the trained ones stand the untrained ones, those of the same model trained on the same characters in random order, where
position is of no use, and the sinusoids. Theory: notes/11_positions_inside_a_model.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from embedding_study.position_patterns import Pattern, measure_pattern, similarities
from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveFloat, PositiveInt
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

TOLERANCE = {
    "losses.*": Tolerance(relative=0.03),
    "correlations.*": Tolerance(absolute=0.15),
    "patterns.*": Tolerance(absolute=0.15),
    "patterns.untrained.*": ROUNDING,
    "patterns.sinusoidal.*": ROUNDING,
    "similarities.*": Tolerance(absolute=0.6),
    "similarities.untrained.*": Tolerance(absolute=0.002),
    "similarities.sinusoidal.*": Tolerance(absolute=0.002),
}
Context = Annotated[int, Field(ge=3, le=MOST)]  # with two distances at least
Features = Annotated[int, Field(ge=4, le=MOST, multiple_of=4)]  # of four heads


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 600  # recipes to train on, character by character
    context: Context = 32  # positions
    d_model: Features = 64  # features of a position
    layers: PositiveInt = 1  # blocks
    steps: PositiveInt = 500  # optimizer steps of a run
    batch_size: PositiveInt = 32  # rows of a batch
    learning_rate: PositiveFloat = 5e-2  # peak learning rate of embeddings, biases and norms
    muon_learning_rate: PositiveFloat = 0.02  # peak learning rate of the matrices of the blocks
    measure_every: PositiveInt = 25  # steps between measurements
    runs: PositiveInt = 2  # runs of each kind, each with its own seed

    def check(self) -> None:
        if self.measure_every > self.steps:
            raise ValueError(
                f"something must be measured; got --measure-every {self.measure_every} of --steps {self.steps}"
            )


@dataclass(frozen=True)
class Results:
    steps: list[int]
    losses: dict[str, list[list[float]]]
    correlations: dict[str, list[list[float]]]
    patterns: dict[str, list[Pattern]]
    neighbours_by_chance: float
    similarities: dict[str, list[list[float]]]


def train(config: Config, tokens: np.ndarray, vocab: int, seed: int) -> Iterator[tuple[int, float, Tensor]]:
    """Train a GPT; yield now and then the step, the mean loss since the last time, and the table of positions."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    size = GPTConfig(vocab, config.context, config.layers, heads=4, d_model=config.d_model, dropout=0.0)
    model = GPT(size, generator).to(device)
    positions = model.positions.get_parameter("weight")
    yield 0, float("nan"), positions.detach().cpu().clone()
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
            yield step, sum(recent) / len(recent), positions.detach().cpu().clone()
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
        for seed in range(config.seed, config.seed + config.runs):
            moments = list(train(config, data, tokenizer.vocab_size, seed))
            steps = [step for step, _, _ in moments]
            losses[kind].append([loss for _, loss, _ in moments[1:]])
            correlations[kind].append([measure_pattern(table).correlation for _, _, table in moments])
            tables[kind].append(moments[-1][2])
            if kind == "text":
                tables["untrained"].append(moments[0][2])
    tables["sinusoidal"] = [sinusoidal_positions(config.context, config.d_model)]
    patterns = {kind: [measure_pattern(table) for table in by_seed] for kind, by_seed in tables.items()}
    for kind, by_seed in patterns.items():
        print(
            f"{kind:<14} cosine and distance correlate by {[round(each.correlation, 2) for each in by_seed]}, ", end=""
        )
        print(f"nearest is a neighbour: {[round(each.neighbours, 2) for each in by_seed]}, ", end="")
        print(f"main direction {[round(each.main_direction, 2) for each in by_seed]}")
    return Results(
        steps=steps,
        losses=losses,
        correlations=correlations,
        patterns=patterns,
        neighbours_by_chance=2 / config.context,
        similarities={
            kind: np.round(similarities(by_seed[0]).double().numpy(), 3).tolist() for kind, by_seed in tables.items()
        },
    )


def plot(results: Results) -> Figure:
    """Draw the similarities of all pairs of positions for each kind, and how the pattern and the loss develop."""
    figure, axes = new_figure(11.0, 6.4, rows=2, columns=3)
    panels = (axes[0, 0], axes[0, 1], axes[0, 2], axes[1, 0])
    for panel, (kind, values) in zip(panels, results.similarities.items(), strict=True):
        image = panel.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        panel.set(title=kind, xlabel="position", ylabel="position")
        panel.grid(False)
    figure.colorbar(image, ax=axes[0, 2], label="cosine")
    colours = {kind: f"C{index}" for index, kind in enumerate(results.patterns)}
    for kind, by_seed in results.correlations.items():
        for number, values in enumerate(by_seed):
            axes[1, 1].plot(results.steps, values, color=colours[kind], label=None if number else kind)
    axes[1, 1].set(xlabel="step", ylabel="correlation", title="cosine and nearness", ylim=(-0.1, 1))
    axes[1, 1].legend()
    for kind, patterns in results.patterns.items():
        axes[1, 2].plot(patterns[0].by_distance, color=colours[kind], label=kind)
    axes[1, 2].set(xlabel="distance", ylabel="mean cosine", title="similarity by distance")
    axes[1, 2].legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
