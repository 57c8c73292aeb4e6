"""What does training look like when a convolution by Fourier transforms runs around the circle, and what tells?

    uv run sprints/18_sequence_models/convolution_that_looks_ahead.py

Tokens are uniform noise: no model that sees the past alone can get below ln(vocab_size). One model convolves with zeros
behind the text, one without them. Theory: notes/07_state_spaces.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import trange

from shared.checks.intervals import mean_interval
from shared.checks.invariants import InvariantError, check_causality
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Even, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.norms import RMSNorm
from shared.nn.sequence_model import Residual, SequenceModel
from shared.nn.state_space import S4D


@dataclass(frozen=True)
class Config(ScriptConfig):
    vocab_size: AtLeastTwo = 8  # distinct tokens
    tokens: AtLeastTwo = 16  # of a text
    d_model: PositiveInt = 32  # features of a token
    d_state: Even = 32  # numbers of each feature's state
    layers: PositiveInt = 2  # of S4D
    steps: PositiveInt = 100  # optimizer steps
    batch_size: PositiveInt = 32  # texts of a batch
    learning_rate: PositiveFloat = 5e-3  # of AdamW
    eval_every: PositiveInt = 5  # steps between measurements, each of new texts
    seeds: PositiveInt = 5  # runs of each model

    def check(self) -> None:
        if self.eval_every > self.steps:
            raise ValueError(f"something must be measured; got --eval-every {self.eval_every} of --steps {self.steps}")


@dataclass(frozen=True)
class Results:
    steps: list[int]
    losses: dict[str, list[list[float]]]
    last: dict[str, list[float]]
    chance: float
    says: dict[str, str]


class CircularS4D(S4D):
    """S4D as one writes it at first: a Fourier transform as long as the text, so the text is a circle."""

    def by_convolution(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        _, last = super().by_convolution(x, state)
        spectrum = torch.fft.rfft(x.mT) * torch.fft.rfft(self.kernel(x.shape[1]))  # no zeros behind the text
        return torch.fft.irfft(spectrum, x.shape[1]).mT, last


KINDS: dict[str, type[S4D]] = {"with zeros": S4D, "without zeros": CircularS4D}


def build(config: Config, kind: str) -> SequenceModel:
    width = config.d_model
    layers: list[nn.Module] = [
        Residual(KINDS[kind](width, config.d_state), RMSNorm(width)) for _ in range(config.layers)
    ]
    return SequenceModel(config.vocab_size, width, layers, RMSNorm(width), outputs=config.vocab_size)


def loss_of(model: SequenceModel, tokens: Tensor) -> Tensor:
    """Return the mean loss of each next token, nats."""
    logits, _ = model(tokens)
    return functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def train(config: Config, kind: str, seed: int) -> list[float]:
    """Train a model, and return its losses on new texts."""
    generator = seed_everything(seed)
    model = build(config, kind)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)
    losses = []
    for step in range(1, config.steps + 1):
        tokens = torch.randint(config.vocab_size, (config.batch_size, config.tokens), generator=generator)
        optimizer.zero_grad()
        loss_of(model, tokens).backward()
        optimizer.step()
        if step % config.eval_every == 0:
            with torch.no_grad():
                new = torch.randint(config.vocab_size, (8 * config.batch_size, config.tokens), generator=generator)
                losses.append(loss_of(model, new).item())
    return losses


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tensors this small gain nothing from a second one
    losses: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    says = {}
    for kind in KINDS:
        seed_everything(config.seed)
        model, tokens = build(config, kind), torch.arange(config.tokens)[None] % config.vocab_size
        try:
            check_causality(lambda given, model=model: model(given)[0], tokens, vocab_size=config.vocab_size)
            says[kind] = "it holds"
        except InvariantError as error:
            says[kind] = str(error)
        print(f"{kind}: causality before training: {says[kind]}")
    for seed in trange(config.seeds, unit="seed"):
        for kind in KINDS:
            losses[kind].append(train(config, kind, config.seed + seed))
    for kind, runs in losses.items():
        print(
            f"{kind}: {mean_interval([run[-1] for run in runs])[0]:.3f} nats, chance {math.log(config.vocab_size):.3f}"
        )
    steps = list(range(config.eval_every, config.steps + 1, config.eval_every))
    last = {kind: [run[-1] for run in runs] for kind, runs in losses.items()}
    return Results(steps, losses, last, math.log(config.vocab_size), says)


def plot(results: Results) -> Figure:
    """Draw the losses on new texts, one line for each run, and the line that no causal model can pass."""
    figure, axes = new_figure(7.0, 3.6)
    axes.axhline(results.chance, color="black", linewidth=1)
    for index, (kind, runs) in enumerate(results.losses.items()):
        for curve in runs:
            axes.plot(results.steps, curve, color=f"C{index}", linewidth=1)
        last = sum(curve[-1] for curve in runs) / len(runs)
        axes.annotate(
            kind, (results.steps[-1], last), (4, -10 if kind == "with zeros" else 0), textcoords="offset points",
            color=f"C{index}",
        )  # fmt: skip
    axes.annotate("causal at best", (results.steps[-1], results.chance), (4, 2), textcoords="offset points")
    axes.set(xlabel="steps", ylabel="loss on new texts, nats", ylim=(0, None), xlim=(0, results.steps[-1] * 1.22))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"losses*": TRAINED, "last*": TRAINED, "says*": EXACT, "chance": EXACT})
