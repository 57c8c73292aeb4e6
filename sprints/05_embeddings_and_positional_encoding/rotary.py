"""Why rotate queries and keys? Then scores depend on distance alone, and a text may begin anywhere.

    uv run sprints/05_embeddings_and_positional_encoding/rotary.py

First the property itself, on random queries and keys. Then what it is good for: a model with one attention head learns
to predict the token three places back at positions 0 to 31, and has to do the same at positions that it never saw.
Added sinusoids and no positions at all stand beside. Theory: notes/11_positions_inside_a_model.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Even, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import attend
from shared.nn.masks import causal_mask
from shared.nn.positions import sinusoidal_positions
from shared.nn.rotary import rotate_interleaved
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

Kind = Literal["rotary", "sinusoidal", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What rotary positions promise is held to the last digits; where added sinusoids fail is different in each training.
TOLERANCE = {
    "accuracy.*": Tolerance(absolute=0.05),
    "accuracy.sinusoidal.*": Tolerance(absolute=0.4),
    "home.*": Tolerance(absolute=0.02),
    "worst.*": Tolerance(absolute=0.05),
    "worst.sinusoidal": Tolerance(absolute=0.3),
    "weight_change.*": Tolerance(absolute=1e-4),
    "weight_change.sinusoidal": Tolerance(absolute=0.3),
}
Offset = Annotated[int, Field(ge=0, le=1_000_000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    vocab: AtLeastTwo = 16  # distinct tokens
    tokens: AtLeastTwo = 32  # tokens of a row, and so positions in training
    back: PositiveInt = 3  # how far back the token to predict is
    d_model: Even = 64  # features of a token
    steps: PositiveInt = 300  # optimizer steps of a run
    batch_size: PositiveInt = 32  # rows of a batch
    offsets: tuple[Offset, ...] = (0, 8, 16, 32, 64, 128, 256)  # positions at which a test row begins
    learning_rate: PositiveFloat = 3e-3  # learning rate
    runs: PositiveInt = 3  # trainings of each kind, each with its own seed

    def check(self) -> None:
        if self.back >= self.tokens:
            raise ValueError(
                f"a row must reach so far back; got --back {self.back} of --tokens {self.tokens}: give more tokens"
            )


@dataclass(frozen=True)
class Results:
    length_change: float
    weight_change: dict[str, float]
    offsets: list[int]
    accuracy: dict[str, list[list[float]]]
    home: dict[str, float]
    worst: dict[str, float]
    chance: float


class NameTheTokenBack(nn.Module):
    """One causal attention head between an embedding and an output layer."""

    def __init__(self, config: Config, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.embedding = nn.Embedding(config.vocab, config.d_model)
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.output = nn.Linear(config.d_model, config.vocab)

    def forward(self, tokens: Tensor, start: int = 0) -> tuple[Tensor, Tensor]:
        """Return scores for each token of rows that begin at a position, and where the head looked.

        The shapes are (batch, tokens, vocab) and (batch, tokens, tokens).
        """
        x = self.embedding(tokens)
        positions = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        if self.kind == "sinusoidal":
            x = x + sinusoidal_positions(start + tokens.shape[1], x.shape[-1]).to(x.device)[positions]
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        if self.kind == "rotary":
            query, key = rotate_interleaved(query, positions), rotate_interleaved(key, positions)
        mask = causal_mask(tokens.shape[1], device=tokens.device)
        mixed, weights = attend(query[:, None], key[:, None], value[:, None], mask)
        return self.output(mixed[:, 0]), weights[:, 0]


def rows(config: Config, generator: torch.Generator) -> Iterator[Tensor]:
    while True:
        yield torch.randint(config.vocab, (config.batch_size, config.tokens), generator=generator)


def train(config: Config, kind: Kind, seed: int) -> NameTheTokenBack:
    """Return a model that was trained on rows that begin at position 0."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    model = NameTheTokenBack(config, kind).to(device)

    def loss(model: nn.Module, tokens: Tensor) -> tuple[Tensor, int]:
        tokens = tokens.to(device)
        scores, targets = model(tokens)[0][:, config.back :], tokens[:, : -config.back]
        return functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="sum"), targets.numel()

    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    for _ in train_steps(model, rows(config, generator), loss_function=loss, optimizers=optimizers, steps=config.steps):
        pass
    return model


@torch.no_grad()
def test(model: NameTheTokenBack, tokens: Tensor, config: Config) -> tuple[list[float], float]:
    """Return the accuracy by the position at which rows begin, and how far the attention weights move, at most."""
    accuracies, change = [], 0.0
    _, at_home = model(tokens)
    for start in config.offsets:
        scores, weights = model(tokens, start)
        right = scores[:, config.back :].argmax(dim=-1) == tokens[:, : -config.back]
        accuracies.append(right.float().mean().item())
        change = max(change, (weights - at_home).abs().max().item())
    return accuracies, change


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    device = pick_device(config.device)
    vectors = torch.randn(64, config.d_model, generator=generator)
    turned = rotate_interleaved(vectors, torch.arange(64))
    unseen = torch.cat([next(rows(config, generator)) for _ in range(8)]).to(device)
    accuracy: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    change: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for kind in tqdm(KINDS, desc="kinds"):
        for seed in range(config.seed, config.seed + config.runs):
            accuracies, moved_by = test(train(config, kind, seed), unseen, config)
            accuracy[kind].append(accuracies)
            change[kind] = max(change[kind], moved_by)
    results = Results(
        length_change=(turned.norm(dim=1) / vectors.norm(dim=1) - 1).abs().max().item(),
        weight_change=change,
        offsets=list(config.offsets),
        accuracy=accuracy,
        home={kind: sum(values[0] for values in by_seed) / len(by_seed) for kind, by_seed in accuracy.items()},
        worst={kind: min(min(values) for values in by_seed) for kind, by_seed in accuracy.items()},
        chance=1 / config.vocab,
    )
    print(f"rotation changes lengths by at most {results.length_change:.1e}; rows begin at {results.offsets}")
    for kind in KINDS:
        print(f"{kind:<11} attention weights move by up to {change[kind]:.1e}, accuracy ", end="")
        print(" ".join(f"{value:.2f}" for value in accuracy[kind][0]))
    return results


def plot(results: Results) -> Figure:
    """Draw the accuracy by the position at which a row begins."""
    figure, axes = new_figure()
    for colour, (kind, by_seed) in enumerate(results.accuracy.items()):
        for number, values in enumerate(by_seed):
            label = None if number else kind
            axes.plot(range(len(values)), values, "os^"[colour] + "-", color=f"C{colour}", label=label)
    axes.axhline(results.chance, color="gray", linestyle="--", label="chance")
    axes.set_xticks(range(len(results.offsets)), [str(offset) for offset in results.offsets])
    axes.set(xlabel="position at which the row begins (trained: 0)", ylabel="accuracy", ylim=(0, 1.05))
    axes.legend(loc="center right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
