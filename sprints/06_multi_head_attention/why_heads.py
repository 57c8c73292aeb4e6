"""Why more than one head? Name the token one back and the token two back.

    uv run sprints/06_multi_head_attention/why_heads.py
    uv run sprints/06_multi_head_attention/why_heads.py --heads 1 2 --seeds 1 --steps 100

Tokens are uniform noise, so only attention beats chance. All models have the same width and the same number of
parameters; one more has a single head and a hidden layer behind it. Theory: notes/04_why_heads.md
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import MultiHeadAttention
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

BACK = (1, 2)


@dataclass(frozen=True)
class Config(ScriptConfig):
    heads: tuple[int, ...] = (1, 2, 4)  # attention heads of each model
    hidden: int = 128  # hidden features of the non-linear readout of one more model with a single head (0: none)
    vocab: int = 16  # distinct tokens
    tokens: int = 12  # tokens of a row
    d_model: int = 32  # features of a token
    steps: int = 600  # optimizer steps
    batch_size: int = 64  # rows of a batch
    learning_rate: float = 1e-2  # learning rate of AdamW
    seeds: int = 5  # runs of each model, with seeds from --seed on


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
    by_order: float


class Reader(nn.Module):
    """Embedding, one attention layer, and a readout that has to name two earlier tokens."""

    def __init__(self, config: Config, heads: int, hidden: int) -> None:
        super().__init__()
        d_model, scores = config.d_model, len(BACK) * config.vocab
        self.token_embedding = nn.Embedding(config.vocab, d_model)
        self.positions = nn.Parameter(torch.randn(config.tokens, d_model))
        self.attention = MultiHeadAttention(d_model, heads)
        wide = nn.Sequential(nn.Linear(d_model, hidden or 1), nn.ReLU(), nn.Linear(hidden or 1, scores))
        self.readout = wide if hidden else nn.Linear(d_model, scores)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token_embedding(tokens) + self.positions
        mixed = self.attention(x, causal=True)  # (batch, tokens, d_model)
        # Nothing but attention may pass the tokens on: there is no residual connection.
        return self.readout(mixed).unflatten(-1, (len(BACK), -1))  # (batch, tokens, back, vocab)

    def weights(self, tokens: Tensor) -> Tensor:
        x = self.token_embedding(tokens) + self.positions
        return self.attention.forward_with_weights(x, causal=True)[1]  # (batch, heads, tokens, tokens)


def batches(config: Config, generator: torch.Generator) -> Iterator[Tensor]:
    while True:
        yield torch.randint(config.vocab, (config.batch_size, config.tokens), generator=generator)


def targets(tokens: Tensor) -> Tensor:
    """Return the tokens to name, (batch, tokens - 2, back): the first two positions have nothing two back."""
    return torch.stack([tokens[:, 2 - back : tokens.shape[1] - back] for back in BACK], dim=-1)


def loss_function(model: nn.Module, tokens: Tensor) -> tuple[Tensor, int]:
    logits, wanted = model(tokens)[:, 2:], targets(tokens)
    return functional.cross_entropy(logits.flatten(0, 2), wanted.flatten(), reduction="sum"), wanted.numel()


def train(config: Config, heads: int, hidden: int, seed: int) -> tuple[list[float], Reader, Tensor]:
    """Train one model and return its accuracy on fresh rows by distance, itself, and a fresh row."""
    device, generator = pick_device(config.device), seed_everything(seed)
    model = Reader(config, heads, hidden).to(device)
    data = (tokens.to(device) for tokens in batches(config, generator))
    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    for _ in train_steps(model, data, loss_function=loss_function, optimizers=optimizers, steps=config.steps):
        pass
    with torch.no_grad():
        fresh = torch.cat([next(data) for _ in range(20)])
        right = model(fresh)[:, 2:].argmax(-1) == targets(fresh)
    return right.float().mean(dim=(0, 1)).tolist(), model, fresh


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
    chance = 1 / config.vocab
    return Results(models, chance, by_order=(1 + chance) / 2)


def plot(results: Results) -> Figure:
    """Draw the attention maps of the first run of each model."""
    maps = [(name, head, w) for name, model in results.models.items() for head, w in enumerate(model.weights)]
    figure, axes = new_figure(11.0, 5.2, rows=2, columns=(len(maps) + 1) // 2)
    for panel, (name, head, weights) in zip(axes.flat, maps, strict=False):
        panel.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        panel.set_title(f"{name}: head {head + 1}" if len(results.models[name].weights) > 1 else name, fontsize=9)
        panel.set(xlabel="key", ylabel="query")
        panel.grid(False)
    for panel in axes.flat[len(maps) :]:
        panel.axis("off")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"models.*": TRAINED, "models.*.parameters": EXACT})
