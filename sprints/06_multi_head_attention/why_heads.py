"""Why more than one head? Name the token one back and the token two back.

    uv run sprints/06_multi_head_attention/why_heads.py
    uv run sprints/06_multi_head_attention/why_heads.py --heads 1 2 --seeds 1 --steps 100

Tokens are uniform noise, so only attention beats chance. All models have the same width and the same number of
parameters; one more has a single head and a hidden layer behind it. Theory: notes/06_what_one_head_can_do.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from attention_study.reader import Reader, accuracy, reading_loss
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, AtLeastTwo, NonNegativeInt, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

Tokens = Annotated[int, Field(ge=3, le=MOST)]  # one has a token two back


@dataclass(frozen=True)
class Config(ScriptConfig):
    heads: tuple[PositiveInt, ...] = (1, 2, 4)  # attention heads of each model
    hidden: NonNegativeInt = 128  # hidden features of the readout of one more model with a single head (0: none)
    vocab: AtLeastTwo = 16  # distinct tokens
    tokens: Tokens = 12  # tokens of a row
    d_model: PositiveInt = 32  # features of a token
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 64  # rows of a batch
    learning_rate: PositiveFloat = 1e-2  # learning rate of AdamW
    seeds: PositiveInt = 5  # runs of each model, with seeds from --seed on

    def check(self) -> None:
        check_heads(self.d_model, *self.heads)


@dataclass(frozen=True)
class ReaderResult:
    """Accuracies by run, the parameters of attention and readout, and the weights of the first run by head."""

    one_back: list[float]
    two_back: list[float]
    parameters: int
    weights: list[list[list[float]]]


@dataclass(frozen=True)
class Results:
    models: dict[str, ReaderResult]
    chance: float


def batches(config: Config, generator: torch.Generator) -> Iterator[Tensor]:
    while True:
        yield torch.randint(config.vocab, (config.batch_size, config.tokens), generator=generator)


def train(config: Config, heads: int, hidden: int, seed: int) -> tuple[list[float], Reader, Tensor]:
    """Train one model and return its accuracy on fresh rows by distance, itself, and a fresh row."""
    device, generator = pick_device(config.device), seed_everything(seed)
    model = Reader(config.vocab, config.tokens, config.d_model, heads, hidden).to(device)
    data = (tokens.to(device) for tokens in batches(config, generator))
    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    for _ in train_steps(model, data, loss_function=reading_loss, optimizers=optimizers, steps=config.steps):
        pass
    with torch.no_grad():
        fresh = torch.cat([next(data) for _ in range(20)])
        return accuracy(model, fresh), model, fresh


def main(config: Config) -> Results:
    kinds = {f"{heads} head{'s' * (heads > 1)}": (heads, 0) for heads in config.heads}
    if config.hidden:
        kinds["1 head, hidden layer"] = (1, config.hidden)
    models = {}
    for name, (heads, hidden) in kinds.items():
        trained = [train(config, heads, hidden, config.seed + index) for index in tqdm(range(config.seeds), desc=name)]
        _, model, fresh = trained[0]
        with torch.no_grad():
            weights = model.weights(fresh).mean(dim=0)
        accuracies = [accuracy for accuracy, _, _ in trained]
        one_back, two_back = (list(values) for values in zip(*accuracies, strict=True))
        parts = (model.attention, model.readout)
        parameters = sum(parameter.numel() for part in parts for parameter in part.parameters())
        models[name] = ReaderResult(one_back, two_back, parameters, weights.cpu().double().round(decimals=3).tolist())
        print(f"{name:<22} one back {[f'{v:.3f}' for v in one_back]}, two back {[f'{v:.3f}' for v in two_back]}")
    return Results(models, chance=1 / config.vocab)


def plot(results: Results) -> Figure:
    """Draw the attention maps of the first run of each model."""
    maps = [(name, head, w) for name, model in results.models.items() for head, w in enumerate(model.weights)]
    figure, axes = new_figure(11.0, 5.2, rows=2, columns=(len(maps) + 1) // 2)
    for panel, (name, head, weights) in zip(axes.flat, maps, strict=False):
        picture = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        panel.set_title(f"{name}: head {head + 1}" if len(results.models[name].weights) > 1 else name, fontsize=9)
        panel.set(xlabel="key", ylabel="query")
        panel.grid(False)
    for panel in axes.flat[len(maps) :]:
        panel.axis("off")
    figure.colorbar(picture, ax=axes, label="mean weight", shrink=0.7)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"models.*": TRAINED, "models.*.parameters": EXACT})
