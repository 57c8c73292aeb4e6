"""What can a head that is tied to the embedding not say? Tokens that follow each other in a circle, without layers.

    uv run sprints/19_transformer_variants/tied_heads.py
    uv run sprints/19_transformer_variants/tied_heads.py --tokens 4

Token 1 is followed by 2, 2 by 3, and the last by 1: nothing has to be guessed. Models are an embedding and a head, with
nothing between, or a norm, or a matrix. Each starts many times; the best loss counts.
Theory: notes/11_heads_and_logits.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: AtLeastTwo = 3  # tokens of the circle
    features: PositiveInt = 8  # width of the embedding
    starts: PositiveInt = 64  # trainings of each model, all at once
    steps: PositiveInt = 1000  # optimizer steps
    rate: PositiveFloat = 0.05  # learning rate of Adam

    def check(self) -> None:
        if (numbers := self.starts * max(self.tokens, self.features) ** 2) > 10**8:
            raise ValueError(
                f"--starts times the square of --tokens or --features must be at most 100 million; got {numbers}: "
                "give smaller ones"
            )


@dataclass(frozen=True)
class Results:
    best: dict[str, float]
    worst: dict[str, float]
    chance: float
    bound_of_tied: float
    bound_with_gains: float


class Bigrams(nn.Module):
    """Logits of the next token from the last one, for many models side by side."""

    def __init__(self, kind: str, config: Config) -> None:
        super().__init__()
        shape = (config.starts, config.tokens, config.features)
        self.kind = kind
        self.embedding = nn.Parameter(torch.randn(shape))
        self.head = nn.Parameter(torch.randn(shape)) if kind == "untied" else self.embedding
        self.gain = nn.Parameter(torch.randn(config.starts, 1, config.features))
        self.matrix = nn.Parameter(torch.randn(config.starts, config.features, config.features))

    def forward(self) -> Tensor:
        """Return the logits (starts, tokens, tokens)."""
        x = self.embedding
        if self.kind == "tied, RMSNorm with gains":
            x = x / x.square().mean(dim=-1, keepdim=True).sqrt() * self.gain
        if self.kind == "tied, a matrix between":
            x = x @ self.matrix
        return x @ self.head.mT


def losses(kind: str, config: Config) -> Tensor:
    """Return the loss of each start after training, in nats per token (starts,)."""
    model = Bigrams(kind, config)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.rate)
    following = torch.arange(config.tokens).roll(-1)
    for _ in range(config.steps):
        loss = -model().log_softmax(dim=-1)[:, torch.arange(config.tokens), following].mean(dim=1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return loss.detach()


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    seed_everything(config.seed)
    kinds = ("tied", "tied, RMSNorm with gains", "tied, a matrix between", "untied")
    found = {kind: losses(kind, config) for kind in tqdm(kinds)}
    circle = config.tokens > 2  # of two tokens each follows the other: that is symmetric
    results = Results(
        {kind: max(0.0, loss.min().item()) for kind, loss in found.items()},
        {kind: loss.max().item() for kind, loss in found.items()},
        math.log(config.tokens),
        math.log(config.tokens if config.tokens <= 4 else 3),
        math.log(2) / config.tokens if circle else 0.0,
    )
    for kind, best in results.best.items():
        print(f"{kind}: best of {config.starts} starts {best:.4f} nats a token")
    print(f"chance {results.chance:.4f}; no tied model is below {results.bound_of_tied:.4f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the best loss of each model beside chance and what is proved."""
    figure, axes = new_figure(7.6, 3.0)
    names = list(results.best)
    axes.barh(range(len(names)), list(results.best.values()), color=[f"C{i}" for i in range(len(names))], height=0.6)
    for place, value in enumerate(results.best.values()):
        axes.text(value + 0.01, place, f"{abs(value):.3f}", va="center")
    axes.axvline(results.chance, color="black", linestyle=":")
    axes.text(results.chance - 0.01, 2.5, "chance", ha="right", va="center")
    axes.set(
        yticks=range(len(names)),
        yticklabels=names,
        xlabel="best loss of all starts (nats per token)",
        xlim=(0, 1.2 * results.chance),
    )
    axes.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"best.*": Tolerance(absolute=0.02), "worst.*": Tolerance(absolute=0.5)})
